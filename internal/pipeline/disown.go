package pipeline

import (
	"hash/maphash"
	"strings"

	"github.com/leakveil/leakveil/internal/client"
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

// fewFindings is how many findings and clients of a record are compared each with
// each; an index is for records that have more.
const fewFindings = 8

func (w *Worker) disownRecord(arena []byte, results []Result) {
	if len(results) <= fewFindings && mostNamed(results) <= fewFindings {
		w.disownFew(arena, results)
		return
	}
	named := map[string]bool{}
	for i := range results {
		for _, id := range results[i].Client.Candidates {
			named[id] = false
		}
	}
	if len(named) == 0 {
		return
	}
	values := w.byBeginning(arena, results)
	for id := range named {
		named[id] = w.holdsValue(id, values, arena, results)
	}
	for i := range results {
		results[i].Client = without(results[i].Client, named)
	}
}

// disownFew is disownRecord for the usual record.
func (w *Worker) disownFew(arena []byte, results []Result) {
	for i := range results {
		for _, id := range results[i].Client.Candidates {
			if w.holdsOne(id, arena, results) {
				secret := map[string]bool{}
				for _, id := range results[i].Client.Candidates {
					secret[id] = w.holdsOne(id, arena, results)
				}
				results[i].Client = without(results[i].Client, secret)
				break
			}
		}
	}
}

func mostNamed(results []Result) (most int) {
	for i := range results {
		most = max(most, len(results[i].Client.Candidates))
	}
	return most
}

// holdsOne reports whether the value of one of the results stands anywhere in id.
func (w *Worker) holdsOne(id string, arena []byte, results []Result) bool {
	for i := range results {
		r := &results[i]
		if w.value = r.Value(w.value[:0], arena); len(w.value) >= minSecret && len(w.value) <= len(id) &&
			strings.Contains(id, string(w.value)) {
			return true
		}
	}
	return false
}

// byBeginning maps a hash of the first minSecret bytes of each value to the results
// that have it, so that a record of many findings and clients is not searched once
// for each pair. It holds no byte of a value.
func (w *Worker) byBeginning(arena []byte, results []Result) map[uint64][]int {
	values := map[uint64][]int{}
	for i := range results {
		w.value = results[i].Value(w.value[:0], arena)
		if len(w.value) >= minSecret && len(w.value) <= client.MaxID {
			begin := maphash.Bytes(w.seed, w.value[:minSecret])
			values[begin] = append(values[begin], i)
		}
	}
	return values
}

// holdsValue reports whether one of the values stands anywhere in id.
func (w *Worker) holdsValue(id string, values map[uint64][]int, arena []byte, results []Result) bool {
	for p := 0; p+minSecret <= len(id); p++ {
		for _, i := range values[maphash.String(w.seed, id[p:p+minSecret])] {
			w.value = results[i].Value(w.value[:0], arena)
			if strings.HasPrefix(id[p:], string(w.value)) {
				return true
			}
		}
	}
	return false
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
