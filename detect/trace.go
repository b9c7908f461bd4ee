package detect

import "bytes"

// Debug logs name the function that wrote the line, and the value stands behind a
// word that says what the function does with it: "oidc_cache_get: enter: V (section=s",
// "oauth2_cache_get: leave: cache miss for key: V", "express-session fetching V".

// maxTrace bounds the bytes between a function's name and what leads to its value.
const maxTrace = 160

// traceLeads are what a value follows in such lines, those that say more first.
var traceLeads = [][]byte{
	[]byte(` session "`), []byte(" key="), []byte(" key: "), []byte(" for key "), []byte(" stored: "),
	[]byte(" enter: "), []byte(" leave: "), []byte(" fetching "), []byte(" saving "), []byte(" restoring "),
}

// hashed says that the value is none: "leave: hashed key: V".
var hashed = []byte(" hashed ")

// traced steps from the name of a function, which ends at p, to the value that its
// line tells. False when it tells none: a trace is no pair of name and value.
func (g *glue) traced(b []byte, p, hi int) bool {
	line := b[p:min(hi, p+maxTrace)]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	if bytes.Contains(line, hashed) {
		return false
	}
	for _, lead := range traceLeads {
		n := bytes.Index(line, lead)
		if n < 0 {
			continue
		}
		*g = glue{start: p + n + len(lead), sep: ':'}
		if last := lead[len(lead)-1]; last == '"' {
			g.quote = last
		}
		return g.start < hi
	}
	return false
}

// nonceLen is the length of 32 bytes in base64url, which is what nonces of
// mod_auth_openidc have; its sessions' keys are shorter, or UUIDs.
const nonceLen = 43

// checkCacheKey wants the key of a session or of a token, and not that of a nonce or
// of metadata, which are kept in the same cache.
func checkCacheKey(s *Scanner, c *candidate, v []byte) bool {
	if !looksRandom(v) && score(v) <= 0 {
		return false
	}
	section, named := bytes.CutPrefix(s.arena[c.End:c.High], []byte(" (section="))
	if !named {
		return len(v) != nonceLen
	}
	return len(section) > 0 && indexByte("sar", section[0])
}
