package detect

import "bytes"

// Source text stands in logs as well: stack traces show the lines they went through.

// inIdentifier is what names in source text and the dots between them are made of.
var inIdentifier = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.")

// isSource reports whether what stands behind a key is source text that gets the
// value from elsewhere: client_secret=self.client_secret, kwargs.pop('x'),
// settings['x'], "Bearer "+token.
func (s *Scanner) isSource(c *candidate, v []byte) bool {
	if isPublicName(v) && c.trigger.form != formPrefix && c.trigger.form != formShape {
		return true
	}
	if c.Start > c.Low && c.trigger.form == formScheme && v[0] == '+' {
		quote := s.arena[c.Start-1] // closes the scheme, unless it closes the value as well
		return (quote == '"' || quote == '\'') && (c.End == c.High || s.arena[c.End] != quote)
	}
	form := c.trigger.form
	if form != formKey && form != formWeak || c.glue.quote != 0 || c.glue.pct > 0 || c.glue.list || c.glue.bracket != 0 {
		return false
	}
	if s.isReference(c, bytes.TrimRight(v, "!?")) {
		return true
	}
	key := matchBack(v, len(v), c.trigger.word)
	if key > 0 && (v[key-1] == '_' || v[key-1] == '-') && allIn(v, inKeyOrDot) { // a variable: oauth2_client_secret
		return true
	}
	if behind := s.arena[c.End:c.High]; allIn(v, inIdentifier) && !looksRandom(v) &&
		(c.glue.sep == ':' && bytes.HasPrefix(behind, []byte(" = ")) || len(behind) == 1 && behind[0] == '[') {
		return true // a type, a variable whose index is in the next line
	}
	member := key > 0 && v[key-1] == '.' // self.client_secret
	if next := s.next(c); !member && next != '(' && next != '[' || !allIn(v, inIdentifier) || isDigit(v[0]) {
		return false
	}
	if member {
		return true
	}
	if s.next(c) == '(' && isWords(v) {
		return true
	}
	if c.End+1 >= c.High || looksRandom(v) {
		return false
	}
	after := s.arena[c.End+1]
	return s.next(c) == '(' && bytes.IndexByte(v, '.') > 0 || s.next(c) == '[' && indexByte("'\"`", after)
}

// publicNames begin what no secret is: links, and names of OAuth's registry.
var publicNames = [][]byte{[]byte("https://"), []byte("http://"), []byte("urn:ietf:params:oauth:")}

// isPublicName reports whether v is a link, without anything secret in it, or a
// registered name.
func isPublicName(v []byte) bool {
	for _, name := range publicNames {
		if bytes.HasPrefix(v, name) {
			return !bytes.ContainsAny(v, "?@#") && !looksRandom(v[len(name):])
		}
	}
	return false
}

// secretWords end the names that programs give to variables of secrets.
var secretWords = map[string]bool{
	"secret": true, "token": true, "key": true, "password": true, "code": true, "verifier": true, "assertion": true, "credential": true,
	"credentials": true, "value": true, "string": true, "str": true, "config": true, "settings": true,
}

// roots are what programs get values from.
var roots = map[string]bool{
	"this": true, "self": true, "process": true, "env": true, "os": true, "config": true, "options": true, "opts": true, "settings": true,
	"params": true, "args": true, "ctx": true, "context": true, "req": true, "request": true, "props": true, "client": true, "app": true,
	"cfg": true, "conf": true, "data": true, "body": true, "input": true, "credentials": true, "secrets": true, "import": true, "res": true,
	"response": true, "result": true, "provider": true, "auth": true, "user": true, "session": true, "token": true, "tokens": true,
	"var": true, "local": true, "locals": true, "module": true, "each": true, "vars": true, "values": true, "inputs": true, "parameters": true,
	"github": true, "steps": true, "needs": true, "matrix": true, "vault": true, "secret": true, "settings_module": true, "conn": true,
}

