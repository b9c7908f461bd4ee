package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/rules"
)

// A jar is text that holds cookies: a Cookie or Set-Cookie header, a map of names
// and values, a list of either. Inside it a short name (sid, auth) says what its
// value is, elsewhere it does not: so the engine looks for the word cookie alone,
// and the pairs are walked here.

const (
	// maxJar bounds how many bytes of a jar are walked; browsers send up to 8 KiB.
	maxJar = 16 << 10
	// maxExpires bounds the date of an Expires attribute, which holds a comma.
	maxExpires = 40
)

// jarTrigger spells a key whose value is cookies.
func jarTrigger(r *rules.Rule, key string) *Trigger {
	t := &Trigger{Rule: r, Key: key, word: key, form: formJar, rest: 1, caseless: true}
	t.elems = append(literalElems(key, true), elem{set: glueByte.with("[."), n: 1})
	return t
}

// curlJarTrigger spells curl's option for cookies, -b, and what begins its value.
func curlJarTrigger(r *rules.Rule) *Trigger {
	t := &Trigger{Rule: r, Key: curlJar, word: curlJar, form: formJar, rest: 2}
	t.elems = append(literalElems(" "+curlJar+" ", false), elem{set: inName.with("\"'\\"), n: 1})
	return t
}

const curlJar = "-b"

// jar is how far the cookies of one key are walked.
type jar struct {
	b     []byte
	p, hi int
	depth int  // brackets that are open
	quote char // that opened the list, or none
	prose bool // nothing but blanks stand behind the key: a sentence, unless a pair follows
	atom  bool // the key is one of Elixir's or Erlang's: {cookie, "sid=V"}
	name  bool // the value of "name" was a name that logs in: "value" is next
}

// openJar finds the cookies behind a key that ends before end.
func (s *Scanner) openJar(c *candidate, end int) {
	key := matchBack(s.arena, end, c.trigger.word)
	if key < 0 || !boundary(s.arena, key, c.RecordLow) || c.trigger.word == curlJar && !isOptionOfCurl(s.arena[max(c.Low, key-reach):key]) {
		return
	}
	j := jar{b: s.arena, p: end, hi: min(c.High, end+maxJar), atom: key > c.Low && indexByte(":{", s.arena[key-1])}
	if end < c.High && s.arena[end] == '.' {
		s.cookieMember(c, end+1)
		return
	}
	if c.Segment >= 0 && end < c.Low {
		j.p, j.hi = c.Low, min(c.High, c.Low+maxJar) // a framed key: the field is the jar
	} else if before, last, ok := valueBefore(s.arena, elementStart(s.arena, key, c.Low), c.Low); ok { // {"value":"sid=V","name":"Cookie"}
		j.p, j.hi, j.quote = before.start, last, char{c: before.quote, n: 1, slash: before.slash}
	} else if end < s.jarEnd {
		return
	} else if !j.open() {
		j.p = c.High
		if c.Segment >= 0 || c.High-end > 3 || !s.isFolded(c.High, c.High) {
			return
		}
	}
	if s.printedCookie(c, j) {
		return
	}
	for s.nextCookie(c, &j) {
	}
	s.jarEnd = max(s.jarEnd, j.p)
	if c.Segment < 0 && j.quote.n == 0 && s.isFolded(j.p, c.High) {
		s.await(c, awaited{trigger: c.trigger, what: awaitsCookies}, c.High)
	}
}

// cookieMember finds the cookie whose name begins at p, behind the word and a full stop:
// request.cookie.session=V.
func (s *Scanner) cookieMember(c *candidate, p int) {
	end := run(s.arena, p, min(c.High, p+maxName), inName)
	if !logsIn(s.arena[p:end]) {
		return
	}
	if g, ok := parseGlue(s.arena, end, c.High); ok && !g.strict && (g.sep == '=' || g.sep == ':') {
		s.cookie(c, p, g)
	}
}

// isFolded reports whether a header of cookies may go on in the next line: it ends
// behind its colon, or a semicolon.
func (s *Scanner) isFolded(p, hi int) bool {
	if !s.cursor.batch.lines || hi-p > 2 || !allIn(s.arena[p:hi], setFolded) {
		return false
	}
	for p = hi; p > 0 && isBlank(s.arena[p-1]); {
		p--
	}
	return p > 0 && (s.arena[p-1] == ';' || s.arena[p-1] == ':')
}

