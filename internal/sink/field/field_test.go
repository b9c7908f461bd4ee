package field_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/sink/field"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write docs/alert-fields.md anew")

const docs = "../../../docs"

// schemaPaths returns the path of every member of a schema that is no object.
func schemaPaths(t *testing.T, name string) (paths []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Ref        string          `json:"$ref"`
		Properties map[string]node `json:"properties"`
		Defs       map[string]node `json:"$defs"`
	}
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(n node, path string)
	walk = func(n node, path string) {
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			n = root.Defs[name]
		}
		if len(n.Properties) == 0 {
			paths = append(paths, strings.TrimPrefix(path, "."))
		}
		for name, child := range n.Properties {
			walk(child, path+"."+name)
		}
	}
	walk(root, "")
	return paths
}

// The table has the fields of the schemas, all of them and no others.
func TestTableIsTheSchemas(t *testing.T) {
	in := map[string]string{}
	for letter, name := range map[string]string{"a": "alert-v1.json", "d": "detection-v1.json", "g": "digest-v1.json", "s": "skipped-v1.json"} {
		for _, path := range schemaPaths(t, name) {
			in[path] += letter
		}
	}
	for _, f := range field.Fields() {
		got := []byte(in[f.Path])
		slices.Sort(got)
		if string(got) != f.In {
			t.Errorf("%s is in %q by the schemas, %q by the table", f.Path, got, f.In)
		}
		delete(in, f.Path)
	}
	for path := range in {
		t.Errorf("%s is in a schema and not in the table", path)
	}
}

func TestNamesAreSoundAndUnique(t *testing.T) {
	word := regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	custom := regexp.MustCompile(`^(cs[1-6]|cn[1-3]|flexString[12])$`)
	seen := map[string]string{}
	for _, f := range field.Fields() {
		for format, name := range map[string]string{"cef": f.CEF, "leef": f.LEEF, "splunk": f.Splunk, "path": f.Path, "otlp": f.OTLP} {
			if name == "" || name == "-" {
				continue
			}
			if format != "path" && format != "otlp" && !word.MatchString(name) {
				t.Errorf("%s: %s name %q", f.Path, format, name)
			}
			if other := seen[format+name]; other != "" {
				t.Errorf("%s and %s are both %s in %s", f.Path, other, name, format)
			}
			seen[format+name] = f.Path
		}
		if custom.MatchString(f.CEF) != (f.Label != "") {
			t.Errorf("%s: the label of %q is %q", f.Path, f.CEF, f.Label)
		}
		if !slices.Contains([]field.Type{field.Keyword, field.Text, field.Date, field.Long, field.Integer}, f.Type) || f.Means == "" {
			t.Errorf("%s: type %q, means %q", f.Path, f.Type, f.Means)
		}
	}
}

func TestDocsAreTheTable(t *testing.T) {
	path := filepath.Join(docs, "alert-fields.md")
	if *update {
		if err := os.WriteFile(path, []byte(field.Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != field.Markdown() {
		t.Fatalf("%s is not the table: go test ./internal/sink/field -update (%v)", path, err)
	}
}

func TestParseGolden(t *testing.T) {
	names, err := filepath.Glob("../../alert/testdata/*.golden.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := field.Parse(text)
		if err != nil {
			t.Fatal(name, err)
		}
		if r.Text("leakveil.kind") != "code_verifier" || r.Int("event.severity") != 47 || r.Severity() != "medium" ||
			r.Time("event.start").UnixMilli() != 1795161601234 {
			t.Errorf("%s: %s, %d, %v", name, r.Title(), r.Int("event.severity"), r.Time("event.start").UnixMilli())
		}
		if strings.Contains(name, "alert-") != strings.HasSuffix(r.ID(), "-1") {
			t.Errorf("%s: id %s", name, r.ID())
		}
		if strings.Contains(name, "alert-kafka") && r.Summary() !=
			"Leaked in a log: code_verifier; client spa-bank; service login; region eu-west-1; detections 1; topic app-logs" {
			t.Error(r.Summary())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "[]", "null", "{}", `{"event":"x"}`, `{"event":{"module":"other","id":"1"},"@timestamp":"2026-11-20T08:00:01.234Z"}`,
		`{"event":{"module":"leakveil","id":"1"}} {}`} {
		if _, err := field.Parse([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestCut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "s")
		limit := rapid.IntRange(3, 60).Draw(r, "limit")
		got := field.Cut(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || len(s) <= limit && got != s ||
			len(s) > limit && (!strings.HasSuffix(got, "…") || !strings.HasPrefix(s, strings.TrimSuffix(got, "…"))) {
			r.Fatalf("%q cut to %d is %q", s, limit, got)
		}
	})
}
