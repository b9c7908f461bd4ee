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
