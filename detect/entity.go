package detect

import "github.com/leakveil/leakveil/internal/layer"

// inEntity are the characters of values that HTML writers put as character
// references. No quote, bracket or & is among them: those end values.
var inEntity = setOf("+/=-._~:@!*|$%^#")

// valueEntity reads a numeric character reference (&#x3D;) of a character that may be
// in a value; n is 0 when none begins at p.
func valueEntity(b []byte, p, hi int, in *set) char {
	c, n := layer.Entity(b[p:min(hi, p+layer.MaxEntity)])
	if n == 0 || !inEntity[c] || !in[c] {
		return char{}
	}
	return char{c: c, n: n, code: true}
}
