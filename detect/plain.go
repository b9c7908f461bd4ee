package detect

// plainGlue reads the ways in which most pairs are written (key=value, key: value,
// "key":"value", 'key': 'value', \"key\":\"value) without looking at each character
// for escapes. It reports false when the pair is anything else: the whole grammar
// (fullGlue) decides then, and must say the same where this says yes.
func plainGlue(b []byte, p, hi int) (glue, bool) {
	if p+6 > hi {
		return glue{}, false
	}
	w := b[p : p+6 : p+6]
	switch quote := w[0]; {
	case quote == '=' && plainStart[w[1]] && call(b, p+1, hi) == 0:
		return glue{start: p + 1, sep: '='}, true
	case quote == ':' && w[1] == ' ' && plainStart[w[2]] && call(b, p+2, hi) == 0:
		return glue{start: p + 2, sep: ':'}, true
	case quote == '"' || quote == '\'':
		if w[1] == ':' && w[2] == quote && plainQuoted[w[3]] {
			return glue{start: p + 3, sep: ':', quote: quote}, true
		}
		if w[1] == ':' && w[2] == ' ' && w[3] == quote && plainQuoted[w[4]] {
			return glue{start: p + 4, sep: ':', quote: quote}, true
		}
	case quote == '\\' && string(w[1:5]) == `":\"` && plainQuoted[w[5]]:
		return glue{start: p + 5, sep: ':', quote: '"', slash: 1}, true
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
