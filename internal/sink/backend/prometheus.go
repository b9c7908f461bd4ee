package backend

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func prometheus(t testing.TB) string {
	t.Helper()
	return filepath.Join(cached(t, "prometheus", func(dir string) error { return debian(dir, "prometheus") }), "usr", "bin")
}

// Promtool runs Prometheus's tool in dir and fails the test unless it is content;
// it returns what the tool says.
func Promtool(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(prometheus(t), "promtool"), args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// StartPrometheus starts a server that scrapes target (host:port), evaluates the rule
// files every second and tells the Alertmanager (a URL), and returns its address.
func StartPrometheus(t testing.TB, target, alertmanager string, rules ...string) string {
	t.Helper()
	dir, port := t.TempDir(), FreePort(t)
	files := ""
	for _, name := range rules {
		files += fmt.Sprintf("- %q\n", name)
	}
	config := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
rule_files:
%s
scrape_configs:
- job_name: leakveil
  static_configs: [{targets: [%q]}]
`, strings.TrimPrefix(alertmanager, "http://"), files, target))
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	cmd := exec.Command(filepath.Join(prometheus(t), "prometheus"), "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), fmt.Sprint("--web.listen-address=127.0.0.1:", port))
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
