package content_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/telemetry"
)

const rulesFile = root + "/deploy/prometheus/leakveil.rules.yaml"

type rule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alertRules(t *testing.T) (all []rule) {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no rules")
	}
	return all
}

// Each rule fires and stays silent as its cases say, and each has both cases.
func TestRulesByPromtool(t *testing.T) {
	dir := filepath.Join(root, "deploy/prometheus")
	backend.Promtool(t, dir, nil, "check", "rules", "leakveil.rules.yaml")
	backend.Promtool(t, dir, nil, "test", "rules", "leakveil.rules_test.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "leakveil.rules_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Cases []struct {
				Name string `yaml:"alertname"`
				Want []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, one := range file.Tests {
		for _, c := range one.Cases {
			if len(c.Want) > 0 {
				fires[c.Name] = true
			} else {
				silent[c.Name] = true
			}
		}
	}
	for _, r := range alertRules(t) {
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("%s: want a case that fires (%v) and one that does not (%v)", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

// metricTable is internal/telemetry/metrics.yaml: labels and their values.
type metricTable struct {
	Labels  map[string]struct{ Values []string }
	Metrics []struct {
		Prometheus, Type string
		Labels           []string
	}
}

func metrics(t *testing.T) (table metricTable) {
	t.Helper()
	text, err := os.ReadFile(root + "/internal/telemetry/metrics.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &table)
	}
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var (
	selector = regexp.MustCompile(`(leakveil_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)=~?"([^"]*)"`)
	grouping = regexp.MustCompile(`by \(([^)]*)\)`)
)

// Rules and charts name metrics, labels and values that leakveil has.
func TestExpressionsNameWhatIsThere(t *testing.T) {
	table := metrics(t)
	for name, expr := range expressions(t) {
		labels := map[string]bool{"le": true, "instance": true}
		for _, s := range selector.FindAllStringSubmatch(expr, -1) {
			own, ok := table.labels(s[1])
			if !ok {
				t.Errorf("%s: no metric %s", name, s[1])
			}
			for _, l := range own {
				labels[l] = true
			}
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if !slices.Contains(own, m[1]) {
					t.Errorf("%s: %s has no label %s", name, s[1], m[1])
				}
				for value := range strings.SplitSeq(m[2], "|") {
					if all := table.Labels[m[1]].Values; all != nil && !slices.Contains(all, value) {
						t.Errorf("%s: label %s is never %s", name, m[1], value)
					}
				}
			}
		}
		for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(g[1], ",") {
				if !labels[strings.TrimSpace(l)] {
					t.Errorf("%s groups by %s, which its metrics do not have", name, l)
				}
			}
		}
	}
}

func (m metricTable) labels(name string) ([]string, bool) {
	for _, one := range m.Metrics {
		if one.Prometheus == name || one.Type == "histogram" && one.Prometheus+"_bucket" == name {
			return one.Labels, true
		}
	}
	return nil, false
}

// expressions are all that are shipped, by where they stand.
func expressions(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, r := range alertRules(t) {
		out["rule "+r.Alert] = r.Expr
	}
	for _, c := range content.Charts() {
		for i, ask := range c.Ask {
			out[fmt.Sprintf("chart %s %d", c.Title, i)] = ask.Expr
		}
	}
	return out
}

// No label of a metric names a client: that is for the alerts' index alone.
func TestNoMetricNamesAClient(t *testing.T) {
	for label := range metrics(t).Labels {
		if strings.Contains(label, "client") || strings.Contains(label, "user") {
			t.Errorf("label %s", label)
		}
	}
}

// leakveil run leaks into a log what was sent to it; Prometheus scrapes it, and
// the alert for it fires. Every chart's query is answered.
func TestPrometheusOverLeakveilRun(t *testing.T) {
	otlp, scraped := startLeakveil(t)
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	alertmanager := backend.StartAlertmanager(t)
	prometheus := backend.StartPrometheus(t, scraped, alertmanager, rules)
	query := func(expr string) (found []map[string]string) {
		var answer struct {
			Data struct {
				Result []struct{ Metric map[string]string }
			}
		}
		get(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &answer)
		for _, r := range answer.Data.Result {
			found = append(found, r.Metric)
		}
		return found
	}
	backend.Eventually(t, "a scrape", func() bool { return len(query("leakveil_build_info")) == 1 })
	leak(t, otlp)
	backend.Eventually(t, "the alert", func() bool {
		found := query(`ALERTS{alertstate="firing"}`)
		return slices.ContainsFunc(found, func(m map[string]string) bool {
			return m["alertname"] == "LeakveilCriticalLeak" && m["kind"] == "client_secret" && m["severity"] == "page"
		})
	})
	backend.Eventually(t, "the alert at the Alertmanager, with its runbook", func() bool {
		var got []struct{ Labels, Annotations map[string]string }
		get(t, alertmanager+"/api/v2/alerts", &got)
		return len(got) > 0 && got[0].Labels["alertname"] == "LeakveilCriticalLeak" && got[0].Annotations["runbook_url"] == runbookURL+"client_secret.md"
	})
	backend.Eventually(t, "the sink that fails", func() bool { return len(query(`leakveil_sink_failing_seconds{sink="dead"} > 0`)) == 1 })
	response, err := http.Get("http://" + scraped + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	backend.Promtool(t, ".", text, "check", "metrics")
	for _, expr := range expressions(t) {
		query(strings.NewReplacer("$__rate_interval", "1m", "$topic", ".*").Replace(expr)) // fails unless it is answered
	}
	for _, expr := range []string{`sum by (kind) (rate(leakveil_findings_total[1m]))`, `histogram_quantile(0.99, sum by (le) (rate(leakveil_batch_duration_seconds_bucket[1m])))`} {
		backend.Eventually(t, expr, func() bool { return len(query(expr)) > 0 })
	}
}

func get(t *testing.T, url string, answer any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || json.Unmarshal(text, answer) != nil {
		t.Fatalf("%s: %d %s", url, response.StatusCode, text)
	}
}

// startLeakveil runs leakveil with an OTLP input and a sink that nobody listens on,
// and returns the addresses of that
// and of its metrics.
func startLeakveil(t *testing.T) (otlp, scraped string) {
	t.Helper()
	dir := t.TempDir()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	address := func() string { return fmt.Sprint("127.0.0.1:", backend.FreePort(t)) }
	otlp, scraped = address(), address()
	text := fmt.Sprintf(`
input: {otlp: {enabled: true, grpc: "", http: %q}}
output: {file: {path: %s/out.ndjson}}
alerts:
  file: {path: %s/alerts.ndjson}
  store: {path: %s/alerts.db}
  interval: 1s
  sinks: [{name: dead, type: webhook, url: "http://%s", every_state: true}]
fingerprint: {key_file: %s/key}
http: {listen: %q}
`, otlp, dir, dir, dir, address(), dir, scraped)
	for name, content := range map[string][]byte{"key": key, "leakveil.yaml": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "leakveil.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	run, err := app.Open(t.Context(), c, telemetry.Build{Version: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		run.Close()
	})
	return otlp, scraped
}

// leak sends one log record with a random client secret.
func leak(t *testing.T, otlp string) {
	t.Helper()
	secret := make([]byte, 24)
	_, _ = rand.Read(secret)
	line := "POST /token client_id=web-shop&client_secret=" + base64.RawURLEncoding.EncodeToString(secret)
	body, _ := json.Marshal(object{"resourceLogs": []any{object{"scopeLogs": []any{object{"logRecords": []any{object{"body": object{"stringValue": line}}}}}}}})
	backend.Eventually(t, "a request taken", func() bool {
		response, err := http.Post("http://"+otlp+"/v1/logs", "application/json", bytes.NewReader(body))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}