var setFolded = setOf("; \t")

// foldedCookies finds the cookies of a folded line, and reports whether one more may
// follow.
func (s *Scanner) foldedCookies(c *candidate) bool {
	j := jar{b: s.arena, p: c.Low, hi: min(c.High, c.Low+maxJar), prose: true}
	if j.p == j.hi || !isBlank(j.b[j.p]) {
		return false
	}
	for s.nextCookie(c, &j) {
	}
	return s.isFolded(j.p, c.High)
}

// printedCookie finds the cookie in what wget prints of one when it stores it:
// cookie host port path <session> <insecure> [expiry none] name V.
func (s *Scanner) printedCookie(c *candidate, j jar) bool {
	const expiry, longest = "> [expiry ", 512
	if !j.prose {
		return false
	}
	line := j.b[j.p:min(j.hi, j.p+longest)]
	at := bytes.Index(line, []byte(expiry))
	if at < 0 {
		return false
	}
	end := bytes.Index(line[at:], []byte("] "))
	if end < 0 {
		return false
	}
	key := j.p + at + end + 2
	blank := run(j.b, key, j.hi, inName)
	if blank < j.hi && j.b[blank] == ' ' && logsIn(j.b[key:blank]) {
		s.cookie(c, key, glue{start: blank + 1, sep: ' '})
	}
	return true
}

// open steps over what stands between the key and the first cookie.
func (j *jar) open() bool {
	closed, sep, shut := false, false, false
	j.prose = true
	for range maxGlue {
		ch := readChar(j.b, j.p, j.hi)
		switch {
		case ch.n == 0:
			return false
		case ch.c == 0x1b:
			n := sgr(j.b, j.p, j.hi)
			if n == 0 {
				return false
			}
			j.p += n
			continue
		case ch.c == '"' || ch.c == '\'' || ch.c == '`':
			if sep && j.quote.c == ch.c {
				return false // no cookies: "cookie":"", what follows is the next member
			}
			if sep {
				j.quote = ch
			}
			shut = shut || !sep
			closed = true
		case ch.c == ',' && (closed || j.atom), ch.c == '=', ch.c == ':', ch.c == '>', isBlank(ch.c) && !ch.code:
			sep = true
			j.prose = j.prose && isBlank(ch.c)
		case ch.c == '[' || ch.c == '{' || ch.c == '(':
			j.depth++
			sep, j.prose = true, false
		case ch.c == ']' || ch.c == ')':
			if j.depth > 0 {
				return false // no cookies: []
			}
		case sep && (ch.c == 'b' || ch.c == 'u') && j.p+1 < j.hi && (j.b[j.p+1] == '\'' || j.b[j.p+1] == '"'):
			// Python's b'…': the quote is read next.
		default:
			return sep && !(shut && j.prose) && j.word() // the quote ends a sentence that ends in the word
		}
		j.p += ch.n
	}
	return false
}

// word steps over a word that belongs to the glue: the second half of a pair of
// name and value, Go's map, what a client or a container says that it did.
func (j *jar) word() bool {
	end := run(j.b, j.p, j.hi, inName)
	const parsing = "Parsing b[]: "
	switch w := j.b[j.p:end]; {
	case len(w) > 0 && bytes.HasPrefix(j.b[j.p:j.hi], []byte(parsing)): // Tomcat: Cookies: Parsing b[]: sid=V
		j.p += len(parsing)
	case (string(w) == "accepted" || string(w) == "rejected") && end+1 < j.hi && string(j.b[end:end+2]) == " [": // Apache HttpClient: Cookie accepted [sid="V", path:/
		j.p = end
		return j.open()
	case equalFold(w, "value"), string(w) == "map", end > j.p && end+1 < j.hi && j.b[end] == '(' && indexByte("[{('\"", j.b[end+1]): // ImmutableMultiDict([(
		j.p = end
		j.quote = char{}
		return j.open()
	}
	return true
}

