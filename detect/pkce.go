package detect

import "github.com/leakveil/leakveil/rules"

// bareVerifier is the key that verifiers have in all their names: code_verifier,
// pkceVerifier, verifier.
const bareVerifier = "verifier"

// shortestVerifier and longestVerifier are RFC 7636's bounds (§4.1).
const shortestVerifier, longestVerifier = 43, 128

// checkPKCE lets any value that is no sentence pass behind the names that specifications
// give it. Others are verifiers as well: behind a bare name, the value must be one of
// PKCE's length.
func checkPKCE(s *Scanner, c *candidate, v []byte) bool {
	bare := c.trigger.Key == bareVerifier && !s.namesPKCE(c)
	if c.glue.sep == ' ' && !looksRandom(v) || bare && (len(v) < shortestVerifier || !looksRandom(v)) {
		return false
	}
	if len(v) >= shortestVerifier && len(v) <= longestVerifier {
		c.Confidence = rules.Certain
	}
	return true
}

// isPKCEKey reports whether the key is the end of a joined word: codeverifier.
func (s *Scanner) isPKCEKey(c *candidate) bool {
	return c.trigger.Key == bareVerifier && s.namesPKCE(c)
}

// namesPKCE reports whether code or pkce stands before a key or begins it, and makes
// it a part of the key.
func (s *Scanner) namesPKCE(c *candidate) bool {
	for _, word := range []string{"code", "pkce"} {
		if matchBack(s.arena, c.KeyStart+len(word), word) == c.KeyStart { // taken already
			return true
		}
	}
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
