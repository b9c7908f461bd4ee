package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const schemaPath = "../../docs/schema/config.schema.json"

func TestSchemaFile(t *testing.T) {
	var b bytes.Buffer
	if err := WriteSchema(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s is not made from the fields of Config; run with -update:\n%s", schemaPath, d)
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fits validates YAML against the schema.
func fits(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return err
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// known reads YAML as Read does.
func known(text []byte) error {
	w := &walker{sources: sources{}}
	if w.parse(bytes.NewReader(text)); len(w.problems) > 0 {
		return w.problems
	}
	return nil
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestSchemaTakesDefaultsAndExamples(t *testing.T) {
	s := compiledSchema(t)
	examples := map[string][]byte{"defaults.yaml": defaultsYAML, "nothing": nil}
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples["full.yaml"] = full
	for _, page := range []string{"../../README.md", "../../docs/sinks.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			if known(block[1]) == nil { // others are rule packs, or a Collector's
				n++
				examples[fmt.Sprintf("%s %d", page, n)] = block[1]
			}
		}
		if n == 0 {
			t.Errorf("%s has no example", page)
		}
	}
	for name, text := range examples {
		if err := fits(t, s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatReadRefuses(t *testing.T) {
	s := compiledSchema(t)
	files, err := filepath.Glob("testdata/invalid_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	refused := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if known(text) == nil || strings.Contains(known(text).Error(), "second YAML document") {
			continue // Validate refuses it, or it is none of one file's form
		}
		refused++
		if fits(t, s, text) == nil {
			t.Errorf("%s fits", file)
		}
	}
	if refused < 5 {
		t.Errorf("%d files were looked at", refused)
	}
}

// For each key and any value, the schema and the program agree.
func TestSchemaAndProgramAgree(t *testing.T) {
	s := compiledSchema(t)
	values := []string{
		`text`, `""`, `"5"`, `5`, `-5`, `0`, `1.5`, `true`, `"true"`, `false`, `null`, `[]`, `[a]`, `[1, true]`, `[""]`, `[null]`, `[[a]]`, `{}`, `{a: 1}`, `[{}]`, `[null, {}]`,
		`[{name: a}]`, `[{kind: jwt, action: mask}]`, `[{nothing: 1}]`, `30s`, `1h30m`, `1.5h`, `.5s`, `-3s`, `"0"`, `30`, `30sec`, `1d`, `8MiB`, `"8 MiB"`, `8kB`, `8Mi`, `12B`, `earliest`, `otlp_proto`, `hyperscan`, `info`, `skip`, `plain`,
	}
	agreed := 0
	schema.leaves(nil, func(path []string, _ *node) {
		for _, v := range values {
			text := []byte("{" + strings.Join(path, ": {") + ": " + v + strings.Repeat("}", len(path)))
			read, form := known(text), fits(t, s, text)
			if (read == nil) != (form == nil) {
				t.Errorf("%s: the program says %v, the schema %v", text, read, form)
			}
			agreed++
		}
	})
	if agreed < 1000 {
		t.Errorf("%d cases", agreed)
	}
}