// isReference reports whether v names a variable: one in capitals that is named as
// secrets are (GITHUB_CLIENT_SECRET), or a member of what programs get values from
// (process.env.X, this.config.secret). Names in small letters must stand as source
// text does, since people choose such secrets.
func (s *Scanner) isReference(c *candidate, v []byte) bool {
	if len(v) == 0 || !allIn(v, inIdentifier) || isDigit(v[0]) {
		return false
	}
	if root, rest, ok := bytes.Cut(v, []byte(".")); ok {
		if s.isMinified(c, root, rest) || selves[string(root)] && areNames(rest) {
			return true
		}
		var buf [maxWord]byte
		if len(rest) == 0 {
			return false
		}
		return roots[string(lowerWord(&buf, root))] && (!looksRandom(rest) || hasSecretWord(rest)) || s.isAssigned(c) && hasSecretWord(v) && areWords(v)
	}
	joined := bytes.IndexByte(v, '_') > 0
	if joined && isCapitals(v) && hasSecretWord(v) && areWords(v) {
		return true
	}
	if !endsInSecretWord(v) {
		return false
	}
	next := s.next(c)
	return (joined || bytes.ContainsFunc(v[1:], isCapital)) && (next == ')' || next == ';' || next == ',' && c.Start > c.Low && isBlank(s.arena[c.Start-1]))
}

// isAssigned reports whether blanks stand around an equals sign, as in source text and
// Terraform's configuration: key = value.
func (s *Scanner) isAssigned(c *candidate) bool {
	return c.glue.sep == '=' && c.glue.quote == 0 && c.Start-c.Low > 3 && string(s.arena[c.Start-3:c.Start]) == " = "
}

// areWords reports whether v is names that full stops join, of words that underscores
// and capitals part, none of which looks drawn at random: aws_secret.oauth_v2.value.
func areWords(v []byte) bool {
	for word := range nameParts(v) {
		if len(word) > longWord || score(word) >= randomBits || isDigit(word[0]) && len(word) > maxNumeral {
			return false
		}
	}
	return score(v) < 0
}

// hasSecretWord reports whether one of the words of v is one of secretWords.
func hasSecretWord(v []byte) bool {
	var buf [maxWord]byte
	for word := range nameParts(v) {
		if secretWords[string(bytes.TrimSuffix(lowerWord(&buf, word), []byte("s")))] {
			return true
		}
	}
	return false
}

// nameParts are the words of a name in snake or camel case, and of several that full stops
// join.
func nameParts(v []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for p := 0; p < len(v); {
			if v[p] == '_' || v[p] == '.' {
				p++
				continue
			}
			end := p + 1
			for end < len(v) && v[end] != '_' && v[end] != '.' && !(isUpper(v[end]) && !isUpper(v[end-1])) {
				end++
			}
			if !yield(v[p:end]) {
				return
			}
			p = end
		}
	}
}

// isMinified reports whether root and rest are a member of one of the names of one or
// two letters that minifiers give, in an object of a program: {password:r.Ab.cd}.
func (s *Scanner) isMinified(c *candidate, root, rest []byte) bool {
	const most = 2
	if len(root) == 0 || len(root) > most || !isLetter(root[0]) || c.glue.sep != ':' || c.Start == c.Low || s.arena[c.Start-1] != ':' || !indexByte(",)};]", s.next(c)) {
		return false
	}
	return areNames(rest)
}

// selves are the words that programs begin members of their own with.
var selves = map[string]bool{"this": true, "self": true, "process": true}

// areNames reports whether rest is names of members that full stops join. Vault's
// tokens (s.…) are longer than names.
func areNames(rest []byte) bool {
	const longest = 20
	for name := range bytes.SplitSeq(rest, []byte(".")) {
		if len(name) == 0 || len(name) > longest || isDigit(name[0]) {
			return false
		}
	}
	return true
}

func isCapital(r rune) bool { return r < 0x80 && isUpper(byte(r)) }

func isCapitals(v []byte) bool {
	for _, b := range v {
		if isLower(b) {
			return false
		}
	}
	return true
}

// endsInSecretWord looks at the last word of a name in snake or camel case.
func endsInSecretWord(v []byte) bool {
	p := len(v)
	for p > 0 && (isLower(v[p-1]) || isUpper(v[p-1])) {
		p--
		if isUpper(v[p]) && (p == 0 || !isUpper(v[p-1])) {
			break
		}
	}
	var buf [maxWord]byte
	return secretWords[string(lowerWord(&buf, v[p:]))]
}

// next is the byte behind the value, 0 at the end of its segment.
func (s *Scanner) next(c *candidate) byte {
	if c.End >= c.High {
		return 0
	}
	return s.arena[c.End]
}
