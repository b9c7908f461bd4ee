// Package suppress decides which findings pass because somebody said so: the
// suppress entries of rule packs. It counts what it lets pass. It must never let a
// finding pass that does not fit every field of one entry which has not expired.
package suppress

import (
	"path"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// List is the entries of a rule set. Its methods may be called from any goroutine,
// and on a nil List, which lets nothing pass.
type List struct {
	entries []entry
	now     func() time.Time
}

type entry struct {
	rules.Suppression
	key   string // folded
	until time.Time
	count atomic.Int64
}

// New returns the set's entries, nil when there are none. now is the clock that
// they expire by; nil is time.Now.
func New(set *rules.Set, now func() time.Time) *List {
	if len(set.Suppress) == 0 {
		return nil
	}
	if now == nil {
		now = time.Now
	}
	l := &List{entries: make([]entry, len(set.Suppress)), now: now}
	for i, s := range set.Suppress {
		l.entries[i].Suppression, l.entries[i].key, l.entries[i].until = s, fold(s.Key), s.Until()
	}
	return l
}

// Passes reports whether an entry lets f pass, and counts it. arena is what f's
// offsets are in, name the file, empty for records. service says which service wrote
// f's record, "" when that is not known; it is called when an entry asks.
func (l *List) Passes(f *detect.Finding, print redact.Fingerprint, arena []byte, name string, service func() string) bool {
	if l == nil {
		return false
	}
	now := l.now()
	for i := range l.entries {
		e := &l.entries[i]
		if now.Before(e.until) && e.fits(f, print, arena, name) && (e.Service == "" || e.Service == service()) {
			if !f.Part {
				e.count.Add(1)
			}
			return true
		}
	}
	return false
}

func (e *entry) fits(f *detect.Finding, print redact.Fingerprint, arena []byte, name string) bool {
	switch {
	case e.Kind != "" && e.Kind != f.Kind, e.Rule != "" && e.Rule != f.Rule.ID:
		return false
	case e.Fingerprint != "" && (e.Fingerprint != string(print[:]) || f.Part || f.Lines > 0 || f.Truncated):
		return false // of a value over lines, or a cut one, the fingerprint is that of a part
	case e.key != "" && (f.Part || f.Repeat || e.key != fold(keyOf(f, arena))):
		return false
	case e.Path != "" && !e.onPath(name):
		return false
	}
	return true
}

func (e *entry) onPath(name string) bool {
	if name == "" {
		return false
	}
	name = filepath.ToSlash(filepath.Clean(name))
	if path.Base(e.Path) == e.Path {
		name = path.Base(name)
	}
	ok, err := path.Match(e.Path, name)
	return ok && err == nil
}

// maxKey bounds how much of a name is looked at.
const maxKey = 80

// keyOf returns the whole name that f's key is in: of X-CSRF-Token not only Token.
func keyOf(f *detect.Finding, arena []byte) string {
	if f.KeyStart >= f.Blob {
		return "" // the value's own prefix or shape
	}
	lo, hi := f.KeyStart, f.KeyStart
	for lo > f.RecordLow && inName(arena[lo-1]) && f.KeyStart-lo < maxKey {
		lo--
	}
	for hi < f.Blob && inName(arena[hi]) && hi-f.KeyStart < maxKey {
		hi++
	}
	return string(arena[lo:hi])
}

func inName(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// fold writes a name in lower case without joiners.
func fold(name string) string {
	out := make([]byte, 0, len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '.':
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// State tells of one entry.
type State struct {
	rules.Suppression
	Expired bool
	Passed  int64 // findings that it let pass
}

// States returns all entries in order.
func (l *List) States() []State {
	if l == nil {
		return nil
	}
	now := l.now()
	out := make([]State, len(l.entries))
	for i := range l.entries {
		e := &l.entries[i]
		out[i] = State{e.Suppression, !now.Before(e.until), e.count.Load()}
	}
	return out
}

// Passed is the number of findings that passed.
func (l *List) Passed() (n int64) {
	for _, s := range l.States() {
		n += s.Passed
	}
	return n
}
