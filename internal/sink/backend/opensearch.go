package backend

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

const openSearchVersion = "2.19.4"

// OpenSearch is a server with its security plugin: TLS and users.
type OpenSearch struct {
	*Process
	URL string
	// Writer may create documents in logs-leakveil.* and no more; its password is
	// in PasswordFile.
	Writer       string
	PasswordFile string
	admin        *http.Client
}

// StartOpenSearch starts one. extra is added to its configuration.
func StartOpenSearch(t testing.TB, certs Certs, extra string) *OpenSearch {
	t.Helper()
	java := javaHome(t)
	dist := cached(t, "opensearch-"+openSearchVersion, fetchOpenSearch)
	dir := shared(t)
	check(t, command(dir, "cp", "-a", filepath.Join(dist, "opensearch-"+openSearchVersion), "os"))
	home := filepath.Join(dir, "os")
	s := &OpenSearch{Writer: "writer", PasswordFile: filepath.Join(dir, "password")}
	port, transport := FreePort(t), FreePort(t)
	s.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
	s.configure(t, home, certs, port, transport, extra)
	cmd := exec.Command("./bin/opensearch")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "OPENSEARCH_JAVA_HOME=" + java, "OPENSEARCH_TMPDIR=" + filepath.Join(home, "tmp"),
		"OPENSEARCH_JAVA_OPTS=-Xms384m -Xmx384m"}
	if os.Getuid() == 0 { // it refuses to run as root
		check(t, command(dir, "chown", "-R", "65534:65534", home))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	s.admin = s.client(t, certs)
	s.Process = begin(t, cmd, func() error {
		status, _ := s.try("GET", "/_plugins/_security/health", "")
		if status == 200 { // users are known a little later
			status = s.anonymous()
		}
		if status != 401 {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	return s
}

func (s *OpenSearch) configure(t testing.TB, home string, certs Certs, port, transport int, extra string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Join(home, "tmp"), 0o755))
	check(t, command(home, "sh", "-c", `mkdir config/certs && cp "$1"/* config/certs/`, "sh", filepath.Dir(certs.CA)))
	write(t, filepath.Join(home, "config", "opensearch.yml"), fmt.Sprintf(`
cluster.name: test
network.host: 127.0.0.1
http.port: %d
transport.port: %d
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: "+logs-leakveil.*,-*"
plugins.security.ssl.transport.pemcert_filepath: certs/node.pem
plugins.security.ssl.transport.pemkey_filepath: certs/node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: certs/ca.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: certs/node.pem
plugins.security.ssl.http.pemkey_filepath: certs/node.key
plugins.security.ssl.http.pemtrustedcas_filepath: certs/ca.pem
plugins.security.nodes_dn: ["CN=node,O=leakveil"]
plugins.security.authcz.admin_dn: ["CN=admin,O=leakveil"]
plugins.security.allow_default_init_securityindex: true
%s
`, port, transport, extra))
	password := fmt.Sprint("pw-", port, transport, os.Getpid())
	write(t, s.PasswordFile, password)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	check(t, err)
	security := filepath.Join(home, "config", "opensearch-security")
	write(t, filepath.Join(security, "internal_users.yml"), fmt.Sprintf(`
_meta: {type: internalusers, config_version: 2}
writer: {hash: %q, backend_roles: [leakveil_writer]}
`, hash))
	write(t, filepath.Join(security, "roles_mapping.yml"), `
_meta: {type: rolesmapping, config_version: 2}
leakveil_writer: {backend_roles: [leakveil_writer]}
`)
	write(t, filepath.Join(security, "roles.yml"), `
_meta: {type: roles, config_version: 2}
leakveil_writer:
  cluster_permissions: [cluster_monitor, cluster_composite_ops]
  index_permissions:
  - index_patterns: ["logs-leakveil.*"]
    allowed_actions: [create_index, "indices:data/write/index", "indices:data/write/bulk*", "indices:admin/mapping/auto_put"]
`)
}

func (s *OpenSearch) client(t testing.TB, certs Certs) *http.Client {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certs.ClientCert, certs.ClientKey)
	check(t, err)
	pem, err := os.ReadFile(certs.CA)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// anonymous returns the status that a wrong password gets: 503 until the users
// are known, then 401. The admin's certificate would be taken in any case, so
// that it is not shown.
func (s *OpenSearch) anonymous() int {
	config := s.admin.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.Certificates = nil
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	request, err := http.NewRequest("GET", s.URL+"/_cluster/health", nil)
	if err != nil {
		return 0
	}
	request.SetBasicAuth("nobody", "nothing")
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (s *OpenSearch) try(method, path, body string) (int, []byte) {
	request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.admin.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, text
}

// Do sends a request as the administrator and fails the test unless it succeeds;
// answer may be nil.
func (s *OpenSearch) Do(t testing.TB, method, path, body string, answer any) {
	t.Helper()
	status, text := s.try(method, path, body)
	if status < 200 || status > 299 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if answer != nil {
		check(t, json.NewDecoder(bytes.NewReader(text)).Decode(answer))
	}
}

// Documents returns what a search in the stream finds, by id.
func (s *OpenSearch) Documents(t testing.TB, stream, query string) map[string]json.RawMessage {
	t.Helper()
	s.Do(t, "POST", "/"+stream+"/_refresh", "", nil)
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	s.Do(t, "POST", "/"+stream+"/_search?size=10000", query, &answer)
	out := map[string]json.RawMessage{}
	for _, hit := range answer.Hits.Hits {
		out[hit.ID] = hit.Source
	}
	return out
}

func fetchOpenSearch(dir string) error {
	for _, artifact := range []string{
		"org.opensearch.distribution.integ-test-zip:opensearch:" + openSearchVersion + ":zip",
		"org.opensearch.plugin:opensearch-security:" + openSearchVersion + ".0:zip",
	} {
		err := command(dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
			"-Dartifact="+artifact, "-DoutputDirectory="+dir)
		if err != nil {
			return err
		}
	}
	if err := unzip(filepath.Join(dir, "opensearch-"+openSearchVersion+".zip"), dir); err != nil {
		return err
	}
	home := filepath.Join(dir, "opensearch-"+openSearchVersion)
	java, err := findJavaHome()
	if err != nil {
		return err
	}
	plugin := "file://" + filepath.Join(dir, "opensearch-security-"+openSearchVersion+".0.zip")
	return command(home, "env", "OPENSEARCH_JAVA_HOME="+java, "bin/opensearch-plugin", "install", "--batch", plugin)
}

func javaHome(t testing.TB) string {
	t.Helper()
	home, err := findJavaHome()
	check(t, err)
	return home
}

// findJavaHome returns that of a Java 17: OpenSearch 2 starts on no newer one.
func findJavaHome() (string, error) { return findJava([]string{"17"}) }

// findJava returns the home of a Java of one of the versions.
func findJava(versions []string) (string, error) {
	homes, _ := filepath.Glob("/usr/lib/jvm/*")
	if program, err := exec.LookPath("java"); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			homes = append(homes, filepath.Dir(filepath.Dir(program)))
		}
	}
	for _, home := range homes {
		out, err := exec.Command(filepath.Join(home, "bin", "java"), "-version").CombinedOutput()
		for _, version := range versions {
			if err == nil && strings.Contains(string(out), `"`+version) {
				return home, nil
			}
		}
	}
	return "", errors.New("no Java " + versions[0] + "; install it with: apt-get install openjdk-17-jre-headless maven")
}

func unzip(path, dir string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, file := range archive.File {
		if err := extract(file, dir); err != nil {
			return err
		}
	}
	return nil
}

func extract(file *zip.File, dir string) error {
	if !filepath.IsLocal(file.Name) {
		return fmt.Errorf("%s is outside of the archive", file.Name)
	}
	path := filepath.Join(dir, file.Name)
	if file.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, file.Mode()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
