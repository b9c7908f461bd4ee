package content_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/content"
)

type object = map[string]any

// question is a panel's search as a tool would send it: read from the file that
// people import, not from the table behind it.
type question struct {
	lucene  string
	buckets []bucket
	metrics []metric
}

type bucket struct {
	kind, field string
	size        int
}

type metric struct{ id, kind, field string }

// body is the request. The first metric orders every grouping.
func (q question) body() string {
	metrics := object{}
	for _, m := range q.metrics {
		metrics[m.id] = object{m.kind: object{"field": m.field}}
	}
	aggs := metrics
	for i := len(q.buckets) - 1; i >= 0; i-- {
		b, level := q.buckets[i], object{"aggs": aggs}
		if b.kind == "terms" {
			level["terms"] = object{"field": b.field, "size": b.size, "order": object{q.metrics[0].id: "desc"}}
		} else {
			level["date_histogram"] = object{"field": b.field, "fixed_interval": "1h", "min_doc_count": 1}
		}
		aggs = object{"group": level}
		first := q.metrics[0]
		aggs[first.id] = object{first.kind: object{"field": first.field}}
	}
	text, err := json.Marshal(object{"size": 0, "aggs": aggs, "query": object{"bool": object{"filter": []any{
		object{"range": object{"@timestamp": object{"gte": "now-30d", "lt": "now+1d"}}},
		object{"query_string": object{"query": q.lucene, "analyze_wildcard": true}},
	}}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// rows are the answer: the metrics of each group of the last level.
func (q question) rows(aggs map[string]json.RawMessage) map[string]string {
	out := map[string]string{}
	q.collect(aggs, 0, nil, out)
	return out
}

func (q question) collect(aggs map[string]json.RawMessage, depth int, keys []string, out map[string]string) {
	if depth == len(q.buckets) {
		var values []string
		for _, m := range q.metrics {
			var v struct{ Value float64 }
			_ = json.Unmarshal(aggs[m.id], &v)
			values = append(values, fmt.Sprintf("%s(%s)=%.0f", m.kind, m.field, v.Value))
		}
		out[strings.Join(keys, " | ")] = strings.Join(values, " ")
		return
	}
	var group struct {
		Buckets []map[string]json.RawMessage
	}
	_ = json.Unmarshal(aggs["group"], &group)
	for _, b := range group.Buckets {
		var key any
		_ = json.Unmarshal(b["key"], &key)
		name := fmt.Sprint(key)
		if ms, ok := key.(float64); ok {
			name = time.UnixMilli(int64(ms)).UTC().Format(time.RFC3339)
		}
		q.collect(b, depth+1, append(keys[:len(keys):len(keys)], name), out)
	}
}

// savedObjects reads the file that OpenSearch Dashboards and Kibana import.
func savedObjects(t *testing.T) (all []object) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy/siem/opensearch/dashboards.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		all = append(all, parse(t, line))
	}
	return all
}

func parse(t *testing.T, text string) (o object) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

// at follows a path of names through objects.
func at[T any](t *testing.T, o object, path ...string) (out T) {
	t.Helper()
	var v any = o
	for _, name := range path {
		below, ok := v.(object)
		if !ok {
			t.Fatalf("%v: no object before %s", path, name)
		}
		v = below[name]
	}
	out, ok := v.(T)
	if !ok {
		t.Fatalf("%v is %T, not %T", path, v, out)
	}
	return out
}

// asked are the searches of the visualizations, by the panel's title.
func asked(t *testing.T) map[string]question {
	out := map[string]question{}
	for _, o := range savedObjects(t) {
		if o["type"] != "visualization" {
			continue
		}
		state := parse(t, at[string](t, o, "attributes", "visState"))
		source := parse(t, at[string](t, o, "attributes", "kibanaSavedObjectMeta", "searchSourceJSON"))
		q := question{lucene: at[string](t, source, "query", "query")}
		for _, a := range at[[]any](t, state, "aggs") {
			agg := a.(object)
			name, kind := at[string](t, agg, "params", "field"), at[string](t, agg, "type")
			if agg["schema"] == "metric" {
				q.metrics = append(q.metrics, metric{at[string](t, agg, "id"), kind, name})
				continue
			}
			b := bucket{kind: kind, field: name}
			if kind == "terms" {
				b.size = int(at[float64](t, agg, "params", "size"))
				if at[string](t, agg, "params", "orderBy") != "1" {
					t.Error("ordered by another measure than the first")
				}
			}
			q.buckets = append(q.buckets, b)
		}
		out[strings.TrimPrefix(at[string](t, o, "attributes", "title"), "leakveil: ")] = q
	}
	return out
}

// drawn are the searches of a Grafana dashboard's panels, by title.
func drawn(t *testing.T, s content.GrafanaSource) map[string]question {
	out := map[string]question{}
	text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/alerts-"+s.Name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range at[[]any](t, parse(t, string(text)), "panels") {
		panel := one.(object)
		target := at[[]any](t, panel, "targets")[0].(object)
		q := question{lucene: at[string](t, target, "query")}
		for _, m := range at[[]any](t, target, "metrics") {
			m := m.(object)
			if m["type"] != "raw_data" {
				q.metrics = append(q.metrics, metric{at[string](t, m, "id"), at[string](t, m, "type"), at[string](t, m, "field")})
			}
		}
		for _, b := range at[[]any](t, target, "bucketAggs") {
			b := b.(object)
			made := bucket{kind: at[string](t, b, "type"), field: at[string](t, b, "field")}
			if made.kind == "terms" {
				if _, err := fmt.Sscan(at[string](t, b, "settings", "size"), &made.size); err != nil {
					t.Error(err)
				}
			}
			q.buckets = append(q.buckets, made)
		}
		out[at[string](t, panel, "title")] = q
	}
	return out
}

// isOf fails the test unless the question groups and measures what the panel does.
func (q question) isOf(t *testing.T, tool string, p content.Panel) {
	t.Helper()
	var by []string
	over := false
	for _, b := range q.buckets {
		if b.kind == "date_histogram" {
			over = true
		} else if p.Draw != content.Number {
			by = append(by, b.field)
		}
	}
	if !slices.Equal(by, p.By) || over != (p.Draw == content.Bars) || len(q.metrics) != len(p.Measure) || q.lucene != p.Lucene() {
		t.Errorf("%s, %s: %+v is not %+v", tool, p.ID, q, p)
	}
}

// closed are the fields whose values are a closed list, and that list.
func closed(t *testing.T) map[string][]string {
	labels := metrics(t).Labels
	return map[string][]string{
		"leakveil.kind": labels["kind"].Values, "leakveil.client.how": labels["how"].Values, "leakveil.severity": labels["severity"].Values,
		"leakveil.action": labels["action"].Values, "leakveil.confidence": labels["confidence"].Values,
		"event.dataset": {"leakveil.alert", "leakveil.detection", "leakveil.skipped", "leakveil.digest"},
	}
}

// Conditions of panels ask for values that there are.
func TestPanelsAskForWhatThereIs(t *testing.T) {
	lists := closed(t)
	for _, p := range content.Panels() {
		for name, values := range p.Where {
			for _, v := range values {
				if lists[name] == nil || !slices.Contains(lists[name], v) {
					t.Errorf("%s: %s is never %s", p.ID, name, v)
				}
			}
		}
	}
}
