package telemetry

import (
	"bytes"
	"flag"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leakveil/leakveil/rules"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

func newMetrics(t *testing.T) *Metrics {
	t.Helper()
	m, err := New(Build{Version: "v1", Revision: "abc", Engine: "hyperscan 5.4.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return m
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}

// fill uses every metric once.
func fill(m *Metrics) {
	m.RecordsIn("app", 3, 300)
	m.RecordsOut("app", 2, 250)
	m.Findings("jwt", "mask", 4)
	m.Withheld("timeout", 1)
	m.Dropped(1)
	m.DeadLetters("decode", 1)
	m.Detections("certain", "same_record", 4)
	m.Payloads("otlp_proto", "masked", 2)
	m.Alerts("jwt", "high", 1)
	m.SinkDocuments("siem", "delivered", 3)
	m.Notified("held", 2)
	m.Suppressed(1)
	m.BatchDone(20 * time.Millisecond)
	m.ProduceRetry()
	m.BadBatch("skip")
	m.RetentionGap("app", 7)
	m.Rebalance()
	m.Requests("logs", "delivered")
	m.SetPosition("app", 5, Position{Lag: 9, LastCommit: time.Unix(100, 0), InWork: true})
	m.WatchMemory(func() (int64, int64) { return 10, 20 })
	m.WatchSinks(func() Sinks {
		return Sinks{Used: 30, Limit: 40, Failing: map[string]time.Duration{"siem": 90 * time.Second}}
	})
}

func TestEveryMetricOfTheTableIsShown(t *testing.T) {
	m := newMetrics(t)
	m.now = func() time.Time { return time.Unix(103, 0) }
	fill(m)
	text := scrape(t, m)
	types := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" && strings.HasPrefix(f[2], "leakveil_") {
			types[f[2]] = f[3]
		}
	}
	want := map[string]string{}
	for _, row := range m.table.Metrics {
		want[row.Prometheus] = row.Type
	}
	if d := cmp.Diff(want, types); d != "" {
		t.Errorf("metrics.yaml (-) and /metrics (+) differ:\n%s", d)
	}
	for _, line := range []string{
		`leakveil_records_total{direction="in",topic="app"} 3`,
		`leakveil_bytes_total{direction="out",topic="app"} 250`,
		`leakveil_findings_total{action="mask",kind="jwt"} 4`,
		`leakveil_consumer_lag{partition="5",topic="app"} 9`,
		`leakveil_commit_age_seconds{partition="5",topic="app"} 3`,
		`leakveil_memory_used_bytes 10`,
		`leakveil_store_used_bytes 30`,
		`leakveil_sink_failing_seconds{sink="siem"} 90`,
		`leakveil_retention_lost_total{topic="app"} 7`,
		`leakveil_batch_duration_seconds_bucket{le="0.025"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestLabelsOfTheTableAreShown(t *testing.T) {
	m := newMetrics(t)
	fill(m)
	text := scrape(t, m)
	for _, row := range m.table.Metrics {
		slices.Sort(row.Labels)
		name := row.Prometheus
		if row.Type == "histogram" {
			name += "_count"
		}
		var got []string
		for line := range strings.Lines(text) {
			rest, ok := strings.CutPrefix(line, name)
			if !ok || (rest[0] != '{' && rest[0] != ' ') {
				continue
			}
			if inner, _, ok := strings.Cut(strings.TrimPrefix(rest, "{"), "}"); ok {
				for pair := range strings.SplitSeq(inner, ",") {
					label, _, _ := strings.Cut(pair, "=")
					got = append(got, label)
				}
			}
			break
		}
		if !slices.Equal(got, row.Labels) && len(got)+len(row.Labels) > 0 {
			t.Errorf("%s has labels %v, metrics.yaml says %v", name, got, row.Labels)
		}
		for _, l := range row.Labels {
			if m.table.Labels[l].Help == "" {
				t.Errorf("label %s of %s is not explained", l, row.Name)
			}
		}
	}
}

func TestUnknownValuesBecomeOther(t *testing.T) {
	m := newMetrics(t)
	const canary = "c4n4ry"
	m.Findings(canary, canary, 1)
	m.Withheld(canary, 1)
	m.DeadLetters(canary, 1)
	m.Detections(canary, canary, 1)
	m.Alerts(canary, canary, 1)
	m.BadBatch(canary)
	m.SinkDocuments("siem", canary, 1)
	m.Notified(canary, 1)
	text := scrape(t, m)
	if strings.Contains(text, canary) || !strings.Contains(text, `leakveil_findings_total{action="other",kind="other"} 1`) {
		t.Error("a value outside the label's list is shown")
	}
}

func TestSeriesAreBounded(t *testing.T) {
	m := newMetrics(t)
	for i := range 2 * MaxSeries {
		m.RecordsIn("topic-"+strconv.Itoa(i), 1, 1)
	}
	text := scrape(t, m)
	if n := strings.Count(text, "\nleakveil_records_total{"); n > MaxSeries {
		t.Errorf("%d series, at most %d are allowed", n, MaxSeries)
	}
	if !strings.Contains(text, "otel_metric_overflow") {
		t.Error("the rest is not counted")
	}
}

func TestForgottenPartitionsAreNotShown(t *testing.T) {
	m := newMetrics(t)
	m.SetPosition("app", 1, Position{Lag: -1, LastCommit: time.Now()})
	if text := scrape(t, m); !strings.Contains(text, `leakveil_consumer_lag{partition="1",topic="app"} 0`) ||
		!strings.Contains(text, `leakveil_commit_age_seconds{partition="1",topic="app"} 0`) {
		t.Error("an idle partition shows lag or age")
	}
	m.ForgetPosition("app", 1)
	if strings.Contains(scrape(t, m), "leakveil_consumer_lag{") {
		t.Error("a partition that moved is still shown")
	}
}

func TestKindsAreThoseOfRules(t *testing.T) {
	table, err := readTable()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, k := range rules.Kinds() {
		kinds = append(kinds, string(k))
	}
	if d := cmp.Diff(kinds, table.Labels["kind"].Values); d != "" {
		t.Error(d)
	}
}

func TestMakerFindsDifferences(t *testing.T) {
	m := newMetrics(t)
	k := &maker{meter: m.provider.Meter("test"), made: map[string]bool{}, table: &table{Metrics: []metricRow{
		{Name: "a", Type: "gauge"}, {Name: "b", Type: "counter"}, {Name: "c", Type: "counter"}}}}
	k.counter("a")
	k.counter("b")
	k.counter("b")
	k.counter("d")
	want := "metrics.yaml calls a a gauge, it is a counter\nmetric b is made twice\nmetrics.yaml has no d\nmetrics.yaml has c, which is never made"
	if got := k.finish().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNilMetrics(t *testing.T) {
	var m *Metrics
	fill(m)
	m.ForgetPosition("app", 1)
	if err := m.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReference(t *testing.T) {
	const path = "../../docs/metrics.md"
	var b bytes.Buffer
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("docs/metrics.md is not made from metrics.yaml; run with -update:\n%s", d)
	}
}
