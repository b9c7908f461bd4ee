package detect

import (
	"bytes"
	"slices"
)

// checkCurlUser keeps the password of curl -u user:password, without the user. The
// option means something else to every other program, so it must be curl's.
func checkCurlUser(s *Scanner, c *candidate, v []byte) bool {
	before := s.arena[max(c.RecordLow, c.KeyStart-reach):c.KeyStart]
	colon := bytes.IndexByte(v, ':')
	if colon <= 0 || len(v)-colon-1 < 4 || !isOptionOfCurl(before) {
		return false
	}
	password := v[colon+1:]
	if isPlaceholder(password) || namesSecret(password) || indexByte("$/@%", password[0]) || bytes.Contains(password, []byte("$(")) || isWords(password) && bytes.Equal(password, bytes.ToUpper(password)) {
		return false
	}
	raw := bytes.IndexByte(s.arena[c.Start:c.End], ':')
	if raw < 0 { // written as %3A: masked whole
		return true
	}
	c.Start += raw + 1
	c.Blob = c.Start
	return true
}

// namesSecret reports whether v is the name of a secret in documentation: mypassword,
// client_secret.
func namesSecret(v []byte) bool {
	var buf [maxWord]byte
	word := lowerWord(&buf, v)
	if len(word) == 0 || !isWords(v) {
		return false
	}
	for _, name := range []string{"password", "passwd", "secret", "token", "pass", "pwd"} {
		if bytes.HasSuffix(word, []byte(name)) {
			return true
		}
	}
	return false
}

// isOptionOfCurl reports whether text ends in a command of curl's: no other begins
// behind it.
func isOptionOfCurl(text []byte) bool {
	at := bytes.LastIndex(text, []byte("curl"))
	if at < 0 || !edge(text, at, 0) || at+4 >= len(text) || !isBlank(text[at+4]) {
		return false
	}
	quote := byte(0)
	for p := at; p < len(text); p++ {
		switch c := text[p]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ';' || c == '|' || c == '&' && p+1 < len(text) && text[p+1] == '&':
			return false
		}
	}
	return true
}

// checkUserPassword keeps the password of a quoted user:password.
func checkUserPassword(s *Scanner, c *candidate, _ []byte) bool {
	raw := s.arena[c.Start:c.End]
	if c.glue.inside { // auth=('id', 'V'), auth: { user: 'id', pass: 'V' }
		return len(raw) >= minRest && looksRandom(raw) && !isStored(raw)
	}
	colon := bytes.IndexByte(raw, ':')
	if c.glue.quote == 0 || colon <= 0 || bytes.IndexByte(raw[colon+1:], ':') >= 0 || isStored(raw) {
		return false
	}
	password := raw[colon+1:]
	if len(password) < minRest || password[0] == '/' || !looksRandom(password) {
		return false
	}
	c.Start += colon + 1
	c.Blob = c.Start
	return true
}

// storedBy are what values begin with that are hashes of secrets, encrypted, or
// names of places where the secret is.
var storedBy = []string{
	"$", "{", "vault:", "enc(", "enc[", "pbkdf2", "scram-", "sha", "md5", "bcrypt", "argon2", "ssm:", "op://", "arn:", "s3://", "spiffe:",
	"kid:", "http", "file:", "env:", "ref:",
}

func isStored(v []byte) bool {
	for _, start := range storedBy {
		n := len(start)
		if len(v) <= n || !equalFold(v[:n], start) {
			continue
		}
		if n > len("http") || !isLetter(start[0]) || !isAlnum(start[n-1]) {
			return true
		}
		// One random value in some thousand begins with so short a word.
		return bytes.ContainsAny(v[:min(len(v), maxHashName)], ":$ ") || isHex(v[n:])
	}
	return false
}

// maxHashName bounds the name of a function that hashes, and what ends it.
const maxHashName = 16

// longSecret is the length from which the second of two strings in brackets is a
// secret and not the name of one.
const longSecret = 32

// hashNames begin the names of functions that hash secrets, as they stand before what
// they made: pbkdf2_sha256$…, SCRAM-SHA-256$4096:…, sha256:….
var hashNames = []string{"pbkdf2", "scram-sha", "bcrypt", "argon2", "scrypt", "sha1", "sha224", "sha256", "sha384", "sha512", "md5"}

