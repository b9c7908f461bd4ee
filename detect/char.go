package detect

// char is one logical character of text that may be escaped.
type char struct {
	c     byte
	n     int  // bytes it is written in
	pct   int  // percent depth: 0 raw, 1 %3D, 2 %253D
	slash int  // backslashes before it: 0 raw, 1 \", 3 \\\"
	code  bool // written as \uXXXX, \xXX or an entity
}

// escapes begin a character that is written in several bytes.
var escapes = setOf("%\\&")

// readChar reads the logical character at p. n is 0 at the end of text. What
// is no escape is itself. It is small enough to be inlined.
func readChar(b []byte, p, hi int) char {
	if p < hi && !escapes[b[p]] {
		return char{c: b[p], n: 1}
	}
	return readEscape(b, p, hi)
}

func readEscape(b []byte, p, hi int) char {
	if p >= hi {
		return char{}
	}
	var ch char
	switch b[p] {
	case '%':
		ch = readPercent(b, p, hi)
	case '\\':
		ch = readBackslash(b, p, hi)
	case '&':
		ch = readEntity(b, p, hi)
	}
	if ch.n > 0 {
		return ch
	}
	return char{c: b[p], n: 1}
}

// maxPercent is the deepest percent-encoding that is followed.
const maxPercent = 4

// readPercent reads %XX, %25XX, %2525XX …
func readPercent(b []byte, p, hi int) char {
	q, depth := p+1, 1
	for depth < maxPercent && q+4 <= hi && b[q] == '2' && b[q+1] == '5' &&
		unhex(b[q+2]) < 16 && unhex(b[q+3]) < 16 {
		q += 2
		depth++
	}
	if q+2 > hi {
		return char{}
	}
	hiNibble, loNibble := unhex(b[q]), unhex(b[q+1])
	if hiNibble > 15 || loNibble > 15 {
		return char{}
	}
	return char{c: hiNibble<<4 | loNibble, n: q + 2 - p, pct: depth}
}

// readBackslash reads a run of backslashes and what it escapes: a quote, a
// slash, \n \r \t, \u00XX or \xXX.
func readBackslash(b []byte, p, hi int) char {
	q := p
	for q < hi && b[q] == '\\' {
		q++
	}
	k := q - p
	if q >= hi {
		return char{}
	}
	switch c := b[q]; c {
	case '"', '\'', '/', '`':
		return char{c: c, n: k + 1, slash: k}
	case 'n', 'r', 't':
		return char{c: ' ', n: k + 1, slash: k, code: true}
	case 'u':
		if q+5 <= hi && b[q+1] == '0' && b[q+2] == '0' {
			return codeChar(b[q+3], b[q+4], k+5, k)
		}
	case 'x':
		if q+3 <= hi {
			return codeChar(b[q+1], b[q+2], k+3, k)
		}
	}
	return char{}
}

func codeChar(hiDigit, loDigit byte, n, slash int) char {
	h, l := unhex(hiDigit), unhex(loDigit)
	if h > 15 || l > 15 {
		return char{}
	}
	return char{c: h<<4 | l, n: n, slash: slash, code: true}
}

// entities are the named HTML entities that glue is made of.
var entities = []struct {
	name string
	c    byte
}{{"quot;", '"'}, {"apos;", '\''}, {"amp;", '&'}, {"gt;", '>'}, {"lt;", '<'}, {"equals;", '='}, {"colon;", ':'}, {"lbrack;", '['}, {"rbrack;", ']'}}

// maxEntity bounds how often an entity's & is written as an entity itself.
const maxEntity = 3

// readEntity reads an HTML entity of ASCII, named or numeric, at p. Its & may be
// written as &amp; up to maxEntity times.
func readEntity(b []byte, p, hi int) char {
	q := p + 1
	for range maxEntity {
		if q+4 >= hi || string(b[q:q+4]) != "amp;" || !isEntity(b, q+4, hi) {
			break
		}
		q += 4
	}
	c, n := entity(b, q, hi)
	if n == 0 {
		return char{}
	}
	return char{c: c, n: q + n - p, code: true}
}

func isEntity(b []byte, p, hi int) bool {
	_, n := entity(b, p, hi)
	return n > 0 || p+4 < hi && string(b[p:p+4]) == "amp;"
}

// entity reads what stands behind an entity's &.
func entity(b []byte, p, hi int) (c byte, n int) {
	if p >= hi {
		return 0, 0
	}
	if b[p] == '#' {
		return numericEntity(b, p, hi)
	}
	for _, e := range entities {
		if n := len(e.name); p+n <= hi && string(b[p:p+n]) == e.name {
			return e.c, n
		}
	}
	return 0, 0
}

// maxNumeric bounds the digits of a numeric entity.
const maxNumeric = 6

func numericEntity(b []byte, p, hi int) (c byte, n int) {
	q, base, code := p+1, 10, 0
	if q < hi && lower(b[q]) == 'x' {
		q, base = q+1, 16
	}
	first := q
	for q < hi && q-first < maxNumeric && int(unhex(b[q])) < base {
		code = code*base + int(unhex(b[q]))
		q++
	}
	if q == first || q >= hi || b[q] != ';' || code >= 0x80 {
		return 0, 0
	}
	return byte(code), q + 1 - p
}
