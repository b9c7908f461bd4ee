package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// isProse reports whether what stands behind a key and a blank is no value of it:
// the next pair of a line (grant_type=refresh_token client_id=web), or a word.
// whole is the value with a mask that may end it, v what stands before that.
func isProse(c *candidate, whole, v []byte) bool {
	return isPair(whole) || c.trigger.form != formScheme && (!looksRandom(v) || isNamedByID(c, v))
}

// isNamedByID reports whether a sentence names a token by its id, a UUID alone behind
// the word: refresh token UUID due for rotation. Behind a colon or in quotes it would be
// the token; codes that are UUIDs stand in sentences.
func isNamedByID(c *candidate, v []byte) bool {
	return len(v) == uuidLen && isUUIDs(v) && namedByID[c.Kind]
}

var namedByID = map[rules.Kind]bool{"access_token": true, "refresh_token": true, "id_token": true}

// isStrict reports whether a value is one though other things are written the
// same way (glue.strict).
func (s *Scanner) isStrict(c *candidate, v []byte) bool {
	if c.glue.inside && score(v) > 0 {
		return true
	}
	if c.glue.sep == '[' { // an index is no value: token[id]
		return s.next(c) == ']' && len(v) >= minLed && looksRandom(v) && !isUUIDs(v) && !isHex(v)
	}
	if c.glue.sep == ',' {
		if isStored(v) {
			return false
		}
		if score(v) > 0 && s.isTuple(c) {
			return true
		}
		if digestLen[len(v)] && isHex(v) && s.isRow(c) { // a word in it says little of what follows
			return false
		}
	}
	return len(v) >= minLed && looksRandom(v) && !isPair(v)
}

// isOther reports whether the key that begins at p is the value of a member that is
// not called name: {"event":"secret","payload":"<digest>"}.
func isOther(b []byte, p, lo int) bool {
	start := backQuote(b, p, lo)
	for start < p && start > lo && isBlank(b[start-1]) {
		start--
	}
	if start == p || start == lo || b[start-1] != ':' {
		return false
	}
	_, named := isNamed(b, p, lo)
	return !named
}

// isRow reports whether a key is not the first of the values in round brackets, as in
// the rows of SQL: VALUES (7,'secret',….
func (s *Scanner) isRow(c *candidate) bool {
	const most = 256
	commas := 0
	for p := c.KeyStart - 1; p >= max(c.Low, c.KeyStart-most); p-- {
		switch s.arena[p] {
		case ',':
			commas++
		case '(':
			return commas > 0
		case '[', '{':
			return false
		}
	}
	return false
}

// digestLen are the lengths of digests in hexadecimal.
var digestLen = map[int]bool{32: true, 40: true, 56: true, 64: true, 96: true, 128: true}

func isHex(v []byte) bool { return madeOf(v).isHex() }

// isTuple reports whether a key and its value are all that stands in brackets:
// ["code","V"], ('code', 'V').
func (s *Scanner) isTuple(c *candidate) bool {
	p := elementStart(s.arena, c.KeyStart, c.Low) - 1
	for n := 0; n < maxGlue && p > c.Low && indexByte("\"'\\b<:", s.arena[p]); n++ {
		p--
	}
	q := c.End
	for n := 0; n < maxGlue && q < c.High && indexByte("\"'\\>", s.arena[q]); n++ {
		q++
	}
	return p >= c.Low && q < c.High && indexByte("[({", s.arena[p]) && indexByte("])}", s.arena[q])
}

// isMarkup reports whether a value stands in HTML's element for names and commands
// (<code>RSASSA-PKCS1-v1_5</code>).
func isMarkup(c *candidate) bool { return c.glue.sep == '>' && c.trigger.Key == "code" }

// isPair reports whether v is a pair of its own: a name, =, and more. With nothing
// but = behind it, it may be base64 and its padding: then the name must be words.
func isPair(v []byte) bool {
	name, rest, ok := bytes.Cut(v, []byte("="))
	if ok && len(bytes.TrimLeft(rest, "=")) == 0 {
		return isWords(name)
	}
	return ok && !looksRandom(name)
}

