package field_test

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// Any bytes are read or refused; what is read has an id, a time and a title.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("../../alert/testdata/*.golden.json")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"@timestamp":"2026-01-01T00:00:00Z","event":{"module":"leakveil","id":"x","action":[[1]]},"leakveil":{"client":[],"alert":{"sequence":1e999}}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		r, err := field.Parse(document)
		if err != nil {
			return
		}
		if r.ID() == "" || r.Time("@timestamp").IsZero() || r.Title() == "" || r.Severity() == "" || !utf8.ValidString(r.Summary()) {
			t.Fatalf("%q %q", r.ID(), r.Summary())
		}
		for _, f := range field.Fields() {
			_, _, _ = r.Int(f.Path), r.Time(f.Path), r.List(f.Path)
		}
	})
}
