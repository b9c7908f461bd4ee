package pipeline

import (
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// Finder is what Free needs of a Worker.
type Finder interface {
	Find(*detect.Batch) ([]Result, error)
	Suppressed() []rules.Kind
}

// Free reports of each text whether nothing is found in it, not even what somebody
// has suppressed. A text that cannot be scanned is not free. The Finder's last results
// are gone.
func Free(f Finder, texts []string) []bool {
	free := make([]bool, len(texts))
	if freeOf(f, texts, free) || len(texts) == 1 {
		return free
	}
	for i := range texts { // something suppressed is in one of them
		freeOf(f, texts[i:i+1], free[i:i+1])
	}
	return free
}

// freeOf scans texts in one call; it reports false when that does not tell.
func freeOf(f Finder, texts []string, free []bool) bool {
	clear(free)
	var b detect.Batch
	for i, text := range texts {
		b.AddText(i, []byte(text))
	}
	results, err := f.Find(&b)
	if err != nil || len(f.Suppressed()) > 0 {
		return false
	}
	for i := range free {
		free[i] = true
	}
	segments := b.Segments()
	for i := range results {
		free[segments[results[i].Segment].Record] = false
	}
	return true
}

// Stays reports whether a result's value, or some of its characters, is still in the
// masked text. What is cut out of such a text may have the value without the name that
// it was found by, and no scan finds it then.
func Stays(r *Result) bool {
	return r.Action == redact.ActionReport || r.Action == redact.ActionPartial
}
