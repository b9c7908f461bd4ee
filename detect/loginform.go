package detect

import "bytes"

// formUsers are the fields that stand before the password in the form of a login.
var formUsers = map[string]bool{"username": true, "email": true, "login": true, "user": true, "userid": true, "user_name": true, "identifier": true}

// inLoginForm reports whether a password is the field of a form that follows the
// name of the user: username=ann&password=V, j_username=ann&j_password=V. People
// choose such a password, so it need not look random.
func (s *Scanner) inLoginForm(c *candidate) bool {
	if c.glue.sep != '=' || c.glue.quote != 0 {
		return false
	}
	lo := max(c.Low, c.KeyStart-maxApart)
	p := c.KeyStart - 1
	for p > lo && inKey(s.arena[p]) {
		p--
	}
	if p <= lo || s.arena[p] != '&' {
		return false
	}
	start := p
	for start > lo && s.arena[start-1] != '&' && !isSpace(s.arena[start-1]) && !indexByte("\"'?", s.arena[start-1]) {
		start--
	}
	end := run(s.arena, start, min(p, start+maxWord), inIdentifier)
	var buf [maxWord]byte
	name := lowerWord(&buf, s.arena[start:end])
	return end < p && s.arena[end] == '=' && (formUsers[string(name)] || bytes.HasSuffix(name, []byte("username")))
}
