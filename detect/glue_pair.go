package detect

import "bytes"

// Pairs whose halves stand apart: {"name":"code","value":"V"}, ["code","V"],
// <key>code</key><string>V</string>, name="code" and a blank line. The key is then a
// value itself, of which the value is the next.

// maxApart bounds the bytes between a key and a value that stands apart.
const maxApart = 160

// valueNames are what the second half of a pair is called, in lower case.
var valueNames = map[string]bool{
	"value": true, "val": true, "v": true, "payload": true, "content": true, "data": true, "text": true, "string": true,
	"stringvalue": true, "string_value": true, "values": true, "rawvalue": true, "bytesvalue": true, "current": true, "defaultvalue": true,
}

// apart steps to a value that stands apart from a key which ends at p and is closed
// before g.start. False, with g as it was, when none does.
func (g *glue) apart(b []byte, p, hi int) bool {
	segment := hi
	hi = min(hi, p+maxApart+maxGlue)
	at := *g
	ch := readChar(b, at.start, hi)
	closed := at.start > p // by quotes, brackets or blanks
	switch {
	case ch.n == 0:
		return false
	case ch.c == '<' && !closed && at.nextElement(b, hi):
	case ch.c == '>' && closed && at.binary(b, hi):
	case ch.c == ',':
		if at.column(b, p, segment) {
			break
		}
		at.take(ch)
		if members := at; members.toMember(b, hi) {
			at = members
			at.inside = true
		} else {
			comma := at.start
			at.skipBlanks(b, hi)
			if !at.opens(b, hi, closed || at.start == comma) {
				return false
			}
			at.sep, at.strict = ',', true
		}
	case closed && bytes.IndexByte(b[p:at.start], ')') >= 0 && at.column(b, p, segment):
	case (ch.c == '{' || ch.c == '(' || ch.c == '[') && at.member(b, ch, hi):
	case (ch.c == ';' && closed || ch.c == '|') && at.serialized(b, hi):
	case closed && isLetter(ch.c) && at.named(b, hi):
	case isLetter(ch.c) && at.attributes(b, p, hi):
	case closed && at.part(b, hi):
	case isLetter(ch.c) || ch.c == '(':
		if !isBlank(b[at.start-1]) || !at.sentence(b, hi) {
			return false
		}
	default:
		return false
	}
	at.openValue(b, hi)
	if at.start >= hi {
		return false
	}
	*g = at
	return true
}

// member steps over the bracket and the name of an object's only or first member:
// AccessToken { value: "V" }, AccessToken(V).
func (g *glue) member(b []byte, open char, hi int) bool {
	bare := g.start > 0 && isAlnum(b[g.start-1])
	at := *g
	at.take(open)
	inner := at
	switch {
	case inner.named(b, hi):
		at = inner
	case bare && open.c == '(' && at.start < hi && isAlnum(b[at.start]):
		at.sep = ','
	case bare && open.c == '[' && open.n == 1 && at.start < hi && (isAlnum(b[at.start]) || indexByte("-_~", b[at.start])):
		at.sep = '['
	default:
		return false
	}
	*g = at
	g.strict = true
	return true
}

// opens reports whether the second half of a list's pair begins: in quotes, or
// bare where quoted is false.
func (g *glue) opens(b []byte, hi int, quoted bool) bool {
	ch := readChar(b, g.start, hi)
	if ch.n == 0 {
		return false
	}
	if c := ch.c; c == '"' || c == '\'' || c == '<' || c == 'b' {
		return true
	}
	return !quoted && isAlnum(ch.c)
}

func (g *glue) skipBlanks(b []byte, hi int) {
	for range maxGlue {
		ch := readChar(b, g.start, hi)
		if ch.n == 0 || !isSpace(ch.c) {
			return
		}
		g.take(ch)
	}
}

// named steps over the name of a pair's second half and its separator:
// "value": , value= , "value" => , and over a name within it ({"stringValue": ).
func (g *glue) named(b []byte, hi int) bool {
	at := *g
	for range 2 {
		if !at.valueName(b, hi) {
			break
		}
		*g = at
		at.skipBlanks(b, hi)
		if ch := readChar(b, at.start, hi); ch.c != '{' || ch.n == 0 {
			return true
		}
		at.start++
	}
	return g.sep != 0
}

