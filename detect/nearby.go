package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
)

// nearby tells whether one of a few words stands in a window of the arena. Windows
// come in rising order and overlap: each word is looked for once in each part of
// the arena, however many windows hold it.
type nearby struct {
	words [][]byte
	seen  []sighting
}

// sighting is where a word was first seen in arena[from:upto], or -1.
type sighting struct{ from, upto, at int }

func newNearby(words [][]byte) nearby {
	return nearby{words: words, seen: make([]sighting, len(words))}
}

// reset forgets everything, for another arena.
func (n *nearby) reset() {
	for i := range n.seen {
		n.seen[i] = sighting{at: -1}
	}
}

// in reports whether one of the words stands in arena[lo:hi].
func (n *nearby) in(arena []byte, lo, hi int) bool {
	for i, word := range n.words {
		if n.seen[i].moved(arena, word, lo, hi) {
			return true
		}
	}
	return false
}

// moved is in for one word.
func (s *sighting) moved(arena, word []byte, lo, hi int) bool {
	if lo < s.from {
		*s = sighting{from: lo, upto: lo, at: -1}
	}
	if s.at >= lo {
		return s.at+len(word) <= hi
	}
	from := max(lo, s.upto-len(word)+1)
	if s.at >= 0 { // further ones may follow it at once
		from = max(lo, s.at+1)
	}
	s.from, s.at = lo, -1
	if from < hi {
		if n := bytes.Index(arena[from:hi], word); n >= 0 {
			s.at = from + n
		}
	}
	s.upto = max(s.upto, hi)
	if s.at >= 0 {
		s.upto = s.at + len(word)
	}
	return s.at >= 0
}

// lastFew remembers a stretch of the arena of at most three different bytes, and
// goes on from its end: what starts within it was looked at already.
type lastFew struct {
	start, end int
	seen       [3]byte
	n          int
}

// in is fewDistinct of arena[lo:hi], remembered.
func (l *lastFew) in(arena []byte, lo, hi int) bool {
	if hi-lo < 4 {
		return false
	}
	if v := arena[lo : lo+4 : lo+4]; v[0] != v[1] && v[0] != v[2] && v[0] != v[3] && v[1] != v[2] && v[1] != v[3] && v[2] != v[3] {
		return false // as most values begin
	}
	if lo < l.start || lo >= l.end || !l.extend(arena, hi) {
		*l = lastFew{start: lo, end: lo}
		return l.extend(arena, hi)
	}
	return true
}

// extend moves the stretch's end to hi; false when a fourth byte stands before.
func (l *lastFew) extend(arena []byte, hi int) bool {
next:
	for ; l.end < hi; l.end++ {
		c := arena[l.end]
		for _, have := range l.seen[:l.n] {
			if have == c {
				continue next
			}
		}
		if l.n == len(l.seen) {
			return false
		}
		l.seen[l.n] = c
		l.n++
	}
	return true
}

// isPlaceholder is isPlaceholder of a candidate's decoded value, which begins
// where the candidate does unless it had to be decoded.
func (s *Scanner) isPlaceholder(c *candidate, v []byte) bool {
	if c.Form != (layer.Form{}) {
		return isPlaceholder(v)
	}
	return isNothing(v) || s.few.in(s.arena, c.Start, c.Start+len(v)) || len(v) <= 44 && documented[string(v)]
}

// documented are the values of the examples in RFC 6749, 6750 and 7636, which stand
// in the documentation of all libraries.
var documented = map[string]bool{
	"SplxlOBeZQQYbYS6WxSbIA": true, "2YotnFZFEjr1zCsicMWpAA": true, "tGzv3JOkF0XG5Qx2TlKWIA": true, "mF_9.B5f-4.1JqM": true,
	"czZCaGRSa3F0MzpnWDFmQmF0M2JW": true, "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3": true, "7Fjfp0ZBr1KtDRbnfVdmIw": true,
	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk": true,
}
