package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
)

// Pair is a value that stands behind a key, by the same grammar as secrets.
type Pair struct {
	// Start and End bound the value as it is written.
	Start, End int
	// Quoted says that the value stands in quotes; Prose that nothing but blanks
	// stands between key and value.
	Quoted, Prose bool
	Form          layer.Form
}

// PairAt reads the value of a key that ends before keyEnd, made of the named
// alphabet of rules.Alphabets.
func PairAt(text []byte, keyEnd int, alphabet string) (Pair, bool) {
	g, ok := parseGlue(text, keyEnd, len(text))
	if !ok {
		return Pair{}, false
	}
	end, form := walk(text, len(text), g, alphabets[alphabet])
	return Pair{Start: g.start, End: end, Quoted: g.quote != 0, Prose: g.sep == ' ', Form: form}, end > g.start
}

// WordAt reports whether a word can start at p in text: it does not go on a
// longer word before it.
func WordAt(text []byte, p int) bool { return boundary(text, p, 0) }

// Placeholder reports whether a name stands for nothing: null, ***, ${X}, a mask.
func Placeholder(v []byte) bool { return isNothing(v) || !bytes.ContainsFunc(v, isWordRune) }

func isWordRune(r rune) bool { return r < 0x80 && isAlnum(byte(r)) }
