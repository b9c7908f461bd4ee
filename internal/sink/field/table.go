// Package field is the table of every field in leakveil's documents, and reads a
// document by it. What each format calls a field stands in fields.yaml and
// nowhere else: renderers, the index template and docs/alert-fields.md follow
// it. A field that the table does not know is not rendered. The package must
// never put a byte of a document into an error.
package field

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed fields.yaml
var table []byte

// page is the head of docs/alert-fields.md.
//
//go:embed page.md
var page string

// Type is a field's type in an index.
type Type string

// The types.
const (
	Keyword Type = "keyword"
	Text    Type = "text"
	Date    Type = "date"
	Long    Type = "long"
	Integer Type = "integer"
)

// Field is one row of the table.
type Field struct {
	// Path is the name in the documents, with dots.
	Path string `yaml:"path"`
	Type Type   `yaml:"type"`
	// List is true when an alert may have several values.
	List bool `yaml:"list"`
	// In has a letter for each document that may have the field: a(lert),
	// d(etection), g (digest), s(kipped batch).
	In string `yaml:"in"`
	// CEF, LEEF and Splunk are the names there; empty: left out.
	CEF    string `yaml:"cef"`
	Label  string `yaml:"label"` // of a custom CEF key
	LEEF   string `yaml:"leef"`
	Splunk string `yaml:"splunk"`
	// OTLP is the attribute; "-": none.
	OTLP  string `yaml:"otlp"`
	Means string `yaml:"means"`
}

var fields = mustLoad()

func mustLoad() []Field {
	var all []Field
	d := yaml.NewDecoder(bytes.NewReader(table))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		panic("field: BUG: fields.yaml: " + err.Error()) // it is part of the program
	}
	for i := range all {
		if all[i].OTLP == "" {
			all[i].OTLP = all[i].Path
		}
	}
	return all
}

// Fields returns the table in its order. It must not be changed.
func Fields() []Field { return fields }

// Markdown returns the table as a page for docs.
func Markdown() string {
	var b strings.Builder
	b.WriteString(page)
	for _, f := range fields {
		kind := string(f.Type)
		if f.List {
			kind += " []"
		}
		attribute, cef := f.OTLP, f.CEF
		if attribute == "-" {
			attribute = ""
		}
		if f.Label != "" {
			cef += " (" + f.Label + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", f.Path, kind, f.In, f.Means, attribute, cef, f.LEEF, f.Splunk)
	}
	return b.String()
}