// places begin what names a secret in a store, or is encrypted by one.
var places = []string{"arn:aws", "vault:v1:", "vault:v2:", "vault:secret/", "enc[aes", "ssm:/", "op://", "spiffe://"}

// beginsStored are the bytes that hashNames and places begin with.
var beginsStored = firstOf(append(slices.Clone(hashNames), places...))

// isHashed reports whether v is the hash of a secret, with what says so before it, or
// the place of a secret: neither gives it away. No token begins with such a name and
// a colon or dollar.
func isHashed(v []byte) bool {
	if v[0] == '$' { // $2b$12$…, $argon2id$v=19$…
		const longest = 14
		n := bytes.IndexByte(v[1:], '$')
		return n > 0 && n < longest && len(v) > minRest && (isDigit(v[1]) || startsWith(v[1:], hashNames))
	}
	if !beginsStored[v[0]] {
		return false
	}
	if startsWith(v, places) {
		return true
	}
	if !startsWith(v, hashNames) {
		return false
	}
	n := bytes.IndexAny(v[:min(len(v), maxWord)], ":$")
	return n > 0 && len(v)-n > minRest && isNameOf(v[:n])
}

func startsWith(v []byte, names []string) bool {
	for _, name := range names {
		if len(v) > len(name) && equalFold(v[:len(name)], name) {
			return true
		}
	}
	return false
}

// isNameOf reports whether v is made of what names of functions are made of.
func isNameOf(v []byte) bool { return run(v, 0, len(v), inKeyOrDot) == len(v) }

// isDigest reports whether v is a digest that says so: sha256:9f86….
func isDigest(v []byte) bool {
	name, rest, ok := bytes.Cut(v, []byte(":"))
	return ok && len(name) < maxWord && namesMask(v) && len(rest) >= minRest && isHex(rest)
}

// checkBareKey wants the key alone, with = or : behind it, and a value that is the
// secret and not its name or its hash: secret/registry-credentials-x7k2p, a UUID.
func checkBareKey(s *Scanner, c *candidate, v []byte) bool {
	if c.KeyStart > c.RecordLow {
		if prev := s.arena[c.KeyStart-1]; joiner[prev] && prev != ' ' || prev == ':' { // tls_secret, arn:…:secret:…
			return false
		}
	}
	if c.glue.sep == ' ' { // in a sentence, where names of secrets stand as well
		return isDrawn(v)
	}
	tuple := c.glue.sep == ',' && c.glue.quote != 0 && len(v) >= longSecret && s.isTuple(c) // ["secret", "V"]
	if c.glue.sep != '=' && c.glue.sep != ':' && !tuple || isStored(v) || isUUIDs(v) {
		return false
	}
	name, _, parted := bytes.Cut(v, []byte("-"))
	const longest = 28 // names with a random end are shorter
	if !parted || len(v) >= longest || !isWords(name) || !bytes.Equal(name, bytes.ToLower(name)) {
		return true
	}
	return len(name) < 4 && (len(name) < 2 || !allIn(v, inHostName)) // pod-25e0aae1a8
}

// isObject reports whether v is the name of an object in a cluster with the random
// end that it was given: deploy-token-jy0lk.
func isObject(v []byte) bool {
	const most = 10
	n := bytes.LastIndexByte(v, '-')
	return n > 0 && len(v)-n-1 <= most && bytes.IndexByte(v[:n], '-') > 0 && isWords(v[:n]) && allIn(v, inHostName)
}

// inHostName is what names of objects in clusters are made of (RFC 1123).
var inHostName = setOf("abcdefghijklmnopqrstuvwxyz0123456789-.")

// checkPassword wants a password grant in the record or the user's name before it in
// a form, or a value that looks drawn at random and is no hash of a password ($2b$…).
func checkPassword(s *Scanner, c *candidate, v []byte) bool {
	if !isStored(v) && (len(v) >= minRest && looksRandom(v) || s.inLoginForm(c)) {
		return true
	}
	record := s.near(c)
	for p := 0; ; {
		n := bytes.Index(record[p:], []byte("grant"))
		if n < 0 {
			return false
		}
		if p += n + len("grant"); p < len(record) && joiner[record[p]] {
			p++
		}
		end := p + len("type")
		if end >= len(record) || !equalFold(record[p:end], "type") {
			continue
		}
		if g, ok := parseGlue(record, end, len(record)); ok && bytes.HasPrefix(record[g.start:], []byte("password")) {
			return true
		}
	}
}
