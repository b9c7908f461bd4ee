package config

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// keysOf lists the keys of a YAML tree in order, sections included; keys without
// a comment are reported.
func keysOf(t *testing.T, y *yaml.Node, path string) []string {
	t.Helper()
	var out []string
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := join(path, y.Content[i].Value)
		if y.Content[i].HeadComment == "" {
			t.Errorf("defaults.yaml: %s has no comment", key)
		}
		out = append(out, key)
		if y.Content[i+1].Kind == yaml.MappingNode {
			out = append(out, keysOf(t, y.Content[i+1], key)...)
		}
	}
	return out
}

func schemaKeys(n *node, path string) []string {
	var out []string
	for _, c := range n.children {
		key := join(path, c.name)
		out = append(out, key)
		if c.shape == section {
			out = append(out, schemaKeys(c, key)...)
		}
	}
	return out
}

func TestDefaultsAndFieldsAgree(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal(defaultsYAML, &doc); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(schemaKeys(schema, ""), keysOf(t, doc.Content[0], "")); d != "" {
		t.Errorf("fields of Config (-) and keys of defaults.yaml (+) differ:\n%s", d)
	}
}

func TestDefaultsAreValidValues(t *testing.T) {
	w := &walker{file: "defaults.yaml", sources: sources{}}
	w.parse(bytes.NewReader(defaultsYAML))
	if len(w.problems) > 0 {
		t.Error(w.problems)
	}
}

func TestVariableNamesAreUnique(t *testing.T) {
	count := 0
	schema.leaves(nil, func(_ []string, leaf *node) {
		if leaf.shape != sectionList {
			count++
		}
	})
	if got := len(envKeys()); got != count {
		t.Errorf("%d variables for %d keys", got, count)
	}
}

func TestReference(t *testing.T) {
	const path = "../../docs/config.md"
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
		t.Errorf("docs/config.md is not made from defaults.yaml; run with -update:\n%s", d)
	}
	schema.leaves(nil, func(p []string, _ *node) {
		if !strings.Contains(b.String(), "| `"+strings.Join(p, ".")+"` |") {
			t.Errorf("docs/config.md leaves out %v", p)
		}
	})
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]Size{
		"0": 0, "1048576": 1 << 20, "256MiB": 256 << 20, "2 GiB": 2 << 30, "64kB": 64000, "5KB": 5000, "7B": 7, "1TB": 1e12,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "MiB", "-1", "1.5MiB", "1Mi", "9999999999TiB", "1 2", "0x10", "9223372036854775808"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", in, got)
		}
	}
}

func TestSizeStringIsReadAgain(t *testing.T) {
	for _, s := range []Size{0, 1, 1023, 1024, 1 << 20, 3 << 20, 1<<40 + 1, 5 << 40} {
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Errorf("%d is written %s and read %d, %v", s, s, got, err)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"topik", "topic", 1}, {"gruop", "group", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
	if got := nearest("zzzzzz", []string{"topic", "group"}); got != "" {
		t.Errorf("nearest to nothing like it: %q", got)
	}
	if !slices.Equal(splitList(" a ,,b,"), []string{"a", "b"}) {
		t.Error(splitList(" a ,,b,"))
	}
}
