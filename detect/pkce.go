package detect

import "github.com/leakveil/leakveil/rules"

// checkPKCE lets any value that is no sentence pass behind the names that specifications
// give it. Others are verifiers as well: behind a bare name, the value must be one of
// PKCE's length.
func checkPKCE(s *Scanner, c *candidate, v []byte) bool {
	if (c.glue.sep == ' ' || c.trigger.Key == "verifier" && !s.namesPKCE(c)) && (len(v) < 43 || !looksRandom(v)) {
		return false
	}
	if len(v) >= 43 && len(v) <= 128 {
		c.Confidence = rules.Certain
	}
	return true
}

// namesPKCE reports whether code or pkce stands before a key, and makes it a part of
// the key.
func (s *Scanner) namesPKCE(c *candidate) bool {
	lo := c.RecordLow
	if c.KeyStart >= c.Low { // the key of no frame
		lo = c.Low
	}
	for _, word := range []string{"code_", "pkce_"} {
		if p := matchBack(s.arena, c.KeyStart, word); p >= lo && p < c.KeyStart {
			c.KeyStart = p
			return true
		}
	}
	return false
}
