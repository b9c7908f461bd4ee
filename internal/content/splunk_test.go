package content_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/sink/field"
)

const splunkDir = root + "/deploy/siem/splunk/leakveil"

// conf reads a .conf file: stanzas of keys.
func conf(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(splunkDir, name))
	if err != nil {
		t.Fatal(err)
	}
	out, at := map[string]map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if stanza, ok := strings.CutPrefix(line, "["); ok {
			at = strings.TrimSuffix(stanza, "]")
			out[at] = map[string]string{}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || out[at] == nil {
			t.Fatalf("%s: %q is no key of a stanza", name, line)
		}
		out[at][strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return out
}

// splunkFields are the names that an event has: those of the table, and those that
// the HEC sink adds.
func splunkFields() map[string]bool {
	known := map[string]bool{"_time": true, "app": true, "type": true, "id": true, "signature": true, "severity": true, "description": true, "sourcetype": true, "index": true}
	for _, f := range field.Fields() {
		if f.Splunk != "" {
			known[f.Splunk] = true
		}
		known["document."+f.Path] = true
	}
	return known
}

var (
	ofField  = regexp.MustCompile(`\b(?:dc|values|min|max)\(([\w.]+)\)`)
	by       = regexp.MustCompile(`\b(?:BY|table|dedup|sort \d+ -) ([\w. ]+)`)
	compared = regexp.MustCompile(`([\w.]+)(?: IN \(|=)`)
	named    = regexp.MustCompile(`AS (\w+)`)
)

// Searches name fields that events have, and macros that are there.
func TestSPLNamesWhatIsThere(t *testing.T) {
	searches := map[string]string{}
	for name, s := range conf(t, "default/savedsearches.conf") {
		searches[name] = s["search"]
	}
	for _, p := range content.Panels() {
		searches["panel "+p.ID] = p.SPL()
	}
	macros := conf(t, "default/macros.conf")
	for name, m := range macros {
		searches["macro "+name] = m["definition"]
	}
	for name, e := range conf(t, "default/eventtypes.conf") {
		searches["event type "+name] = e["search"]
	}
	known := splunkFields()
	for name, search := range searches {
		own := map[string]bool{"limit": true, "useother": true}
		for _, m := range named.FindAllStringSubmatch(search, -1) {
			own[m[1]] = true
		}
		var fields []string
		for _, expression := range []*regexp.Regexp{ofField, by, compared} {
			for _, m := range expression.FindAllStringSubmatch(search, -1) {
				fields = append(fields, strings.Fields(m[1])...)
			}
		}
		if len(fields) == 0 && !strings.HasPrefix(name, "macro") {
			t.Errorf("%s: no field in %s", name, search)
		}
		for _, f := range fields {
			if !known[f] && !own[f] {
				t.Errorf("%s: no field %s in %s", name, f, search)
			}
		}
		for i, m := range strings.Split(search, "`") {
			if i%2 == 1 && macros[m] == nil {
				t.Errorf("%s: no macro %s", name, m)
			}
		}
		if strings.Count(search, "(") != strings.Count(search, ")") || strings.Count(search, `"`)%2 != 0 {
			t.Errorf("%s is not balanced: %s", name, search)
		}
	}
}

// Lists of an event have plain names: Splunk calls them name{}.
func TestListsHaveAliases(t *testing.T) {
	props := conf(t, "default/props.conf")["leakveil:alert"]
	for _, f := range field.Fields() {
		if f.List && f.Splunk != "" && props["FIELDALIAS-"+f.Splunk] != `"`+f.Splunk+`{}" AS `+f.Splunk {
			t.Errorf("%s: %q", f.Splunk, props["FIELDALIAS-"+f.Splunk])
		}
	}
	if props["KV_MODE"] != "json" {
		t.Error("events are JSON")
	}
}

// What the schema of Dashboard Studio does not look at: kinds of visualizations,
// references, places.
func TestSplunkDashboard(t *testing.T) {
	text, err := os.ReadFile(splunkDir + "/default/data/ui/views/leakveil.xml")
	if err != nil {
		t.Fatal(err)
	}
	var view struct {
		Version    string `xml:"version,attr"`
		Definition string `xml:"definition"`
	}
	if err := xml.Unmarshal(text, &view); err != nil || view.Version != "2" {
		t.Fatal(view.Version, err)
	}
	d := parse(t, view.Definition)
	sources, drawn := at[object](t, d, "dataSources"), at[object](t, d, "visualizations")
	used, placed := map[string]bool{}, map[string]bool{}
	for name, v := range drawn {
		v := v.(object)
		if !slices.Contains([]string{"splunk.singlevalue", "splunk.column", "splunk.table"}, at[string](t, v, "type")) {
			t.Errorf("%s is a %v", name, v["type"])
		}
		source := at[string](t, v, "dataSources", "primary")
		if sources[source] == nil || used[source] {
			t.Errorf("%s: source %s", name, source)
			continue
		}
		used[source] = true
		if at[string](t, sources, source, "type") != "ds.search" || at[string](t, sources, source, "options", "query") == "" {
			t.Errorf("%s has no search", source)
		}
	}
	var boxes []place
	for _, one := range at[[]any](t, d, "layout", "layoutDefinitions", "main", "structure") {
		item := at[string](t, one.(object), "item")
		if drawn[item] == nil || placed[item] {
			t.Errorf("%s is placed", item)
		}
		placed[item] = true
		boxes = append(boxes, placeOf(t, at[object](t, one.(object), "position")))
	}
	noOverlap(t, boxes, 1200)
	if len(placed) != len(drawn) || len(used) != len(sources) || len(drawn) != len(content.Panels()) {
		t.Errorf("%d drawn, %d placed, %d of %d sources used", len(drawn), len(placed), len(used), len(sources))
	}
	if input := at[[]any](t, d, "layout", "globalInputs")[0].(string); at[object](t, d, "inputs")[input] == nil {
		t.Errorf("no input %s", input)
	}
}

// place is where a panel stands on a grid.
type place struct{ x, y, w, h float64 }

func placeOf(t *testing.T, o object) place {
	return place{at[float64](t, o, "x"), at[float64](t, o, "y"), at[float64](t, o, "w"), at[float64](t, o, "h")}
}

func noOverlap(t *testing.T, all []place, width float64) {
	t.Helper()
	for i, a := range all {
		if a.w <= 0 || a.h <= 0 || a.x < 0 || a.x+a.w > width {
			t.Errorf("panel %d is outside: %+v", i, a)
		}
		for j, b := range all[:i] {
			if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
				t.Errorf("panels %d and %d overlap", i, j)
			}
		}
	}
}