// nextCookie steps over the next pair. False at the end of the jar.
func (s *Scanner) nextCookie(c *candidate, j *jar) bool {
	if !j.toName() {
		return false
	}
	end := run(j.b, j.p, j.hi, inName)
	name := j.b[j.p:end]
	g, ok := parseGlue(j.b, end, j.hi)
	ok = ok && (!g.strict || g.sep == ',') // no sentence
	if equalFold(name, "cookie") || equalFold(name, "set-cookie") || equalFold(name, "set_cookie") || equalFold(name, "cookies") {
		return false // the next header, a jar of its own
	}
	pair := g.sep == ',' && g.quote != 0 && j.depth > 1 // [('sid', 'V')]
	if !ok || g.sep != '=' && g.sep != ':' && !pair || len(name) > maxName {
		if end-j.p > maxName {
			return false
		}
		j.p = end // an attribute: HttpOnly
		return !j.prose && j.endsWord()
	}
	if j.prose && g.sep != '=' && !logsIn(name) {
		return false // Cookie jar: <…
	}
	key := j.p
	j.p = g.start
	if j.name && equalFold(name, "value") || logsIn(name) {
		j.name = false
		if end := s.cookie(c, key, g); end > j.p {
			j.p = end
		}
		return j.skip(g)
	}
	if equalFold(name, "name") || equalFold(name, "key") {
		j.name = logsIn(j.b[j.p:run(j.b, j.p, j.hi, inName)])
	}
	if equalFold(name, "expires") {
		commas := 0 // the date has one
		for n := min(j.hi, j.p+maxExpires); j.p < n && commas < 2 && j.b[j.p] != ';' && j.b[j.p] != '"' && j.b[j.p] != '\''; j.p++ {
			if j.b[j.p] == ',' {
				commas++
			}
		}
		return true
	}
	return j.skip(g)
}

// cookie checks a value, and returns where it ends, or 0.
func (s *Scanner) cookie(c *candidate, key int, g glue) int {
	at := *c
	at.KeyStart, at.glue, at.Start = key, g, g.start
	if !s.bound(&at) {
		return 0
	}
	if s.check(&at) {
		s.candidates = append(s.candidates, at)
	}
	return at.End
}

// toName steps over what parts cookies.
func (j *jar) toName() bool {
	for j.p < j.hi {
		ch := readChar(j.b, j.p, j.hi)
		switch {
		case inName[ch.c]:
			return ch.n == 1
		case ch.c == '\n' && j.depth == 0:
			return false
		case ch.c == '"' || ch.c == '\'' || ch.c == '`':
			if j.ends(ch) {
				return false
			}
		case ch.c == '[' || ch.c == '{' || ch.c == '(':
			j.depth++
		case ch.c == ']' || ch.c == '}' || ch.c == ')':
			if j.depth--; j.depth <= 0 && !(ch.c == ']' && j.p+1 < j.hi && j.b[j.p+1] == '[') { // [name: sid][value: V]
				return false
			}
		}
		j.p += ch.n
	}
	return false
}

// ends reports whether a quote closes the list that another opened.
func (j *jar) ends(ch char) bool {
	return j.depth == 0 && (j.quote.n == 0 || ch.c == j.quote.c && ch.slash <= j.quote.slash)
}

// skip steps over the rest of a value, and to what parts it from the next pair.
func (j *jar) skip(g glue) bool {
	for j.p < j.hi {
		ch := readChar(j.b, j.p, j.hi)
		switch ch.c {
		case ';', ',', '&':
			if ch.c != '&' || ch.n > 1 {
				return true
			}
		case '"', '\'', '`':
			if g.quote != 0 && ch.c == g.quote && ch.slash <= g.slash {
				j.p += ch.n
				return j.endsWord()
			}
			return true
		case ']', '}', ')':
			return true
		case ' ', '\t', '\n':
			if g.quote == 0 {
				return j.endsWord()
			}
		}
		j.p += ch.n
	}
	return false
}

// endsWord reports whether the jar goes on behind a pair or an attribute: in
// brackets or quotes it does; else only behind a semicolon or a comma.
func (j *jar) endsWord() bool {
	if j.depth > 0 || j.quote.n > 0 {
		return true
	}
	for j.p < j.hi && isBlank(j.b[j.p]) {
		j.p++
	}
	ch := readChar(j.b, j.p, j.hi)
	return ch.n > 0 && (ch.c == ';' || ch.c == ',')
}

// checkCookie wants a value that may be a credential: no word, no number, no setting.
func checkCookie(_ *Scanner, _ *candidate, v []byte) bool {
	if isWords(v) || isDigest(v) || isNumber(v) && len(v) < longNumber {
		return false
	}
	return looksRandom(v) || isMixed(v) || score(v) > 0 || len(v) >= maxScored
}
