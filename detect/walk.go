package detect

import (
	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// walk follows a value from g.start along its alphabet and through escapes,
// and returns its end. A character that is escaped no deeper than the glue is
// structure: it ends the value unless the alphabet has it. One that is escaped
// deeper is part of the value's own writing.
func walk(b []byte, hi int, g glue, in *set) (int, layer.Form) {
	var f layer.Form
	p := g.start
	for {
		p = run(b, p, hi, in)
		if p >= hi {
			return p, f
		}
		switch b[p] {
		case '%':
			ch := readPercent(b, p, hi)
			if ch.n == 0 && in['?'] && p+1 < hi && isAlnum(b[p+1]) { // no escape, in a secret that people chose
				p++
				continue
			}
			if ch.n == 0 || !inValue(ch, g, in) {
				return p, f
			}
			f.Percent = true
			p += ch.n
		case '\\':
			ch := readBackslash(b, p, hi)
			if ch.n == 0 || closes(ch, g) || ch.c == ' ' || !in[ch.c] {
				return p, f
			}
			f.Backslash = true
			p += ch.n
		case '&':
			ch := valueEntity(b, p, hi, in)
			if ch.n == 0 {
				return p, f
			}
			f.Entity = true
			p += ch.n
		default:
			return p, f
		}
	}
}

func inValue(ch char, g glue, in *set) bool {
	if ch.pct > g.pct {
		// Escaped deeper than the pair's own delimiters: part of the value, whatever
		// its alphabet. Behind other glue only what the alphabet lets in.
		return g.sep == '=' || in[ch.c] || ch.c > ' ' && ch.c < 0x7f && in['?']
	}
	return in[ch.c]
}

// closes reports whether ch is the quote that ends a value opened by g.
func closes(ch char, g glue) bool {
	return g.quote != 0 && ch.c == g.quote && ch.slash <= g.slash
}

// What goes on behind a foreign byte is the rest of the value when it is this
// long and looks random; shorter, it is a port, a host, a status.
const (
	minRest  = 16
	maxRest  = 4 << 10
	maxParts = 8
	// idDigits is the least length of an application's number before a '|'.
	idDigits = 10
)

var (
	// foreign are the bytes that may stand in a value though its alphabet
	// lacks them: vendors join parts with them. All others that end a value are
	// delimiters: blanks, quotes, brackets and & ; , < > are never crossed.
	foreign = setOf("|:@^#?!*$+/~=")
	// rest is what a value goes on with. '=' is not in it: what holds one is the next
	// pair. Nor is '|': columns are parted by it.
	rest = setOf(rules.Alphabets["token"] + ":@^#?").without("=|")
)

// goOn extends a value that ends before a byte which its alphabet
// lacks: id|secret, part:part. It goes on only over what is clearly the same
// value, so that no neighbour is taken.
func (s *Scanner) goOn(c *candidate, in *set) {
	b := s.arena
	for range maxParts {
		next := s.rests.restEnd(b, c.Start, c.End, c.High)
		if next == c.End {
			return
		}
		g := c.glue
		g.start = next
		end, f := walk(b, min(c.High, next+maxRest), g, in)
		c.End = end
		c.Form.Percent = c.Form.Percent || f.Percent
		c.Form.Backslash = c.Form.Backslash || f.Backslash
		c.Form.Entity = c.Form.Entity || f.Entity
	}
}

// restEnd returns where the rest of a value ends that stopped at p, or p.
func (l *lastRun) restEnd(b []byte, start, p, hi int) int {
	if p >= hi || p == start || !foreign[b[p]] {
		return p
	}
	end := min(l.to(b, p+1, hi, rest), p+1+maxRest)
	for end < hi && b[end] == '=' && end-p <= maxRest { // padding, if nothing stands behind
		end++
	}
	if end < hi && b[end-1] == '=' && isAlnum(b[end]) {
		return p
	}
	v := b[p+1 : end]
	if b[p] == '|' { // an application's number and secret, or columns
		if p-start < idDigits || !allIn(b[start:p], digits) || len(v) < minRest || isWords(v) || isNumber(v) {
			return p
		}
		return end
	}
	if len(v) < minRest || !looksRandom(v) {
		return p
	}
	return end
}

var digits = setOf("0123456789")

// lastRun remembers the last run along one set: what starts within it ends where
// it does.
type lastRun struct{ start, end, hi int }

// to is run, remembered. in is always the same.
func (l *lastRun) to(b []byte, p, hi int, in *set) int {
	if l.hi != hi || p < l.start || p > l.end {
		*l = lastRun{start: p, end: run(b, p, hi, in), hi: hi}
	}
	return l.end
}

// run steps over bytes of the set, eight at a time.
func run(b []byte, p, hi int, in *set) int {
	for p+8 <= hi {
		w := b[p : p+8 : p+8]
		if in[w[0]] && in[w[1]] && in[w[2]] && in[w[3]] && in[w[4]] && in[w[5]] && in[w[6]] && in[w[7]] {
			p += 8
			continue
		}
		break
	}
	for p < hi && in[b[p]] {
		p++
	}
	return p
}

// toQuote finds the quote that closes a value opened by g, or -1. A value in
// quotes may hold anything but a line end.
func toQuote(b []byte, hi int, g glue) (int, layer.Form) {
	var f layer.Form
	for p := g.start; p < hi; {
		switch c := b[p]; {
		case c == '\n':
			return -1, f
		case c == g.quote && g.slash == 0 && !g.code && g.pct == 0:
			return p, f
		case c == '\\' || c == '%' || c == '&':
			ch := readChar(b, p, hi)
			if ch.n > 1 && closes(ch, g) && ch.pct <= g.pct && (ch.slash > 0 || ch.pct > 0 || g.code) {
				return p, f
			}
			f.Percent = f.Percent || ch.pct > 0
			f.Backslash = f.Backslash || ch.slash > 0
			p += ch.n
		case c == g.quote:
			return p, f // an unescaped quote ends what holds the escaped one
		default:
			p++
		}
	}
	return -1, f
}

// lastWalk remembers where a walk ended. What starts within it, under the same
// glue and alphabet, ends there too: a megabyte of keys inside one value is
// walked once and not once a key.
type lastWalk struct {
	in         *set
	glue       glue
	start, end int // end -1: there was none up to hi
	hi         int
	form       layer.Form
}

// like reports whether l walked under the same glue and alphabet.
func (l *lastWalk) like(g glue, in *set) bool {
	return l.in == in && l.glue.quote == g.quote && l.glue.slash == g.slash && l.glue.pct == g.pct && l.glue.code == g.code
}

func (l *lastWalk) has(hi int, g glue) bool {
	return l.hi == hi && g.start >= l.start && (l.end < 0 || g.start < l.end) && hi > 0
}

// lastWalks has the last walk under each glue and alphabet: keys of several kinds
// may follow each other inside one value.
type lastWalks struct {
	marks [16]uint32 // of the walks, side by side so that all are looked at at once
	walks [16]lastWalk
	next  int
	any   bool // a long one is remembered; before that, none is
}

// mark is the same for the same glue and never 0; like decides.
func mark(g glue) uint32 {
	return uint32(g.quote)<<8 | uint32(uint8(g.slash))<<16 | uint32(uint8(g.pct))<<24 | 1
}

// walk returns what is remembered of the walk from g.start, and walks when nothing is.
func (l *lastWalks) walk(b []byte, hi int, g glue, in *set, walk func([]byte, int, glue, *set) (int, layer.Form)) (int, layer.Form) {
	if !l.any {
		end, form := walk(b, hi, g, in)
		if end < 0 && hi-g.start >= longWalk || end-g.start >= longWalk {
			l.remember(lastWalk{in: in, glue: g, start: g.start, end: end, hi: hi, form: form}, l.next)
		}
		return end, form
	}
	m, at := mark(g), -1
	for i := range l.marks {
		if l.marks[i] == m && l.walks[i].like(g, in) {
			at = i
			break
		}
	}
	if at >= 0 && l.walks[at].has(hi, g) {
		return l.walks[at].end, l.walks[at].form
	}
	if at < 0 {
		at = l.next
	}
	end, form := walk(b, hi, g, in)
	l.remember(lastWalk{in: in, glue: g, start: g.start, end: end, hi: hi, form: form}, at)
	return end, form
}

func (l *lastWalks) remember(w lastWalk, at int) {
	if at == l.next {
		l.next = (l.next + 1) % len(l.walks)
	}
	l.marks[at], l.walks[at], l.any = mark(w.glue), w, true
}

// longWalk is the length from which on walking again costs more than remembering.
const longWalk = 256

// from is walk, remembered.
func (l *lastWalks) from(b []byte, hi int, g glue, in *set) (int, layer.Form) {
	return l.walk(b, hi, g, in, walk)
}

// toQuote is toQuote, remembered.
func (l *lastWalks) toQuote(b []byte, hi int, g glue) (int, layer.Form) {
	return l.walk(b, hi, g, nil, func(b []byte, hi int, g glue, _ *set) (int, layer.Form) { return toQuote(b, hi, g) })
}
