package pipeline

import (
	"time"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/rules"
)

// Facts returns what the severity of a leak at a time depends on.
func (r *Result) Facts(leaked time.Time) notify.Facts {
	return notify.Facts{
		Rule: string(r.Rule.Severity), Kind: string(r.Kind), Confidence: string(r.Confidence), Leaked: leaked,
		Expires: r.Expires, Bound: r.Bound, Pair: r.Pair,
	}
}

// pair notes pairs in each record.
func (w *Worker) pair() {
	for first := 0; first < len(w.results); {
		last := first + 1
		for last < len(w.results) && w.results[last].RecordLow == w.results[first].RecordLow {
			last++
		}
		pairs(w.results[first:last])
		first = last
	}
}

// pairs notes which findings of one record are usable together: a code and its
// verifier, a secret and the client that it is of.
func pairs(results []Result) {
	code, verifier := -1, -1
	for i := range results {
		r := &results[i]
		switch r.Kind {
		case rules.ClientSecret:
			r.Pair = named(r.Client)
		case rules.BasicCredentials:
			r.Pair = r.Client.How == event.BasicUser
		case rules.AuthorizationCode:
			code = i
		case rules.CodeVerifier:
			verifier = i
		}
	}
	if code < 0 || verifier < 0 {
		return
	}
	for i := range results {
		r := &results[i]
		switch r.Kind {
		case rules.AuthorizationCode:
			r.Pair = r.Pair || hasOther(results, i, rules.CodeVerifier)
		case rules.CodeVerifier:
			r.Pair = r.Pair || hasOther(results, i, rules.AuthorizationCode)
		}
	}
}

// named reports whether the record says whose the finding is.
func named(c event.Client) bool {
	return c.ID != "" && (c.How == event.SameRecord || c.How == event.IdPEvent || c.How == event.BasicUser)
}

// maxPairs bounds how many findings of a record are looked at for each: a record with
// more codes than that is no login.
const maxPairs = 64

// hasOther reports whether a finding of the kind near results[i] is of the same client,
// as far as the record says.
func hasOther(results []Result, i int, kind rules.Kind) bool {
	for k := max(0, i-maxPairs); k < min(len(results), i+maxPairs); k++ {
		if results[k].Kind == kind && sameClient(results[i].Client, results[k].Client) {
			return true
		}
	}
	return false
}

func sameClient(a, b event.Client) bool { return a.ID == "" || b.ID == "" || a.ID == b.ID }
