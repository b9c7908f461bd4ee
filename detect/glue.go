package detect

import "bytes"

// glue says how a key meets its value.
type glue struct {
	start int  // the value's first byte
	quote byte // the quote that opens the value, or 0
	slash int  // backslashes before that quote
	pct   int  // percent depth of the separator: delimiters stand at this depth
	sep   byte // '=', ':', '>' (=> or XML), ' ' (prose)
	code  bool // the quote is an entity or \u0022
	// loose says that a blank stands behind = and none before it, so that the
	// value may be empty and what follows another field: code= state=x.
	loose bool
	// bracket is what opens a bracket around the value (<V>), or 0, and outer where
	// it stands.
	bracket byte
	outer   int
	list    bool // a bracket that lists have stands around the value, without quotes
	// strict says that the way from key to value is one that other things are
	// written in as well (lists, sentences, calls): the value must look random.
	strict bool
	// over says that the value stands on a line of its own, below the key's.
	over bool
	// nth is the number of the column that the value stands in, from 1, in a row of
	// a statement that names its columns; 0: none.
	nth int
	// inside says that the value is a member of an object that stands for it.
	inside bool
}

// maxGlue bounds the logical characters between a key and its value.
const maxGlue = 32

// maxIndex bounds the digits of an index.
const maxIndex = 4

// parseGlue reads what stands between a key that ends before p and its value.
// It knows every common way of writing a pair: k=v, k: v, "k": "v" (escaped to
// any depth), k%3Dv, [k] => v, 'k': ['v'], <k>v</k>, and plain prose (k 'v').
func parseGlue(b []byte, p, hi int) (glue, bool) {
	if g, ok := plainGlue(b, p, hi); ok {
		return g, true
	}
	return fullGlue(b, p, hi)
}

// fullGlue is the whole grammar.
func fullGlue(b []byte, p, hi int) (glue, bool) {
	g := glue{start: behindSuffix(b, p, hi)}
	if !(g.start+2 < hi && b[g.start] == '"' && b[g.start+2] == '"') { // a pair, as plainGlue reads it
		g.visibility(b, hi)
	}
	if !g.closeKey(b, hi) {
		return g, g.start > p && g.part(b, min(hi, p+maxApart)) && g.start < hi
	}
	if g.apart(b, p, hi) {
		return g, g.start < hi
	}
	if !g.separator(b, hi) {
		return g, false
	}
	sepEnd := g.start
	g.openValue(b, hi)
	if g.list {
		g.object(b, sepEnd, hi)
	}
	g.loose = g.quote == 0 && sepEnd < g.start && isBlank(b[sepEnd]) && b[sepEnd-1] == '=' && !isBlank(b[sepEnd-2])
	return g, g.start < hi
}

// behindSuffix steps over a word that keys end in as well: tokenValue, token_value.
func behindSuffix(b []byte, p, hi int) int {
	q := p
	if q < hi && (b[q] == '_' || b[q] == '-') {
		q++
	}
	for _, suffix := range suffixes {
		if end := q + len(suffix); end < hi && equalFold(b[q:end], suffix) && !inKey(b[end]) {
			return end
		}
	}
	return p
}

// suffixes are words that keys end in as well: tokenValue, client_secret_key.
var suffixes = []string{"value", "key"}

// visibility steps over what PHP prints of a member behind its name: :protected,
// ":protected, :Class:private, ":"Class":private.
func (g *glue) visibility(b []byte, hi int) {
	const longest = 80
	if g.start >= hi || b[g.start] != '"' && b[g.start] != ':' {
		return
	}
	line := b[g.start:min(hi, g.start+longest)]
	end := bytes.IndexByte(line, ']')
	if end < 0 {
		return
	}
	for _, word := range []string{":protected", ":private"} {
		if bytes.HasSuffix(line[:end], []byte(word)) && bytes.IndexByte(line[:end], ' ') < 0 {
			g.start += end
			return
		}
	}
}

// next reads the character at g.start and steps over it.
func (g *glue) take(ch char) {
	g.start += ch.n
	g.pct = max(g.pct, ch.pct)
}

