package app

import (
	"strings"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// label is a header that marks records of synthetic traffic.
type label struct {
	name, value string
	any         bool // whatever its value
}

// parseLabel reads name or name=value.
func parseLabel(text string) label {
	name, value, exact := strings.Cut(text, "=")
	return label{name, value, !exact}
}

// on reports whether a record has the label.
func (l label) on(r *recordbatch.Record) bool {
	if l.name == "" {
		return false
	}
	for i := range r.Headers {
		if h := &r.Headers[i]; string(h.Key) == l.name && (l.any || string(h.Value) == l.value) {
			return true
		}
	}
	return false
}
