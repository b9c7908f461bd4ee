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
	// Path is the name in the documents and of OTLP attributes, with dots.
	Path string `yaml:"path"`
	Type Type   `yaml:"type"`
	// List is true when an alert may have several values.
	List bool `yaml:"list"`
	// In has a letter for each document that may have the field: a(lert),
	// d(etection), s(kipped batch).
	In string `yaml:"in"`
	// CEF, LEEF and Splunk are the names there; empty: left out.
	CEF    string `yaml:"cef"`
	Label  string `yaml:"label"` // of a custom CEF key
	LEEF   string `yaml:"leef"`
	Splunk string `yaml:"splunk"`
	Means  string `yaml:"means"`
}

var fields = mustLoad()

func mustLoad() []Field {
	var all []Field
	d := yaml.NewDecoder(bytes.NewReader(table))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		panic("field: BUG: fields.yaml: " + err.Error()) // it is part of the program
	}
	return all
}

// Fields returns the table in its order. It must not be changed.
func Fields() []Field { return fields }

// Markdown returns the table as a page for docs.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Fields of alerts in every format

Generated from internal/sink/field/fields.yaml; do not edit. What a document is, and how alerts are grouped, is in [alerts.md](alerts.md).

"in" says which documents have the field: a(lert), d(etection), s(kipped batch). OTLP log records carry the same fields as attributes named as in the first column. An empty cell means that the format does not carry the field; Splunk events and index documents hold the whole document beside the named fields.

| field | type | in | means | CEF | LEEF | Splunk |
| --- | --- | --- | --- | --- | --- | --- |
`)
	for _, f := range fields {
		kind := string(f.Type)
		if f.List {
			kind += " []"
		}
		cef := f.CEF
		if f.Label != "" {
			cef += " (" + f.Label + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", f.Path, kind, f.In, f.Means, cef, f.LEEF, f.Splunk)
	}
	return b.String()
}
