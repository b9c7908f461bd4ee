package detect

import "bytes"

// checkCurlUser keeps the password of curl -u user:password, without the user. The
// option means something else to every other program, so curl must stand before it.
func checkCurlUser(s *Scanner, c *candidate, v []byte) bool {
	before := s.arena[max(c.RecordLow, c.KeyStart-reach):c.KeyStart]
	colon := bytes.IndexByte(v, ':')
	if colon <= 0 || len(v)-colon-1 < 4 || !bytes.Contains(before, []byte("curl")) {
		return false
	}
	password := v[colon+1:]
	if isPlaceholder(password) || password[0] == '$' || password[0] == '/' {
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

// checkUserPassword keeps the password of a quoted user:password.
func checkUserPassword(s *Scanner, c *candidate, _ []byte) bool {
	raw := s.arena[c.Start:c.End]
	colon := bytes.IndexByte(raw, ':')
	if c.glue.quote == 0 || colon <= 0 || bytes.IndexByte(raw[colon+1:], ':') >= 0 {
		return false
	}
	password := raw[colon+1:]
	if len(password) < minRest || !looksRandom(password) {
		return false
	}
	c.Start += colon + 1
	c.Blob = c.Start
	return true
}

// checkBareKey refuses the end of a longer name: tls_secret, cookie-secret.
func checkBareKey(s *Scanner, c *candidate, _ []byte) bool {
	return c.KeyStart == c.RecordLow || !joiner[s.arena[c.KeyStart-1]] || s.arena[c.KeyStart-1] == ' '
}

// checkPassword wants a password grant in the record, or a value that looks drawn
// at random and is no hash of a password ($2b$…).
func checkPassword(s *Scanner, c *candidate, v []byte) bool {
	if len(v) >= minRest && v[0] != '$' && looksRandom(v) {
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
