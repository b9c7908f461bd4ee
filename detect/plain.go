package detect

// plainGlue reads the two ways in which most pairs are written, key=value and
// "key":"value", without looking at each character for escapes. It reports false
// when the pair is anything else: the whole grammar (parseGlue) decides then, and
// must say the same where this says yes.
func plainGlue(b []byte, p, hi int) (glue, bool) {
	if p+4 > hi {
		return glue{}, false
	}
	switch b[p] {
	case '=':
		if plainStart[b[p+1]] {
			return glue{start: p + 1, sep: '='}, true
		}
	case '"':
		if b[p+1] == ':' && b[p+2] == '"' && plainQuoted[b[p+3]] {
			return glue{start: p + 3, sep: ':', quote: '"'}, true
		}
		if b[p+1] == ':' && b[p+2] == ' ' && p+5 <= hi && b[p+3] == '"' && plainQuoted[b[p+4]] {
			return glue{start: p + 4, sep: ':', quote: '"'}, true
		}
	}
	return glue{}, false
}

var (
	plainQuoted = setOf("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~/+")
	// plainStart is plainQuoted but for the letters that wrappers begin with.
	plainStart = func() *set {
		out := *plainQuoted
		for _, w := range wrappers {
			out[w[0]] = false
		}
		return &out
	}()
)
