package detect

import "github.com/leakveil/leakveil/internal/layer"

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

func (l *lastWalk) has(hi int, g glue, in *set) bool {
	return l.hi == hi && l.in == in && g.start >= l.start && (l.end < 0 || g.start < l.end) && hi > 0 &&
		l.glue.quote == g.quote && l.glue.slash == g.slash && l.glue.pct == g.pct && l.glue.code == g.code
}

// from is walk, remembered.
func (l *lastWalk) from(b []byte, hi int, g glue, in *set) (int, layer.Form) {
	if !l.has(hi, g, in) {
		end, form := walk(b, hi, g, in)
		*l = lastWalk{in: in, glue: g, start: g.start, end: end, hi: hi, form: form}
	}
	return l.end, l.form
}

// toQuote is toQuote, remembered.
func (l *lastWalk) toQuote(b []byte, hi int, g glue) (int, layer.Form) {
	if !l.has(hi, g, nil) {
		end, form := toQuote(b, hi, g)
		*l = lastWalk{glue: g, start: g.start, end: end, hi: hi, form: form}
	}
	return l.end, l.form
}
