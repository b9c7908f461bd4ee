package backend

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

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

// StartSecureElasticsearch is StartElasticsearch with TLS and users: an administrator, and
// a Writer who may create documents in logs-leakveil.* and no more.
func StartSecureElasticsearch(t testing.TB, certs Certs, version string) (s *OpenSearch, ok bool) {
	t.Helper()
	java, home, ok := elasticsearchHome(t, version)
	if !ok {
		return nil, false
	}
	port := FreePort(t)
	s = &OpenSearch{Writer: "writer", PasswordFile: filepath.Join(filepath.Dir(home), "password"), URL: fmt.Sprintf("https://127.0.0.1:%d", port)}
	password := fmt.Sprint("pw-", port, os.Getpid())
	write(t, s.PasswordFile, password)
	configureElasticsearch(t, home, certs, port, password)
	s.admin = s.client(t, certs)
	transport := s.admin.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs}
	s.admin.Transport = asAdmin{transport, password}
	s.Process = beginElasticsearch(t, java, home, func() error {
		if status, _ := s.try("GET", "/_cluster/health", ""); status != 200 {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	return s, true
}

func configureElasticsearch(t testing.TB, home string, certs Certs, port int, password string) {
	t.Helper()
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
