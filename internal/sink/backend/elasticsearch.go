package backend

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// elasticsearch are the versions that can be started, and the Java of each.
var elasticsearch = map[string]string{"8.15.0": "17", "9.1.0": "25"}

// asAdmin adds the administrator's name and password to requests.
type asAdmin struct {
	http.RoundTripper
	password string
}

// RoundTrip is of http.RoundTripper.
func (a asAdmin) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("admin", a.password)
	return a.RoundTripper.RoundTrip(r)
}

// StartElasticsearch starts an Elasticsearch of this version, with TLS and users. It
// answers as an OpenSearch does, and is returned as one.
func StartElasticsearch(t testing.TB, certs Certs, version string) *OpenSearch {
	t.Helper()
	java, err := findJava(elasticsearch[version])
	check(t, err)
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
	home := filepath.Join(dir, "es")
	s := &OpenSearch{Writer: "writer", PasswordFile: filepath.Join(dir, "password")}
	port := FreePort(t)
	s.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
	password := fmt.Sprint("pw-", port, os.Getpid())
	write(t, s.PasswordFile, password)
	configureElasticsearch(t, home, certs, port, password)
	cmd := exec.Command("./bin/elasticsearch")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ES_JAVA_HOME=" + java, "ES_TMPDIR=" + filepath.Join(home, "tmp"), "ES_JAVA_OPTS=-Xms384m -Xmx384m"}
	if os.Getuid() == 0 { // it refuses to run as root
		check(t, command(dir, "chown", "-R", "65534:65534", home))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	s.admin = s.client(t, certs)
	transport := s.admin.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs}
	s.admin.Transport = asAdmin{transport, password}
	s.Process = begin(t, cmd, func() error {
		if status, _ := s.try("GET", "/_cluster/health", ""); status != 200 {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	return s
}

func configureElasticsearch(t testing.TB, home string, certs Certs, port int, password string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Join(home, "tmp"), 0o755))
	check(t, command(home, "sh", "-c", `mkdir config/certs && cp "$1"/* config/certs/`, "sh", filepath.Dir(certs.CA)))
	write(t, filepath.Join(home, "config", "elasticsearch.yml"), fmt.Sprintf(`
cluster.name: test
network.host: 127.0.0.1
http.port: %d
transport.port: %d
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: "+logs-leakveil.*,-*"
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.certificate: certs/node.pem
xpack.security.http.ssl.key: certs/node.key
xpack.security.http.ssl.certificate_authorities: [certs/ca.pem]
`, port, FreePort(t)))
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	check(t, err)
	known := strings.Replace(string(hash), "$2b$", "$2a$", 1)
	write(t, filepath.Join(home, "config", "users"), "admin:"+known+"\nwriter:"+known+"\n")
	write(t, filepath.Join(home, "config", "users_roles"), "superuser:admin\nleakveil_writer:writer\n")
	write(t, filepath.Join(home, "config", "roles.yml"), `leakveil_writer:
  cluster: [monitor]
  indices:
  - names: ["logs-leakveil.*"]
    privileges: [create_doc, auto_configure]
`)
}