// closeKey steps over what closes the key: quotes, brackets, blanks.
func (g *glue) closeKey(b []byte, hi int) bool {
	for range maxGlue {
		ch := readChar(b, g.start, hi)
		switch ch.c {
		case '"', '\'', '`', ']', ')', ' ', '\t':
			if ch.n == 0 {
				return false
			}
			if isSpace(ch.c) && ch.code { // an escaped line end closes nothing
				return false
			}
			g.take(ch)
		case 0x1b:
			n := sgr(b, g.start, hi)
			if n == 0 {
				return true
			}
			g.start += n
		case '[', '(', '<':
			if n := sized(b, g.start, hi); n > 0 {
				g.start += n
				continue
			}
			if ch.c != '[' || !g.index(b, ch, hi) {
				return true
			}
		default:
			if n, _ := wide(b, g.start, hi); n > 0 {
				g.start += n
				continue
			}
			return ch.n > 0
		}
	}
	return false
}

// index steps over the index of a key that stands for a list: token[]=V,
// code_verifier[0]=V. False when a list of values opens there.
func (g *glue) index(b []byte, open char, hi int) bool {
	at := *g
	at.take(open)
	for range maxIndex {
		ch := readChar(b, at.start, hi)
		if ch.n == 0 || ch.c != ']' && !isDigit(ch.c) {
			return false
		}
		at.take(ch)
		if ch.c == ']' {
			*g = at
			return true
		}
	}
	return false
}

// separator steps over =, :, =>, :=, ->, > or nothing but blanks (prose).
func (g *glue) separator(b []byte, hi int) bool {
	if p := g.start; p+1 < hi && b[p] == '\\' && (b[p+1] == '=' || b[p+1] == ':') { // CEF and properties escape them
		g.start, g.sep = p+2, b[p+1]
		return true
	}
	ch := readChar(b, g.start, hi)
	next := readChar(b, g.start+ch.n, hi)
	switch {
	case ch.c == '=' && next.c == '>', ch.c == '-' && next.c == '>', ch.c == ':' && next.c == '=':
		g.take(ch)
		g.take(next)
		g.sep = '='
	case (ch.c == '=' || ch.c == '!') && next.c == '=': // a comparison
		g.take(ch)
		g.take(next)
		if ch = readChar(b, g.start, hi); ch.c == '=' && ch.n > 0 {
			g.take(ch)
		}
		g.sep, g.strict = '=', true
	case ch.c == ':' && next.c == ':':
		return false
	case (ch.c == '+' || ch.c == '?' || ch.c == '|' || ch.c == '.') && next.c == '=', ch.c == '<' && next.c == '-':
		g.take(ch)
		g.take(next)
		g.sep, g.strict = '=', true
	case ch.c == '|' || ch.c == ';': // columns
		g.take(ch)
		g.sep, g.strict = ch.c, true
	case (ch.c == '-' || ch.c == '.') && next.c == ' ' && isBlank(b[g.start-1]):
		g.take(ch)
		g.sep, g.strict = ' ', true
	case ch.c == '=' || ch.c == ':' || ch.c == '>':
		g.take(ch)
		g.sep = ch.c
	case g.tableCell(b, hi), g.inList(b, hi):
	default:
		// Prose: the key was followed by blanks alone, which are consumed.
		if before := b[g.start-1]; !isBlank(before) && before != '"' && before != '\'' && before != '`' && before < 0x80 && !behindSGR(b, g.start, 0) {
			return false
		}
		g.sep = ' '
		if rest := b[g.start:hi]; len(rest) > 3 && string(rest[:3]) == "to " && b[g.start-2] == ')' { // (password) to V
			g.start, g.strict = g.start+3, true
		}
	}
	return true
}

