package detect

import "bytes"

// A bracket around a value is a placeholder's or a log writer's: <redacted>,
// <eyJ…>. The value is what stands inside, and must look like one (isReal).

// openBracket steps over what opens a bracket around the value, written raw or
// escaped: <V>, "[V]", ${V}, {{V}}, %V%. Lists without quotes are glue already.
func (g *glue) openBracket(b []byte, hi int) {
	p := g.start
	if p < hi && plainQuoted[b[p]] { // most values begin with no bracket
		return
	}
	for range 2 {
		ch := readChar(b, p, hi)
		if ch.c == '$' && ch.n > 0 {
			if next := readChar(b, p+ch.n, hi); next.c == '{' {
				p += ch.n
				ch = next
			}
		}
		if g.bracket == 0 && isVariable(b, p, hi) {
			ch = char{c: '%', n: 1}
		}
		if ch.n == 0 || ch.c != '(' && closers[ch.c] == 0 || ch.c == '%' && (ch.n > 1 || g.bracket != 0) {
			break
		}
		if g.bracket != 0 && ch.c != g.bracket {
			break
		}
		p += ch.n
		g.bracket = ch.c
	}
	if g.bracket != 0 {
		g.outer, g.start = g.start, p
	}
}

// isVariable reports whether %V% stands at p, where V may begin with two
// hexadecimal digits (%DATABASE_SECRET%).
func isVariable(b []byte, p, hi int) bool {
	if p >= hi || b[p] != '%' {
		return false
	}
	end := run(b, p+1, hi, alphabets["unreserved"])
	return end > p+1 && end < hi && b[end] == '%' && readPercent(b, end, hi).n == 0
}

// closeBracket takes the closing bracket from the end of the value. False when
// there is none, so that the opening one is a part of the value.
func (c *candidate) closeBracket(b []byte) bool {
	closer := byte(')')
	if c.glue.bracket != '(' {
		closer = closers[c.glue.bracket]
	}
	if c.End < c.High && (b[c.End] == closer || readChar(b, c.End, c.High).c == closer) {
		return true
	}
	closed := false
	for range 2 {
		n := writtenBefore(b, c.Start, c.End, closer)
		if n == 0 {
			break
		}
		c.End -= n
		closed = true
	}
	return closed
}

// writtenBefore returns in how many bytes the character before p is written,
// when it is c, and 0 when it is another: >, %3E, \u003e, &gt;.
func writtenBefore(b []byte, lo, p int, c byte) int {
	if p <= lo {
		return 0
	}
	if b[p-1] == c {
		return 1
	}
	for n := 3; n <= 9 && p-n >= lo; n++ {
		if first := b[p-n]; first != '%' && first != '\\' && first != '&' {
			continue
		}
		if ch := readChar(b, p-n, p); ch.n == n && ch.c == c {
			return n
		}
	}
	return 0
}

// isWordInBrackets reports whether brackets around the value hold words about it
// and no value: <client-secret>, [hidden], %CLIENT_SECRET%. In a list without
// quotes, where values stand as well, only joined words are none.
func (s *Scanner) isWordInBrackets(c *candidate, v []byte) bool {
	raw := s.arena[c.Start:c.End]
	switch {
	case c.glue.bracket != 0:
		return !isReal(v)
	case c.glue.list && c.glue.quote == 0:
		return (bytes.ContainsAny(v, "_-. ") || isBlank(s.next(c))) && isWords(v) || namesMask(v)
	case raw[0] == '%': // not an escape, though %DA and %AC begin names as well
		last := len(raw) - 1
		return last > 1 && raw[last] == '%' && !looksRandom(raw[1:last])
	}
	return false
}
