package detect

import "bytes"

// checkCurlUser keeps the password of curl -u user:password, without the user. The
// option means something else to every other program, so it must be curl's.
func checkCurlUser(s *Scanner, c *candidate, v []byte) bool {
	before := s.arena[max(c.RecordLow, c.KeyStart-reach):c.KeyStart]
	colon := bytes.IndexByte(v, ':')
	if colon <= 0 || len(v)-colon-1 < 4 || !isOptionOfCurl(before) {
		return false
	}
	password := v[colon+1:]
	if isPlaceholder(password) || indexByte("$/@%", password[0]) || bytes.Contains(password, []byte("$(")) || isWords(password) && bytes.Equal(password, bytes.ToUpper(password)) {
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
		if len(v) > len(start) && equalFold(v[:len(start)], start) {
			return true
		}
	}
	return false
}

// checkBareKey wants the key alone, with = or : behind it, and a value that is the
// secret and not its name or its hash: secret/registry-credentials-x7k2p, a UUID.
func checkBareKey(s *Scanner, c *candidate, v []byte) bool {
	if c.KeyStart > c.RecordLow {
		if prev := s.arena[c.KeyStart-1]; joiner[prev] && prev != ' ' || prev == ':' { // tls_secret, arn:…:secret:…
			return false
		}
	}
	if c.glue.sep != '=' && c.glue.sep != ':' || isStored(v) || isUUIDs(v) {
		return false
	}
	name, _, parted := bytes.Cut(v, []byte("-"))
	const longest = 28 // names with a random end are shorter
	return !parted || len(v) >= longest || len(name) < 4 || !isWords(name) || !bytes.Equal(name, bytes.ToLower(name))
}

// afterUser reports whether the parameter before the password in a form is the
// user's name: username=ann&password=V, j_username=ann&j_password=V.
func (s *Scanner) afterUser(c *candidate) bool {
	const longest = 128
	lo := max(c.Low, c.KeyStart-longest)
	p := c.KeyStart
	for p > lo && inKey(s.arena[p-1]) {
		p--
	}
	if c.glue.sep != '=' || c.glue.quote != 0 || p == lo || s.arena[p-1] != '&' {
		return false
	}
	before := s.arena[lo : p-1]
	before = before[bytes.LastIndexByte(before, '&')+1:]
	eq := bytes.IndexByte(before, '=')
	const user = "username"
	return eq >= len(user) && eq+1 < len(before) && equalFold(before[eq-len(user):eq], user)
}

// checkPassword wants a password grant in the record or the user's name before it in
// a form, or a value that looks drawn at random and is no hash of a password ($2b$…).
func checkPassword(s *Scanner, c *candidate, v []byte) bool {
	if len(v) >= minRest && !isStored(v) && looksRandom(v) || s.afterUser(c) && !isStored(v) {
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