// checkNotProse drops a word behind a key, a colon and a blank when the sentence
// goes on behind it (client_secret: must not be empty), and tags of YAML (!vault).
func checkNotProse(s *Scanner, c *candidate, v []byte) bool {
	if c.glue.sep != ':' || c.glue.quote != 0 || c.Start == c.Low || !isBlank(s.arena[c.Start-1]) {
		return true
	}
	if v[0] == '!' && isWords(v[1:]) {
		return false
	}
	if word := bytes.TrimRight(v, "0123456789"); !isWords(v) && (len(v) >= minCut || !isWords(word)) { // OAuth2 is a word
		return true
	}
	if isSpoken(s.arena[c.KeyStart:c.Start]) && allIn(v, lowers) {
		return false // a sentence that goes on in the next line
	}
	p := c.End
	if p+1 >= c.High || s.arena[p] != ' ' {
		return true
	}
	for p++; p < c.High && isLetter(s.arena[p]); p++ {
	}
	return p == c.End+1 || p < c.High && indexByte("=:_-", s.arena[p]) // the next pair
}

// isSpoken reports whether the text of a key is two words of a sentence.
func isSpoken(key []byte) bool {
	n := bytes.IndexByte(key, ' ')
	return n > 0 && isLetter(key[n-1]) && n+1 < len(key) && isLetter(key[n+1])
}

func suppressed(list *rules.Suppress, v []byte) bool {
	for _, exact := range list.Exact {
		if equalFold(v, exact) {
			return true
		}
	}
	for _, start := range list.StartsWith {
		if bytes.HasPrefix(v, []byte(start)) {
			return true
		}
	}
	for _, end := range list.EndsWith {
		if bytes.HasSuffix(v, []byte(end)) {
			return true
		}
	}
	return false
}

// equalFold compares ASCII text without regard to case.
func equalFold(v []byte, word string) bool {
	if len(v) != len(word) {
		return false
	}
	for i, c := range v {
		if lower(c) != lower(word[i]) {
			return false
		}
	}
	return true
}

// isAddress reports whether v is the address of an object in memory, as languages print
// behind the name of its class: #<OAuth2::AccessToken:0x00007f4749d4df90.
func isAddress(v []byte) bool {
	const most = 18
	return len(v) > 4 && len(v) <= most && v[0] == '0' && v[1] == 'x' && isHex(v[2:])
}

// isTypeName reports whether what stands behind a key is the name of a type
// whose members follow: OAuth2AccessToken[value=…], OAuth2AccessToken@1f2e3d.
// Secrets that people choose may look like that.
func (s *Scanner) isTypeName(c *candidate, v []byte) bool {
	return !c.trigger.value['?'] && c.glue.quote == 0 && c.End < c.High && indexByte("[({@", s.arena[c.End]) &&
		isUpper(v[0]) && isAlphanumeric(v) && !looksRandom(v)
}

// links lead from one value of a sentence to the next of the same kind: refreshing
// expired access_token: V with: V, old token V -> V.
var links = []string{" with: ", " with ", " to: ", " to ", " and ", " -> ", " => ", " new: ", ", new: ", " by: ", " by ", " want ", ", want ", " expected ",
	", expected ", " got ", ", got ", " != ", " vs ", ", "}

// linkBytes are what may stand behind the first byte of a link.
var linkBytes = func() *set {
	out := new(set)
	for _, link := range links {
		out[link[1]] = true
	}
	return out
}()

// secondValue looks for one more value behind that of a sentence, and makes c it.
func (s *Scanner) secondValue(c *candidate) bool {
	if c.trigger.form != formKey || c.glue.quote != 0 || c.glue.sep != ':' && c.glue.sep != ' ' || c.End >= c.High {
		return false
	}
	if next := s.arena[c.End]; next != ' ' && next != ',' {
		return false
	}
	if c.End+2 >= c.High || !linkBytes[s.arena[c.End+1]] {
		return false
	}
	for _, link := range links {
		p := c.End + len(link)
		if p >= c.High || string(s.arena[c.End:p]) != link {
			continue
		}
		key := c.End
		c.glue = glue{start: p, sep: ' ', strict: true}
		c.Start, c.Form, c.quoted = p, layer.Form{}, false
		c.KeyStart = key
		return s.bound(c) && s.check(c)
	}
	return false
}

// isKept reports whether a sentence says that a thing was put somewhere, and so names
// it by its id: Added token 'UUID' to single-use cache.
func (s *Scanner) isKept(c *candidate, v []byte) bool {
	const verb, where = "Added ", "' to "
	return c.glue.sep == ' ' && isUUIDs(v) && c.KeyStart-len(verb) >= c.Low && bytes.HasPrefix(s.arena[c.End:c.High], []byte(where)) &&
		string(s.arena[c.KeyStart-len(verb):c.KeyStart]) == verb
}
