package backend

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// StartElasticsearch starts an Elasticsearch without users, of version 8.15.0 (Java
// 17) or 9.1.0 (Java 21 or newer), and returns it; ok is false when this machine has
// no Java for the version. Its licence allows tests.
func StartElasticsearch(t testing.TB, version string) (s *OpenSearch, ok bool) {
	t.Helper()
	java, home, ok := elasticsearchHome(t, version)
	if !ok {
		return nil, false
	}
	port, transport := FreePort(t), FreePort(t)
	write(t, filepath.Join(home, "config", "elasticsearch.yml"), fmt.Sprintf(`
cluster.name: test
network.host: 127.0.0.1
http.port: %d
transport.port: %d
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: "+logs-leakveil.*,-*"
xpack.security.enabled: false
`, port, transport))
	s = &OpenSearch{URL: fmt.Sprint("http://127.0.0.1:", port), admin: http.DefaultClient}
	s.Process = beginElasticsearch(t, java, home, healthy(s.URL+"/_cluster/health"))
	return s, true
}

// elasticsearchHome returns a copy of the distribution, and the home of its Java.
func elasticsearchHome(t testing.TB, version string) (java, home string, ok bool) {
	t.Helper()
	java, err := findJava(map[bool][]string{true: {"17"}, false: {"21", "22", "23", "24", "25"}}[strings.HasPrefix(version, "8.")])
	if err != nil {
		return "", "", false
	}
	dist := cached(t, "elasticsearch-"+version, func(dir string) error {
		err := command(dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
			"-Dartifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch:"+version+":zip", "-DoutputDirectory="+dir)
		if err != nil {
			return err
		}
		return unzip(filepath.Join(dir, "elasticsearch-"+version+".zip"), dir)
	})
	dir := shared(t)
	check(t, command(dir, "cp", "-a", filepath.Join(dist, "elasticsearch-"+version), "es"))
	home = filepath.Join(dir, "es")
	check(t, os.MkdirAll(filepath.Join(home, "tmp"), 0o755))
	return java, home, true
}

func beginElasticsearch(t testing.TB, java, home string, ready func() error) *Process {
	t.Helper()
	cmd := exec.Command("./bin/elasticsearch")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ES_JAVA_HOME=" + java, "ES_TMPDIR=" + filepath.Join(home, "tmp"), "ES_JAVA_OPTS=-Xms512m -Xmx512m"}
	if os.Getuid() == 0 { // it refuses to run as root
		check(t, command(filepath.Dir(home), "chown", "-R", "65534:65534", home))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return begin(t, cmd, ready)
}
