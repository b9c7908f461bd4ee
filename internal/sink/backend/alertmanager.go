package backend

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// StartAlertmanager starts Prometheus's Alertmanager and returns its address. The
// program looks for its templates at one fixed place: it gets that in a mount
// namespace of its own, so that nothing has to be installed.
func StartAlertmanager(t testing.TB) string {
	t.Helper()
	return startAlertmanager(t, "http", http.DefaultClient)
}

// StartSecureAlertmanager starts one that wants the client certificate of certs, and the
// user leakveil with the password.
func StartSecureAlertmanager(t testing.TB, certs Certs, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	check(t, err)
	web := write(t, filepath.Join(t.TempDir(), "web.yml"), fmt.Sprintf(`tls_server_config:
  {cert_file: %q, key_file: %q, client_ca_file: %q, client_auth_type: RequireAndVerifyClientCert}
basic_auth_users: {leakveil: %q}
`, certs.ServerCert, certs.ServerKey, certs.CA, hash))
	pair, err := tls.LoadX509KeyPair(certs.ClientCert, certs.ClientKey)
	check(t, err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, // whether it answers is all that is asked
	}}}
	t.Cleanup(client.CloseIdleConnections)
	return startAlertmanager(t, "https", client, "--web.config.file="+web)
}

func startAlertmanager(t testing.TB, scheme string, client *http.Client, extra ...string) string {
	t.Helper()
	root := cached(t, "alertmanager", func(dir string) error { return debian(dir, "prometheus-alertmanager") })
	dir, port := t.TempDir(), FreePort(t)
	config := write(t, filepath.Join(dir, "c.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n")
	url := fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
	args := append([]string{"-rm", "sh", "-c", `mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus &&
		cp -r "$0/usr/share/prometheus/alertmanager" /usr/share/prometheus/ &&
		exec "$0/usr/bin/prometheus-alertmanager" "$@"`, root,
		"--config.file=" + config, "--storage.path=" + dir, fmt.Sprint("--web.listen-address=127.0.0.1:", port), "--cluster.listen-address="}, extra...)
	begin(t, exec.Command("unshare", args...), func() error {
		response, err := client.Get(url + "/-/ready")
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
	return url
}
