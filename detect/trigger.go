package detect

import (
	"fmt"
	"strings"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// form says what a trigger ends behind.
type form uint8

const (
	formKey    form = iota // a strong key and the first byte of its glue
	formWeak               // a weak key, a whole glue, and the first bytes of a value
	formPrefix             // a value's own prefix and its next bytes
	formShape              // a whole value of a known shape; no expression of the engine's
	formJar                // a key whose value is cookies, and the first byte of its glue
	formBlob               // a key word in base64
	formDump               // the first row of a dump in hexadecimal
	formSuffix             // what stands behind a value
	formScheme             // an authentication scheme, a blank, and the first bytes of a value
)

// elem is a part of a trigger: n bytes of a set.
type elem struct {
	set  *set
	n    int
	size int    // the set's, when it is known
	text string // how the engine writes a literal; empty for others
}

func (e elem) len() int {
	if e.size > 0 {
		return e.size
	}
	return e.set.len()
}

// Trigger is one expression of the compiled database. It has a fixed shape:
// bounded length, no open repeat, and it cannot match a newline.
type Trigger struct {
	// Rule is what the trigger looks for.
	Rule *rules.Rule
	// Key is the key, name, prefix or scheme, for people.
	Key string

	word     string // the key or name without the mark of an open end
	form     form
	caseless bool
	rest     int  // bytes behind a strong key or name
	name     bool // a cookie's name: a chunk's number or, behind '*', more of it may follow
	judged   bool // a weak key's whose values are judged by their neighbours
	trace    bool // the name of a function whose line tells the value (trace.go)
	binds    bool // what leads to values without names (binds.go)
	elems    []elem
	tail     int  // value bytes that the trigger ends with
	glue     int  // bytes between a weak key and the tail
	value    *set // the rule's alphabet
	checks   []checkFunc
	shape    shape
	enc      layer.Base64 // of a key word in base64 or hexadecimal
	gzip     bool         // of compressed data in base64
	phase    int          // of a key word in base64: its place in its group of four characters
}

// maxTrigger bounds what a trigger spans; windows overlap by it.
const maxTrigger = 2*rules.MaxKey + 64

// Role says what the trigger is for.
func (t *Trigger) Role() rules.Role { return t.Rule.Role }

// Expression returns the trigger in the engine's syntax.
func (t *Trigger) Expression() string { return t.expression(t.elems) }

func (t *Trigger) expression(elems []elem) string {
	var out strings.Builder
	for _, e := range elems {
		if e.text != "" {
			out.WriteString(e.text)
		} else {
			out.WriteString(t.class(e.set))
		}
		if e.n > 1 {
			fmt.Fprintf(&out, "{%d}", e.n)
		}
	}
	return out.String()
}

// class writes single bytes as they are, so that the engine sees literals.
func (t *Trigger) class(s *set) string {
	switch n := s.len(); {
	case n == 1, n == 2 && t.caseless:
		for c := 255; c >= 0; c-- {
			if s[c] && (n == 1 || isLower(byte(c))) {
				return literal(byte(c))
			}
		}
	}
	return s.class()
}

func literal(c byte) string {
	if isAlnum(c) || strings.IndexByte("_ =:,;%\"'", c) >= 0 {
		return string(c)
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// Flags returns the engine's flags as letters: i caseless.
func (t *Trigger) Flags() string {
	flags := ""
	if t.caseless {
		flags += "i"
	}
	return flags
}

// window is the number of bytes in a row that an engine without regular
// expressions filters by.
const window = 5

// Expansion declares the trigger's byte expansion: the sets of five bytes in a
// row that every place which the trigger finds has. They stand for at most
// maxExpansion literals, so that an engine which only knows literals can filter
// by them. The first set is nil when the trigger is shorter.
func (t *Trigger) Expansion() [window]*set {
	best, _ := t.expansion()
	return best
}

// expansion returns the window and the number of literals that it stands for, at
// most maxExpansion+1.
func (t *Trigger) expansion() (best [window]*set, literals int) {
	var sets []*set
	var sizes []int
	for _, e := range t.elems {
		size := e.len()
		for range e.n {
			sets, sizes = append(sets, e.set), append(sizes, size)
		}
	}
	for i := 0; i+window <= len(sets); i++ {
		if n := product(sizes[i : i+window]); best[0] == nil || n < literals {
			literals = n
			copy(best[:], sets[i:])
		}
	}
	return best, literals
}

const maxExpansion = 1 << 17

func product(sizes []int) int {
	n := 1
	for _, size := range sizes {
		if n *= size; n > maxExpansion {
			return maxExpansion + 1
		}
	}
	return n
}

// check refuses a trigger that would break what the engine relies on.
func (t *Trigger) check() error {
	if t.form == formShape {
		return nil
	}
	longest := 0
	for i, e := range t.elems {
		if e.set['\n'] && !(t.form == formKey && i == len(t.elems)-1 && e.n == 1) {
			return fmt.Errorf("rule %s: trigger for %q can match a newline", t.Rule.ID, t.Key)
		}
		longest += e.n
	}
	if longest > maxTrigger {
		return fmt.Errorf("rule %s: trigger for %q spans %d bytes, more than %d", t.Rule.ID, t.Key, longest, maxTrigger)
	}
	best, literals := t.expansion()
	if best[0] == nil {
		return fmt.Errorf("rule %s: trigger for %q has no five bytes in a row", t.Rule.ID, t.Key)
	}
	if literals > maxExpansion {
		return fmt.Errorf("rule %s: trigger for %q expands to more than %d literals", t.Rule.ID, t.Key, maxExpansion)
	}
	return nil
}
