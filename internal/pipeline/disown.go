package pipeline

import (
	"strings"

	"github.com/leakveil/leakveil/internal/event"
)

// minSecret is the length from which a client identifier that holds a found value
// counts as that value. Shorter values are words by chance.
const minSecret = 6

// disown takes away client identifiers that hold a found value of their record
// (client_id=S&client_secret=S): a finding must not tell what was masked.
func (w *Worker) disown(arena []byte) {
	for first := 0; first < len(w.results); {
		last := first
		for last < len(w.results) && w.results[last].RecordLow == w.results[first].RecordLow {
			last++
		}
		w.disownRecord(arena, w.results[first:last])
		first = last
	}
}

func (w *Worker) disownRecord(arena []byte, results []Result) {
	named := map[string]bool{}
	for i := range results {
		for _, id := range results[i].Client.Candidates {
			named[id] = false
		}
	}
	if len(named) == 0 {
		return
	}
	for i := range results {
		w.value = results[i].Value(w.value[:0], arena)
		if len(w.value) < minSecret {
			continue
		}
		for id := range named {
			if len(id) >= len(w.value) && strings.Contains(id, string(w.value)) {
				named[id] = true
			}
		}
	}
	for i := range results {
		results[i].Client = without(results[i].Client, named)
	}
}

// without returns the client less the identifiers that are secrets.
func without(c event.Client, secret map[string]bool) event.Client {
	var kept []string
	for _, id := range c.Candidates {
		if !secret[id] {
			kept = append(kept, id)
		}
	}
	switch {
	case len(kept) == len(c.Candidates):
		return c
	case c.ID != "" && !secret[c.ID]:
		c.Candidates = kept
		return c
	}
	return event.Client{How: event.Unknown}
}
