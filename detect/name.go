package detect

import "strings"

// Servers split long cookies into chunks: name_0, name.1, nameC2, name-3,
// name_1of2; and some names end in what an installation chose: ory_session_*.

// inName is what may stand in a name's open end.
var inName = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

// followsName is what may follow a name at once.
func followsName(name string) *set {
	if strings.HasSuffix(name, "*") {
		return inName
	}
	return glueByte.with("_.-C0123456789")
}

// maxName bounds the open end of a name.
const maxName = 80

// nameEnd returns where a name ends whose fixed part ends before p.
func nameEnd(b []byte, p, hi int, name string) int {
	if strings.HasSuffix(name, "*") {
		return run(b, p, min(hi, p+maxName), inName)
	}
	q := p
	if q < hi && (b[q] == '_' || b[q] == '.' || b[q] == '-') {
		q++
	}
	if q < hi && b[q] == 'C' {
		q++
	}
	number := q
	q = run(b, q, min(hi, q+3), digits)
	if q == number {
		return p
	}
	if q+2 < hi && b[q] == 'o' && b[q+1] == 'f' && isDigit(b[q+2]) {
		q = run(b, q+2, min(hi, q+5), digits)
	}
	return q
}
