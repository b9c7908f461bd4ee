// Package format renders leakveil's documents as lines of other systems' formats:
// CEF, LEEF, OCSF and RFC 5424 syslog. Names come from the table of package
// field. Text of records is attacker-controlled: each format has its own escaping
// here, and lengths are cut on character borders. What a format cannot hold is
// left out, never guessed.
package format

import (
	"fmt"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
)

// Version is that of the mapping of fields, in the headers of CEF and LEEF: parsers
// are chosen by it, so that it does not change with every build.
var Version = "1.0"

// maxValue bounds one value of CEF, LEEF and structured data, in bytes. Lists of
// fingerprints are the longest, with 2,300.
const maxValue = 1023

// Func renders one item.
type Func func(sink.Item) ([]byte, error)

// Renderers by the name that configurations use.
var renderers = map[string]func(field.Record) []byte{
	"json":      func(r field.Record) []byte { return r.Raw },
	"cef":       CEF,
	"leef":      LEEF,
	"ocsf":      func(r field.Record) []byte { return OCSF(r, DetectionFinding) },
	"ocsf-data": func(r field.Record) []byte { return OCSF(r, DataSecurityFinding) },
}

// ByName returns a renderer: json, cef, leef, ocsf (class 2004) or ocsf-data
// (class 2006).
func ByName(name string) (Func, error) {
	render, ok := renderers[name]
	if !ok {
		return nil, fmt.Errorf("format: %q is not json, cef, leef, ocsf or ocsf-data", name)
	}
	return func(item sink.Item) ([]byte, error) {
		r, err := field.Parse(item.Document)
		if err != nil {
			return nil, err
		}
		return render(r), nil
	}, nil
}
