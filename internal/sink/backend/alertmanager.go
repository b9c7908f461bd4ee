package backend

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
)

// StartAlertmanager starts Prometheus's Alertmanager and returns its address. The
// program looks for its templates at one fixed place: it gets that in a mount
// namespace of its own, so that nothing has to be installed.
func StartAlertmanager(t testing.TB) string {
	t.Helper()
	root := cached(t, "alertmanager", func(dir string) error { return debian(dir, "prometheus-alertmanager") })
	dir, port := t.TempDir(), FreePort(t)
	config := write(t, filepath.Join(dir, "c.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n")
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	cmd := exec.Command("unshare", "-rm", "sh", "-c", `mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus &&
		cp -r "$0/usr/share/prometheus/alertmanager" /usr/share/prometheus/ &&
		exec "$0/usr/bin/prometheus-alertmanager" "$@"`, root,
		"--config.file="+config, "--storage.path="+dir, fmt.Sprint("--web.listen-address=127.0.0.1:", port), "--cluster.listen-address=")
	begin(t, cmd, func() error {
		response, err := http.Get(url + "/-/ready")
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
	return url
}