func (g *glue) valueName(b []byte, hi int) bool {
	g.skipBlanks(b, hi)
	ch := readChar(b, g.start, hi)
	if ch.n > 0 && (ch.c == '"' || ch.c == '\'' || ch.c == ':') {
		g.take(ch)
	}
	start := g.start
	g.start = run(b, start, min(hi, start+maxWord), inMember)
	var buf [maxWord]byte
	if word := lowerWord(&buf, b[start:g.start]); !valueNames[string(word)] && !(g.inside && memberNames[string(word)]) {
		return false
	}
	for range maxGlue {
		ch := readChar(b, g.start, hi)
		switch {
		case ch.n == 0:
			return false
		case ch.c == '"' || ch.c == '\'' || isSpace(ch.c):
			g.take(ch)
		case ch.c == '=' || ch.c == ':':
			g.take(ch)
			g.sep = ch.c
			if next := readChar(b, g.start, hi); ch.c == '=' && next.c == '>' {
				g.take(next)
			}
			return true
		default:
			return false
		}
	}
	return false
}

// nextElement steps from the text of an element into the next one:
// code</key><string>V.
func (g *glue) nextElement(b []byte, hi int) bool {
	if !g.tag(b, hi, '/') {
		return false
	}
	g.skipBlanks(b, hi)
	if !g.tag(b, hi, 0) {
		return false
	}
	g.sep = '>'
	return true
}

// tag steps over a tag. first is the byte that it begins with, or 0 for a letter.
func (g *glue) tag(b []byte, hi int, first byte) bool {
	ch := readChar(b, g.start, hi)
	if ch.n == 0 || ch.c != '<' {
		return false
	}
	g.take(ch)
	if ch = readChar(b, g.start, hi); ch.n == 0 || first != 0 && ch.c != first || first == 0 && !isLetter(ch.c) {
		return false
	}
	g.take(ch)
	return g.tagEnd(b, hi)
}

// tagEnd steps over the rest of a tag.
func (g *glue) tagEnd(b []byte, hi int) bool {
	for g.start < hi {
		ch := readChar(b, g.start, hi)
		if ch.c == '<' || ch.c == '&' || ch.c == '/' && ch.pct == 0 {
			return false
		}
		g.take(ch)
		if ch.c == '>' {
			return true
		}
	}
	return false
}

// elementStart returns where the name of an element that ends before p begins.
func elementStart(b []byte, p, lo int) int {
	start := p
	for start > lo && p-start < 2*maxMarked && (inKey(b[start-1]) || b[start-1] == ':' || b[start-1] == '.') {
		start--
	}
	return start
}

// closesElement reports whether the key that begins at p stands in the tag that
// closes an element: </code>.
func closesElement(b []byte, p, lo int) bool {
	p = elementStart(b, p, lo)
	if p == lo {
		return false
	}
	return b[p-1] == '/' || b[p-1] != ':' && readChar(b, p-1, len(b)).c == '/'
}

// attributes steps over the attributes of an element whose name is the key:
// <code type="s">V.
func (g *glue) attributes(b []byte, p, hi int) bool {
	lo := elementStart(b, p, 0)
	if lo == 0 || b[lo-1] != '<' && (lo < 4 || string(b[lo-4:lo]) != "&lt;") || !isBlank(b[g.start-1]) {
		return false
	}
	g.sep = '>'
	return g.tagEnd(b, hi)
}

// binary steps from one of Erlang's binaries to the next:
// <<"code">>,<<"V">> and <<"code">> => <<"V">>.
func (g *glue) binary(b []byte, hi int) bool {
	if b[g.start-1] != '"' || g.start+2 >= hi || b[g.start] != '>' || b[g.start+1] != '>' {
		return false
	}
	g.start += 2
	g.skipBlanks(b, hi)
	switch ch := readChar(b, g.start, hi); {
	case ch.n == 0:
		return false
	case ch.c == ',':
		g.take(ch)
		g.sep, g.strict = ',', true
	case ch.c == '=' && g.start+1 < hi && (b[g.start+1] == '>'):
		g.start += 2
		g.sep = '='
	case ch.c == ':' && g.start+1 < hi && b[g.start+1] == '=':
		g.start += 2
		g.sep = '='
	default:
		return false
	}
	return true
}

