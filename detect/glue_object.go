package detect

// Values that stand in an object of their own: "access_token":{"value":"V"},
// {"S":"V"}, [{"type":"string","value":"V"}]; and pairs whose value stands before the
// name: {"value":"V","name":"code"}, <input value="V" name="code">.

const (
	// maxMembers bounds the members between a key and the one that holds its value.
	maxMembers = 4
	// maxBack bounds how far before its name a value may begin.
	maxBack = 8 << 10
)

// memberNames are what objects that hold nothing but a value call it, beside
// valueNames: DynamoDB's types, the text of XML elements in JSON.
var memberNames = map[string]bool{
	"s": true, "raw": true, "#text": true, "_text": true, "$t": true, "$": true, "_": true, "plaintext": true,
}

// nameNames are what the first half of a pair of name and value is called.
var nameNames = map[string]bool{
	"name": true, "key": true, "id": true, "field": true, "param": true, "parameter": true, "label": true, "k": true, "n": true,
	"attribute": true, "header": true, "headername": true, "fieldname": true, "property": true,
}

// inMember is what names of members are made of.
var inMember = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@#$")

// object steps into an object that opens where the value would, behind a separator
// that ends at from, to the member that is the value. g stays when there is none.
func (g *glue) object(b []byte, from, hi int) {
	hi = min(hi, from+maxApart+maxGlue)
	at := glue{start: from, pct: g.pct, inside: true}
	opened := false
	for range maxGlue {
		ch := readChar(b, at.start, hi)
		if ch.n == 0 || !isSpace(ch.c) && ch.c != '[' && ch.c != '{' && ch.c != '(' {
			break
		}
		opened = opened || ch.c == '{'
		at.take(ch)
	}
	if !opened || !at.toMember(b, hi) {
		return
	}
	at.openValue(b, hi)
	if at.start < hi {
		at.list = true
		*g = at
	}
}

// toMember steps to the value of the member that is called as values are, over those
// before it.
func (g *glue) toMember(b []byte, hi int) bool {
	for range maxMembers {
		if g.named(b, hi) {
			return true
		}
		if !g.skipMember(b, hi) {
			return false
		}
	}
	return false
}

// skipMember steps over "name":"value", or name: value, where the value is short and
// plain. False when something else stands there.
func (g *glue) skipMember(b []byte, hi int) bool {
	at := *g
	at.skipBlanks(b, hi)
	if ch := readChar(b, at.start, hi); ch.n > 0 && isQuote(ch.c) {
		at.take(ch)
	}
	name := at.start
	if at.start = run(b, name, min(hi, name+maxWord), inMember); at.start == name {
		return false
	}
	if ch := readChar(b, at.start, hi); ch.n > 0 && isQuote(ch.c) {
		at.take(ch)
	}
	at.skipBlanks(b, hi)
	if ch := readChar(b, at.start, hi); ch.n == 0 || ch.c != ':' && ch.c != '=' {
		return false
	} else {
		at.take(ch)
	}
	at.skipBlanks(b, hi)
	open := readChar(b, at.start, hi)
	if open.n > 0 && isQuote(open.c) {
		at.take(open)
	} else {
		open = char{}
	}
	for at.start < hi {
		ch := readChar(b, at.start, hi)
		switch {
		case ch.n == 0, ch.c == '{', ch.c == '}', ch.c == '[', ch.c == ']', ch.c == '<', ch.c == '>':
			return false
		case open.n > 0 && ch.c == open.c && ch.slash == open.slash:
			at.take(ch)
			return at.comma(b, hi, g)
		case open.n == 0 && (ch.c == ',' || isBlank(ch.c)):
			return at.comma(b, hi, g)
		}
		at.take(ch)
	}
	return false
}

// comma steps over what parts members, and moves g there.
func (g *glue) comma(b []byte, hi int, to *glue) bool {
	start := g.start
	g.skipBlanks(b, hi)
	if ch := readChar(b, g.start, hi); ch.n > 0 && ch.c == ',' {
		g.take(ch)
	} else if g.start == start {
		return false
	}
	*to = *g
	return true
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

// isNamed reports whether the key that begins at p is the value of a member called
// name: "name":"code", name='code'. It returns where that member begins.
func isNamed(b []byte, p, lo int) (start int, ok bool) {
	quote := p
	if p = backQuote(b, p, lo); p == quote {
		return 0, false
	}
	sep := p
	for p > lo && isBlank(b[p-1]) {
		p--
	}
	if p > lo && b[p-1] == '>' { // =>
		p--
	}
	if p == lo || b[p-1] != ':' && b[p-1] != '=' || sep-p > 2 {
		return 0, false
	}
	return memberBefore(b, p-1, lo, nameNames)
}

// memberBefore reports whether the name of a member that ends before its separator
// at p is one of names, and where it begins.
func memberBefore(b []byte, p, lo int, names map[string]bool) (start int, ok bool) {
	for p > lo && isBlank(b[p-1]) {
		p--
	}
	p = backQuote(b, p, lo)
	end := p
	for p > lo && end-p < maxWord && inMember[b[p-1]] {
		p--
	}
	var buf [maxWord]byte
	if p == end || !names[string(lowerWord(&buf, b[p:end]))] {
		return p, false
	}
	return backQuote(b, p, lo), true
}

// backQuote steps back over a quote and the backslashes before it.
func backQuote(b []byte, p, lo int) int {
	if p == lo || !isQuote(b[p-1]) {
		return p
	}
	for p--; p > lo && b[p-1] == '\\'; {
		p--
	}
	return p
}

// valueBefore returns the value of the pair whose name begins at key, when it stands
// before that: the glue that opens it and where it ends.
func valueBefore(b []byte, key, lo int) (g glue, end int, ok bool) {
	lo = max(lo, key-maxBack)
	p, ok := isNamed(b, key, lo)
	if !ok {
		return g, 0, false
	}
	for range maxMembers {
		before := p
		for p > lo && (isBlank(b[p-1]) || b[p-1] == ',') {
			p--
		}
		if p == before || p == lo || !isQuote(b[p-1]) {
			return g, 0, false
		}
		quote, last := b[p-1], p-1
		end = backQuote(b, p, lo)
		slash := last - end
		open := openedBefore(b, end, lo, quote, slash)
		if open < 0 {
			return g, 0, false
		}
		name := open - slash
		for name > lo && isBlank(b[name-1]) {
			name--
		}
		if name == lo || b[name-1] != ':' && b[name-1] != '=' {
			return g, 0, false
		}
		sep := b[name-1]
		if p, ok = memberBefore(b, name-1, lo, valueNames); ok {
			return glue{start: open + 1, quote: quote, slash: slash, sep: sep, inside: true}, end, true
		}
		if p = backQuote(b, p, lo); p == lo {
			return g, 0, false
		}
	}
	return g, 0, false
}

// openedBefore returns where the quote stands that opens what one with as many
// backslashes before it closes at end, or -1.
func openedBefore(b []byte, end, lo int, quote byte, slash int) int {
	for p := end - 1; p >= lo; p-- {
		if b[p] != quote {
			continue
		}
		n := 0
		for p-1-n >= lo && b[p-1-n] == '\\' {
			n++
		}
		if n == slash {
			return p
		}
		if n < slash {
			return -1
		}
		p -= n
	}
	return -1
}
