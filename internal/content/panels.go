// Package content makes what people import into their SIEM and dashboards from
// tables: the panels over the alerts' index, the metrics of pipeline health, the
// alert rules and the runbooks. Names of fields come from internal/sink/field and
// nowhere else, so that none can drift. The files stand in deploy/ and
// docs/runbooks; a test holds them against this package. It must be imported by
// tests and by the demo alone, and must never read a document of an alert.
package content

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/sink/field"
)

//go:embed panels.yaml
var panelTable []byte

// Draw is how a panel is drawn.
type Draw string

// The ways to draw.
const (
	Number Draw = "number"
	Bars   Draw = "bars"
	Table  Draw = "table"
	List   Draw = "list"
)

// Panel is one question to the index.
type Panel struct {
	ID      string              `yaml:"id"`
	Title   string              `yaml:"title"`
	Draw    Draw                `yaml:"draw"`
	Where   map[string][]string `yaml:"where"`
	By      []string            `yaml:"by"`
	Measure []string            `yaml:"measure"`
	Columns []string            `yaml:"columns"`
}

// measure is what is computed in each group.
type measure struct {
	title string
	agg   string // of the search API: cardinality, min or max
	field string
}

var measures = map[string]measure{
	"alerts":   {"Alerts", "cardinality", "leakveil.alert.id"},
	"values":   {"Values", "cardinality", "leakveil.fingerprints"},
	"clients":  {"Clients", "cardinality", "leakveil.client.id"},
	"services": {"Services", "cardinality", "service.name"},
	"batches":  {"Batches", "cardinality", "event.id"},
	"first":    {"First seen", "min", "event.start"},
	"last":     {"Last seen", "max", "event.end"},
}

// dataset is the field that every panel asks for; traffic marks documents of tests,
// which no panel shows.
const (
	dataset = "event.dataset"
	traffic = "leakveil.traffic"
)

var panels = mustPanels()

// Panels returns the table in its order. It must not be changed.
func Panels() []Panel { return panels }

func mustPanels() []Panel {
	var all []Panel
	d := yaml.NewDecoder(bytes.NewReader(panelTable))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		panic("content: BUG: panels.yaml: " + err.Error()) // it is part of the program
	}
	for i := range all {
		if all[i].Where == nil {
			all[i].Where = map[string][]string{}
		}
		if all[i].Where[dataset] == nil {
			all[i].Where[dataset] = []string{"leakveil.alert"}
		}
		all[i].check()
	}
	return all
}

// check panics for what the table of fields or of measures does not know.
func (p Panel) check() {
	names := append(slices.Clone(p.By), p.Columns...)
	for name := range p.Where {
		names = append(names, name)
	}
	for _, m := range p.Measure {
		if measures[m].agg == "" {
			panic("content: BUG: panel " + p.ID + ": no measure " + m)
		}
		names = append(names, measures[m].field)
	}
	for _, name := range names {
		Name(name)
	}
}

// Name returns a field's path if the table of fields has it; else it panics.
func Name(path string) string { return known(path).Path }

func known(path string) field.Field {
	for _, f := range field.Fields() {
		if f.Path == path {
			return f
		}
	}
	panic("content: BUG: no field " + path)
}

// Lucene is the panel's condition in the query language that OpenSearch, Kibana
// and Grafana share.
func (p Panel) Lucene() string {
	var parts []string
	for _, name := range sorted(p.Where) {
		var values []string
		for _, v := range p.Where[name] {
			values = append(values, quote(v))
		}
		switch {
		case len(values) == 1:
			parts = append(parts, name+":"+values[0])
		default:
			parts = append(parts, name+":("+strings.Join(values, " OR ")+")")
		}
	}
	return strings.Join(parts, " AND ") + " AND NOT _exists_:" + Name(traffic)
}

// groups is how many values of a field are shown; maxSeries as many in a chart.
const (
	groups    = 100
	maxSeries = 12
)

type object = map[string]any

func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("content: BUG: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func indented(v any) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, compact(v), "", "  "); err != nil {
		panic("content: BUG: " + err.Error())
	}
	return append(b.Bytes(), '\n')
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
