package detect

import (
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// Servers split long cookies into chunks: name_0, name.1, nameC2, name-3,
// name_1of2; and some names end in what an installation chose: ory_session_*.

// inName is what may stand in a name's open end.
var inName = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

// chunkMark and a digit begin the number of a chunk: what the engine looks for
// behind the name of a cookie that comes in chunks.
var chunkMark = setOf("_.-C")

// nameTriggers spells a name with what may follow it. Chunks have an expression of
// their own: a wider class behind every name made the engine some 5 % slower.
func nameTriggers(r *rules.Rule, name string) []*Trigger {
	word := strings.TrimRight(name, "*#")
	trigger := func(follows ...*set) *Trigger {
		t := &Trigger{Rule: r, Key: name, word: word, form: formKey, rest: len(follows), name: true}
		t.elems = literalElems(word, false)
		for _, in := range follows {
			t.elems = append(t.elems, elem{set: in, n: 1})
		}
		return t
	}
	switch name[len(word):] {
	case "*":
		return []*Trigger{trigger(inName)}
	case "#":
		return []*Trigger{trigger(glueByte), trigger(chunkMark, digits)}
	}
	return []*Trigger{trigger(glueByte)}
}

// maxName bounds the open end of a name.
const maxName = 80

// nameEnd returns where a name ends whose fixed part ends before p.
func nameEnd(b []byte, p, hi int, name string) int {
	switch name[len(name)-1] {
	case '*':
		return run(b, p, min(hi, p+maxName), inName)
	case '#':
	default:
		return p
	}
	q := p
	if q < hi && (b[q] == '_' || b[q] == '.' || b[q] == '-') {
		q++
	}
	if q < hi && b[q] == 'C' {
		q++
	}
	number := q
	q = run(b, q, min(hi, q+3), digits)
	if q == number {
		return p
	}
	if q+2 < hi && b[q] == 'o' && b[q+1] == 'f' && isDigit(b[q+2]) {
		q = run(b, q+2, min(hi, q+5), digits)
	}
	return q
}
