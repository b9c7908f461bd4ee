package leakveilprocessor

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/processor/internal/metadata"
)

// declared is what metadata.yaml says.
type declared struct {
	Type   string
	Status struct {
		Stability map[string][]string
	}
	Attributes map[string]struct{ Enum []string }
	Telemetry  struct {
		Metrics map[string]struct {
			Description, Unit string
			Attributes        []string
		}
	}
}

func readDeclared(t *testing.T) (d declared) {
	t.Helper()
	text, err := os.ReadFile("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// What is emitted is what metadata.yaml and documentation.md declare, no more and no less.
func TestTelemetryIsAsDeclared(t *testing.T) {
	d := readDeclared(t)
	readers := componenttest.NewTelemetry()
	defer readers.Shutdown(context.Background())
	tel, err := newTelemetry(readers.NewTelemetrySettings())
	if err != nil {
		t.Fatal(err)
	}
	tel.count(context.Background(), outcomeOfAll())
	tel.refused(context.Background())
	for _, name := range sinkNames {
		tel.sent(sink.Observation{Sink: name, Delivered: 1, Retried: 1, Rejected: 1})
	}
	tel.lost(context.Background(), 1)
	unwatch, err := tel.watch(func(observe func(string, int64)) { observe("fold", 1); observe("otlp", 2) })
	if err != nil {
		t.Fatal(err)
	}
	defer unwatch()
	var rm metricdata.ResourceMetrics
	if err := readers.Reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	documentation, err := os.ReadFile("documentation.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, scope := range rm.ScopeMetrics {
		if scope.Scope.Name != metadata.ScopeName {
			t.Errorf("scope %q", scope.Scope.Name)
		}
		for _, m := range scope.Metrics {
			name := strings.TrimPrefix(m.Name, "otelcol_")
			seen[name] = true
			want := d.Telemetry.Metrics[name]
			if m.Unit != want.Unit || m.Description != want.Description+" [Alpha]" {
				t.Errorf("%s: %q %q, declared %q %q", name, m.Description, m.Unit, want.Description, want.Unit)
			}
			if !strings.Contains(string(documentation), "### "+m.Name+"\n") || !strings.Contains(string(documentation), want.Description) {
				t.Errorf("%s is not in documentation.md", m.Name)
			}
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			}
			if len(points) == 0 {
				t.Errorf("%s has no points", name)
			}
			for _, point := range points {
				var names []string
				for _, a := range point.Attributes.ToSlice() {
					names = append(names, string(a.Key))
					if enum := d.Attributes[string(a.Key)].Enum; len(enum) > 0 && !slices.Contains(enum, a.Value.AsString()) {
						t.Errorf("%s: %s=%s is not declared", name, a.Key, a.Value.AsString())
					}
				}
				slices.Sort(names)
				slices.Sort(want.Attributes)
				if !slices.Equal(names, want.Attributes) {
					t.Errorf("%s has %v, declared %v", name, names, want.Attributes)
				}
			}
		}
	}
	for name := range d.Telemetry.Metrics {
		if !seen[name] {
			t.Errorf("%s is declared and never emitted", name)
		}
	}
}

func TestStatusIsAsDeclared(t *testing.T) {
	d := readDeclared(t)
	if d.Type != metadata.Type.String() || NewFactory().Type() != metadata.Type {
		t.Errorf("type %s", d.Type)
	}
	level := func(signal string) component.StabilityLevel {
		for name, signals := range d.Status.Stability {
			if slices.Contains(signals, signal) {
				return map[string]component.StabilityLevel{"alpha": component.StabilityLevelAlpha, "beta": component.StabilityLevelBeta}[name]
			}
		}
		return component.StabilityLevelUndefined
	}
	f := NewFactory()
	if f.LogsStability() != level("logs") || f.TracesStability() != level("traces") || f.MetricsStability() != level("metrics") {
		t.Error("the stability is another than declared")
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| Stability | [alpha]: logs, traces, metrics", "| Type | `leakveil`"} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}

func outcomeOfAll() *otlp.Outcome {
	return &otlp.Outcome{
		Detections: detectionsForTest(),
		Counts:     map[otlp.Count]int{{Kind: "code_verifier", Action: "mask"}: 2},
		Withheld:   map[string]int{"timeout": 1, "too_deep": 1, "scan_failed": 1},
		Retried:    1, Dropped: 1, Bytes: 10,
	}
}
