package main

import (
	"fmt"
	"io"

	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/rules"
)

// suppressions returns the set's suppress entries, nil when there are none. It says
// aloud that what they fit passes as it is, and which of them have expired.
func suppressions(set *rules.Set, stderr io.Writer) *suppress.List {
	list := suppress.New(set, nil)
	active := 0
	for _, s := range list.States() {
		if s.Expired {
			fmt.Fprintf(stderr, "leakveil: warning: %s:%d: suppress entry expired on %s and no longer applies\n", s.File, s.Line, s.Expires)
			continue
		}
		active++
	}
	if active > 0 {
		fmt.Fprintf(stderr, "leakveil: warning: %d suppress entries are in force: findings that they fit pass UNMASKED and are not reported\n", active)
	}
	return list
}

// printSuppressed tells what passed, entry by entry.
func printSuppressed(w io.Writer, list *suppress.List) {
	if list == nil {
		return
	}
	fmt.Fprintf(w, "leakveil: %d findings were suppressed and passed UNMASKED\n", list.Passed())
	for _, s := range list.States() {
		if s.Passed > 0 {
			fmt.Fprintf(w, "  %8d  %s:%d (%q, until %s)\n", s.Passed, s.File, s.Line, s.Reason, s.Expires)
		}
	}
}