// openValue steps over blanks, line ends and what opens the value.
func (g *glue) openValue(b []byte, hi int) {
	quoted := false
	for range maxGlue {
		ch := readChar(b, g.start, hi)
		if ch.n == 0 {
			return
		}
		switch {
		case ch.c == 0x1b:
			n := sgr(b, g.start, hi)
			if n == 0 {
				return
			}
			g.start += n
		case ch.c == '(' && g.quote == 0 && typed(b, g.start, hi) > 0:
			g.start += typed(b, g.start, hi)
		case isSpace(ch.c), ch.c == '[' && !isWrapper(b[g.start:hi]), ch.c == '(', ch.c == '{' && ch.pct == 0:
			if g.quote != 0 || g.sep == '=' && ch.c == ' ' && ch.code {
				return
			}
			if n := encoder(b, g.start, hi); n > 0 {
				g.start += n
				return
			}
			g.take(ch)
			g.list = g.list || !isSpace(ch.c)
		case ch.c == '"' || ch.c == '\'' || ch.c == '`':
			if g.quote != 0 {
				if quoted || ch.c == g.quote && ch.slash <= g.slash {
					return
				}
				quoted = true // quotes in quotes: "\"V\"", '"V"'
			}
			g.take(ch)
			g.quote, g.slash, g.code = ch.c, ch.slash, ch.code
		default:
			n, quote := 0, false
			if g.quote == 0 {
				n, quote = wide(b, g.start, hi)
			}
			if n == 0 && g.quote == 0 {
				n = g.passed(b, ch, hi)
			}
			if n > 0 {
				g.start += n
				g.list = g.list || quote
				continue
			}
			if g.quote == 0 {
				n = max(wrapper(b[g.start:hi]), g.block(b, hi))
			}
			if n == 0 && g.quote == 0 {
				n = call(b, g.start, hi)
				g.strict = g.strict || n > 0 && !constructors[string(b[g.start:run(b, g.start, g.start+n, inIdentifier)])]
			}
			if n == 0 {
				return
			}
			g.start += n
			g.list = true
		}
	}
}

// block returns the length of YAML's tag for text (!!str), and of what opens its text
// over lines, before its line end: >- and |.
func (g *glue) block(b []byte, hi int) int {
	p := g.start
	if n := yamlMark(b, p, hi); n > 0 && g.sep == ':' {
		return n
	}
	if g.sep != ':' || p >= hi || b[p] != '>' && b[p] != '|' {
		return 0
	}
	if p++; p < hi && (b[p] == '-' || b[p] == '+') {
		p++
	}
	if ch := readChar(b, p, hi); ch.n == 0 || ch.c != '\n' && ch.c != '\r' && !(ch.c == ' ' && ch.code) {
		return 0
	}
	return p - g.start
}

// yamlMark returns the length of a tag for text or of an anchor, and the blank behind it.
func yamlMark(b []byte, p, hi int) int {
	for _, tag := range []string{"!!str ", "!!binary ", "!ruby/string "} {
		if p+len(tag) < hi && b[p] == '!' && string(b[p:p+len(tag)]) == tag {
			return len(tag)
		}
	}
	if p < hi && b[p] == '&' {
		if end := run(b, p+1, min(hi, p+maxEncoder), inEncoder); end > p+1 && end+1 < hi && b[end] == ' ' {
			return end + 1 - p
		}
	}
	return 0
}

// wrappers are what languages print around a value.
var wrappers = []string{"Some(", "Optional[", "Just ", "List(", "<![CDATA[", "<<\"", "[]string{", "b'", `b"`, "u'", `u"`}

func isWrapper(b []byte) bool { return wrapper(b) > 0 }

// opensWrapper are the bytes that wrappers begin with.
var opensWrapper = firstOf(wrappers)

// firstOf are the first bytes of words, in either case.
func firstOf(words []string) *set {
	out := &set{}
	for _, word := range words {
		out[word[0]] = true
		if c := word[0]; isLetter(c) {
			out[c^0x20] = true
		}
	}
	return out
}

func wrapper(b []byte) int {
	if len(b) == 0 || !opensWrapper[b[0]] {
		return 0
	}
	for _, w := range wrappers {
		if len(b) >= len(w) && string(b[:len(w)]) == w {
			if last := w[len(w)-1]; last == '\'' || last == '"' {
				return len(w) - 1 // the quote itself is read next
			}
			return len(w)
		}
	}
	return 0
}

// inEncoder is what the names of encoders are made of. No mask is: it has dots.
var inEncoder = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@")

const maxEncoder = 32

// encoder returns the length of a word in braces at p that says how the secret
// behind it is written, as Spring stores them ({noop}…, {bcrypt}$2a$…), or 0.
func encoder(b []byte, p, hi int) int {
	if b[p] != '{' {
		return 0
	}
	end := run(b, p+1, min(hi, p+maxEncoder), inEncoder)
	if end-p < 3 || end+1 >= hi || b[end] != '}' || !isAlnum(b[end+1]) && !indexByte("$-_./+~", b[end+1]) {
		return 0
	}
	return end + 1 - p
}