// serialized steps over what PHP writes between two strings: "code";s:43:"V".
func (g *glue) serialized(b []byte, hi int) bool {
	p := g.start
	if p+4 >= hi || b[p+1] != 's' || b[p+2] != ':' {
		return false
	}
	q := run(b, p+3, min(hi, p+3+maxIndex+2), digits)
	if q == p+3 || q >= hi || b[q] != ':' {
		return false
	}
	g.start, g.sep = q+1, ':'
	return true
}

// part steps from the name of a part of a form to its content, which a blank line
// parts from it: name="code"\r\n\r\nV, in dumps as well.
func (g *glue) part(b []byte, hi int) bool {
	if !isPartName(b, g.start) {
		return false
	}
	ends := 0
	for g.start < hi {
		n, dumped := dumpedEnd(b, g.start, hi)
		switch {
		case n > 0:
			g.start += n
			if ends++; ends == 2 {
				g.sep = ':'
				return true
			}
		case dumped > 0: // the quote and the mark that begin a line of a dump
			g.start += dumped
		case isLetter(b[g.start]) || b[g.start] == ';': // another header of the part
			for ends = 0; g.start < hi; g.start++ {
				if n, _ := dumpedEnd(b, g.start, hi); n > 0 {
					break
				}
			}
		default:
			return false
		}
	}
	return false
}

// isPartName reports whether the quoted word that ends before p follows name=.
func isPartName(b []byte, p int) bool {
	lo := max(0, p-2*maxMarked)
	for q := p - 1; q >= lo+5; q-- {
		if b[q] == '=' {
			return equalFold(b[q-4:q], "name")
		}
	}
	return false
}

// lineEnds are line ends as they are, as text, and as dumps write them.
var lineEnds = []string{"\r\n", "\n", `\r\n`, `\n`, `\\r\\n`, `[\r][\n]`, "%0D%0A", "%0d%0a"}

// dumpedEnd returns the length of the line end at p, as it is, as text (\r\n) or as
// dumps write it ([\r][\n]), and otherwise that of what begins a dump's line.
func dumpedEnd(b []byte, p, hi int) (n, dumped int) {
	switch b[p] {
	case '\r', '\n', '\\', '[', '%':
		for _, end := range lineEnds {
			if p+len(end) <= hi && string(b[p:p+len(end)]) == end {
				return len(end), 0
			}
		}
	case '"', '\'', ' ', '\t':
		return 0, 1
	case '<', '>':
		return 0, 1
	}
	return 0, 0
}

// maxCall bounds the name of what is called around a value.
const maxCall = 24

// constructors are what languages and libraries put around any value or a secret;
// what others are called with is a value only when it looks random.
var constructors = map[string]bool{
	"Some": true, "Optional": true, "Ok": true, "Just": true, "Right": true, "Success": true, "List": true, "Set": true, "Vector": true,
	"string": true, "Secret": true, "SecretStr": true, "SecretString": true, "SecretBytes": true, "String": true, "Text": true,
}

// call returns the length of a constructor's name and its bracket when a quoted
// value stands behind it: SecretStr("V"), Ok('V'), string(43) "V".
func call(b []byte, p, hi int) int {
	if p >= hi || !isUpper(b[p]) && b[p] != 's' {
		return 0
	}
	end := run(b, p, min(hi, p+maxCall), inIdentifier)
	if end == p || end+1 >= hi {
		return 0
	}
	if b[end] == ' ' && (b[end+1] == '\'' || b[end+1] == '"') && string(b[p:end]) == "string" { // Xdebug: string 'V'
		return end + 1 - p
	}
	open := readChar(b, end, hi)
	if open.c != '(' {
		return 0
	}
	after := end + open.n
	if string(b[p:end]) == "string" { // PHP tells the length
		if q := run(b, after, min(hi, after+maxIndex+2), digits); q+1 < hi && b[q] == ')' && b[q+1] == ' ' {
			return q + 2 - p
		}
	}
	if ch := readChar(b, after, hi); ch.n > 0 && isUpper(b[p]) && (ch.c == '"' || ch.c == '\'') {
		return after - p
	}
	return 0
}

func isLetter(c byte) bool { return isLower(c) || isUpper(c) }
