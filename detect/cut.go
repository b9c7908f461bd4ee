package detect

import (
	"bytes"
	"encoding/base64"
)

// minCut is the length from which what is left of a value that was cut is masked.
const minCut = 8

// cutMarks are what loggers put in the place of the rest of a value. Two or more
// full stops are one as well. Words stand in an opening bracket of any kind.
var (
	cutMarks = [][]byte{[]byte("\u2026"), []byte(`\u2026`), []byte("%E2%80%A6"), []byte("&hellip;")}
	cutWords = [][]byte{[]byte("..."), []byte("\u2026"), []byte("trunc"), []byte("snip"), []byte("cut"), []byte("omitted")}
)

// ellipsis is a mark that few values hold within their first maxHead bytes: buffers are
// printed with their ends alone, GET /?token=2XjQ...nection: close. A verifier may hold
// three full stops by chance; then more of it stands behind them than a word.
const maxHead = 20

var ellipsis = []byte("...")

// cut finds out whether the value of c was cut short by whoever wrote it: a mark
// stands where it would go on, or the record or its line ends there. What is a mark is no part
// of the value.
func (c *candidate) cut(b []byte) {
	if c.glue.slash < 0 && c.End == c.High { // a field of its own: nothing was seen to be cut
		c.End, c.Truncated = beforeMark(b, c.Start, c.End)
		return
	}
	if v := b[c.Start:min(c.End, c.Start+maxJudged)]; !c.quoted && c.Rule.Value.Alphabet != "visible" {
		if n := bytes.Index(v[:min(len(v), maxHead)], ellipsis); n > 0 && isElsewhere(v[n+len(ellipsis):]) {
			c.End = c.Start + n
			c.Truncated = true
			return
		}
	}
	c.End, c.Truncated = beforeMark(b, c.Start, c.End)
	c.Truncated = c.Truncated || markAt(b, c.End, c.High)
	c.atEnd = (c.End == c.High || b[c.End] == '\n' || b[c.End] == '\r') && (c.glue.quote == 0 || !c.quoted)
}

// isElsewhere reports whether what stands behind a mark is no more of the value.
func isElsewhere(rest []byte) bool { return len(rest) < minCut || isWords(rest) }

// beforeMark returns where a value ends that may have a mark at its end.
func beforeMark(b []byte, start, end int) (int, bool) {
	if end == start || b[end-1] != '.' && b[end-1] != 0xa6 && b[end-1] != '6' {
		return end, false
	}
	for _, mark := range cutMarks {
		if bytes.HasSuffix(b[start:end], mark) {
			return end - len(mark), end-len(mark) > start
		}
	}
	p := end
	for p > start && b[p-1] == '.' {
		p--
	}
	if end-p >= 2 && p > start {
		return p, true
	}
	return end, false
}

// markAt reports whether a mark begins at p.
func markAt(b []byte, p, hi int) bool {
	if p >= hi {
		return false
	}
	rest := b[p:hi]
	switch rest[0] {
	case 0xe2, '\\', '%', '&': // what the marks begin with
		for _, mark := range cutMarks {
			if bytes.HasPrefix(rest, mark) {
				return true
			}
		}
		return false
	case '.':
		return bytes.HasPrefix(rest, []byte(".."))
	case ' ':
		rest = rest[1:]
	}
	if len(rest) == 0 || !indexByte("[(<{", rest[0]) {
		return false
	}
	for _, word := range cutWords {
		if n := len(word); len(rest) > n && equalFold(rest[1:1+n], string(word)) {
			return true
		}
	}
	return false
}

// least is how long the value of c must be: as its rule says, or less when it was
// cut. Without a mark only strong keys, schemes and long prefixes tell a value.
func (c *candidate) least() int {
	if c.Truncated || c.atEnd && c.trigger.form != formWeak {
		return min(minCut, c.Rule.Value.Min)
	}
	return c.Rule.Value.Min
}

// remains judges the beginning of a value that is shorter than its rule lets values
// be. One random beginning of eight characters in a hundred scores like a word.
func (c *candidate) remains(v []byte) bool {
	if c.trigger.form == formPrefix {
		if c.isJWT() {
			return true // for its check to say
		}
		v = v[min(len(v), len(c.trigger.elems)-1):]
		if len(c.trigger.elems)-1 < minMarkedPrefix {
			return false
		}
	}
	c.Truncated = true
	return score(v) > 0 && !isNumber(v) && !isDate(v) && !isPair(v) && !isName(v)
}

// minMarkedPrefix is the length from which a vendor's prefix tells a value of which
// little is left.
const minMarkedPrefix = 4

// isDate reports whether v begins like a date: 2026-11-25, 20261125T, 2026/11.
func isDate(v []byte) bool {
	if len(v) < 8 || !allIn(v[:4], digits) {
		return false
	}
	return indexByte("-/.", v[4]) && isDigit(v[5]) && isDigit(v[6]) || allIn(v[4:8], digits) && len(v) > 8 && v[8] == 'T'
}

func (c *candidate) isJWT() bool { return c.trigger.Key == "eyJ" }

// isCutJWT reports whether head, without a dot, is the beginning of a JOSE header
// that was cut off: base64url of an object that opens with one of its members.
func (c *candidate) isCutJWT(head []byte, whole bool) bool {
	if !c.Truncated && (whole || !c.atEnd || len(head) < minBareHeader) {
		return false
	}
	var text [64]byte
	n := min(len(head), len(text)) / 4 * 4
	n, err := base64.RawURLEncoding.Decode(text[:], head[:n])
	if err != nil || bytes.Contains(text[:n], []byte("dpop")) {
		return false
	}
	opens := bytes.TrimLeft(text[:n], "{ \r\n\t")
	for _, member := range joseMembers {
		if k := min(len(opens), len(member)); k >= minMember && string(opens[:k]) == member[:k] {
			c.Truncated = true
			return true
		}
	}
	return false
}

// joseMembers are the members that headers begin with (RFC 7515 §4.1, RFC 7516 §4.1).
var joseMembers = []string{`"alg":`, `"typ":`, `"kid":`, `"enc":`, `"x5t":`, `"x5c":`, `"cty":`, `"jku":`, `"zip":`}

const (
	minMember     = 5  // of which so many bytes must be there
	minBareHeader = 16 // characters of a header, where the record's end is all that tells
)
