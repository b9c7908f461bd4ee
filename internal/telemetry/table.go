package telemetry

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed metrics.yaml
var tableYAML []byte

type table struct {
	Labels  map[string]label `yaml:"labels"`
	Metrics []metricRow      `yaml:"metrics"`
}

// label says what a label means. Without Values it is open, and bounded by the
// number of topics, partitions or builds.
type label struct {
	Values []string `yaml:"values"`
	Help   string   `yaml:"help"`
}

type metricRow struct {
	Name       string   `yaml:"name"`
	Prometheus string   `yaml:"prometheus"`
	Type       string   `yaml:"type"`
	Unit       string   `yaml:"unit"`
	Labels     []string `yaml:"labels"`
	Help       string   `yaml:"help"`
}

func readTable() (*table, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(tableYAML))
	decoder.KnownFields(true)
	t := &table{}
	if err := decoder.Decode(t); err != nil {
		return nil, fmt.Errorf("metrics.yaml: %w", err)
	}
	return t, nil
}

func (t *table) row(name string) (metricRow, bool) {
	i := slices.IndexFunc(t.Metrics, func(m metricRow) bool { return m.Name == name })
	if i < 0 {
		return metricRow{}, false
	}
	return t.Metrics[i], true
}

const referenceHead = `# Metrics

What ` + "`/metrics`" + ` shows, besides the usual ` + "`go_*` and `process_*`" + `. No label holds a
client id or anything from a record. A metric with more than 2,000 series folds the
rest into one, marked ` + "`otel_metric_overflow=\"true\"`" + `.

This page is made from ` + "`internal/telemetry/metrics.yaml`" + `; change it there, then run
` + "`go test ./internal/telemetry -run Reference -update`" + `.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
`

// WriteReference writes docs/metrics.md from metrics.yaml.
func WriteReference(w io.Writer) error {
	t, err := readTable()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(referenceHead)
	names := map[string]bool{}
	for _, m := range t.Metrics {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Prometheus, m.Type, strings.Join(m.Labels, ", "), m.Help)
		for _, l := range m.Labels {
			names[l] = true
		}
	}
	b.WriteString("\n| label | values | meaning |\n| --- | --- | --- |\n")
	for _, name := range sortedKeys(names) {
		l := t.Labels[name]
		values := "any"
		if l.Values != nil {
			values = strings.Join(l.Values, ", ") + ", other"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, values, l.Help)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func sortedKeys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
