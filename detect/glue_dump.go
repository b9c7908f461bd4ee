package detect

// What terminals and dumpers put between a key and its value.

// maxSGR bounds a sequence that sets colours: ESC [ 38;5;123 m.
const maxSGR = 16

// sgr returns the length of a sequence at p that sets colours (ECMA-48 §8.3.117), or 0.
func sgr(b []byte, p, hi int) int {
	if p+2 >= hi || b[p] != 0x1b || b[p+1] != '[' {
		return 0
	}
	for q := p + 2; q < min(hi, p+maxSGR); q++ {
		if b[q] == 'm' {
			return q + 1 - p
		}
		if !isDigit(b[q]) && b[q] != ';' {
			return 0
		}
	}
	return 0
}

// columnRules are what tables draw between their columns.
var columnRules = []string{"|", "\u2502", "\u2503"}

// tableCell steps over the rule behind a cell that holds the key, as consoles and
// databases print tables: access_token │ V │. The value must look random, since the
// next cell of a heading is the next name.
func (g *glue) tableCell(b []byte, hi int) bool {
	if !isBlank(b[g.start-1]) {
		return false
	}
	for _, r := range columnRules {
		if p := g.start + len(r); p < hi && string(b[g.start:p]) == r && isBlank(b[p]) {
			g.start, g.sep, g.strict = p, ':', true
			return true
		}
	}
	return false
}

// behindSGR reports whether a sequence that sets colours ends at p.
func behindSGR(b []byte, p, lo int) bool {
	if p == lo || b[p-1] != 'm' {
		return false
	}
	for q := p - 2; q > max(lo, p-maxSGR); q-- {
		if b[q] == '[' {
			return b[q-1] == 0x1b
		}
		if !isDigit(b[q]) && b[q] != ';' {
			return false
		}
	}
	return false
}

// typed returns the length of a type and a length in brackets before a string, as
// Go's spew prints them: (string) (len=43) "V", or 0.
func typed(b []byte, p, hi int) int {
	const before, after = "(string) (len=", ") "
	end := p + len(before)
	if end >= hi || string(b[p:end]) != before {
		return 0
	}
	end = run(b, end, min(hi, end+8), digits)
	if end+len(after) >= hi || string(b[end:end+len(after)]) != after {
		return 0
	}
	return end + len(after) - p
}

// units are what lengths are counted in.
var units = []string{" bytes", " byte", " chars", " characters", "B", "b", " B", " b", " octets"}

// sized returns the length of a value's length in brackets behind its key, or 0:
// access_token(43)=V, code_verifier [43 bytes]: V, token (len=43): V.
func sized(b []byte, p, hi int) int {
	shut := byte(']')
	switch b[p] {
	case '(':
		shut = ')'
	case '<':
		shut = '>'
	}
	q := p + 1
	for _, word := range []string{"length=", "len=", "size=", "len:", "len "} {
		if q+len(word) < hi && string(b[q:q+len(word)]) == word {
			q += len(word)
			break
		}
	}
	end := run(b, q, min(hi, q+maxIndex+2), digits)
	if end == q {
		return 0
	}
	for _, unit := range units {
		if end+len(unit) < hi && string(b[end:end+len(unit)]) == unit && b[end+len(unit)] == shut {
			return end + len(unit) + 1 - p
		}
	}
	if end < hi && b[end] == shut {
		return end + 1 - p
	}
	return 0
}

// passed returns the length of what stands for a blank or a sign before a quote: the
// plus of a form (%3A+%22), the rest of a quoted-printable = (=3D"), PHP's & of a reference.
func (g *glue) passed(b []byte, ch char, hi int) int {
	switch {
	case ch.c == '+' && ch.n == 1 && g.pct > 0:
		if next := readChar(b, g.start+1, hi); next.n > 1 && isQuote(next.c) {
			return 1
		}
	case ch.c == '3' && g.sep == '=' && g.start+2 < hi && b[g.start+1] == 'D' && b[g.start-1] == '=' && isQuote(b[g.start+2]):
		return 2
	case ch.c == '&' && ch.n == 1 && call(b, g.start+1, hi) > 0:
		return 1
	}
	return 0
}

// wide returns the length of a quote or a blank beyond ASCII at p (UTF-8), or 0:
// curly quotes, guillemets, blanks that do not break.
func wide(b []byte, p, hi int) (n int, quote bool) {
	if p >= hi || b[p] < 0xc2 {
		return 0, false
	}
	for _, w := range wideQuotes {
		if p+len(w) <= hi && string(b[p:p+len(w)]) == w {
			return len(w), true
		}
	}
	for _, w := range wideBlanks {
		if p+len(w) <= hi && string(b[p:p+len(w)]) == w {
			return len(w), false
		}
	}
	return 0, false
}

var (
	wideQuotes = []string{"\u201c", "\u201d", "\u2018", "\u2019", "\u201e", "\u201a", "\u00ab", "\u00bb", "\u2039", "\u203a"}
	wideBlanks = []string{"\u00a0", "\u202f", "\u2009", "\u2013", "\u2014", "\u2192", "\u21d2"} // and dashes, arrows
)

// maxMemberName bounds the rest of a member's name, and inMemberName is what it is
// made of: it ends at quotes and at what parts members.
const maxMemberName = 256

var inMemberName = setOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~ /:@")

// isMemberName reports whether the quoted value of c is the name of the first member
// of an object: "AccessToken":{"user-1-login":{…}}.
func (s *Scanner) isMemberName(c *candidate) bool {
	if !c.glue.list || c.glue.quote == 0 {
		return false
	}
	p := c.End // a name may hold what the value's alphabet does not: "…-openid profile":{
	for n := min(c.High, c.End+maxMemberName); p < n && inMemberName[s.arena[p]]; p++ {
	}
	end := readChar(s.arena, p, c.High)
	if end.n == 0 || end.c != c.glue.quote {
		return false
	}
	p += end.n
	next := readChar(s.arena, p, c.High)
	if isBlank(next.c) && next.n > 0 {
		next = readChar(s.arena, p+next.n, c.High)
	}
	return next.n > 0 && next.c == ':'
}
