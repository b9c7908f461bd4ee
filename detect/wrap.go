package detect

import (
	"bytes"
	"unicode"

	"github.com/leakveil/leakveil/internal/layer"
)

// rowStop are the bytes that may end the last part of a value which was wrapped
// without a sign. A blank is not among them: what stands before one at the beginning
// of a line is mostly a time, a host or an id (isMixedCase tells what is none).
var rowStop = setOf("\"'`&;)}]<>\\|")

// part is what of a value stands on a further line.
type part struct {
	start, end int
	form       layer.Form
	more       bool // it may go on in the line after that
}

// next finds the part of the value in line, which has no line end, and moves o on.
// False when nothing proves that the line goes on with it. The proofs are: a
// backslash or a soft line break (RFC 2045 §6.7) before the line end; quotes that are
// still open and that the part closes; strings that are joined; a JWT with too few
// parts or a verifier that is too short; a folded header field (RFC 9112 §5.2); lines
// wrapped at one width, which is a common one or that of the next line as well.
func (o *Open) next(line []byte) (part, Open, bool) {
	var p part
	if o.awaited.what != awaitsNothing {
		return p, Open{}, false
	}
	if o.label > 0 {
		return o.nextRow(line)
	}
	p.start = margin(line)
	if o.joined != 0 {
		return o.nextString(line, p.start)
	}
	if p.start == len(line) || o.Rows > 0 && p.start != o.margin {
		return p, Open{}, false
	}
	in := alphabets[o.Rule.Value.Alphabet]
	p.end, p.form = walk(line, len(line), glue{start: p.start, sep: '=', quote: o.quote}, in)
	if o.tail == '=' && p.end == len(line) && line[p.end-1] == '=' {
		p.end-- // the next soft line break
	}
	v := line[p.start:p.end]
	if len(v) == 0 || isOwnMask(v) || !o.proven(line, p) {
		return p, Open{}, false
	}
	after := *o
	after.Have += len(v)
	after.Rows++
	after.row, after.margin = len(line), p.start
	if after.dots >= 0 {
		after.dots += bytes.Count(v, dot)
	}
	p.more = after.goesOn(line[p.end:], len(line))
	return p, after, true
}

func isOwnMask(v []byte) bool {
	return bytes.HasPrefix(v, []byte("REDACTED.")) || bytes.HasPrefix(v, []byte("HASHED."))
}

// goesOn reports whether the value may go on behind a further line of the given
// width on which rest follows it.
func (o *Open) goesOn(rest []byte, width int) bool {
	switch {
	case o.tail != 0:
		return len(rest) == 1 && rest[0] == o.tail
	case len(rest) > 0:
		return false
	case o.quote != 0 || o.header || o.dots >= 0 && o.dots < 2:
		return true
	}
	return width == o.width
}

// proven reports whether the part of line is the value's.
func (o *Open) proven(line []byte, p part) bool {
	v, rest := line[p.start:p.end], line[p.end:]
	switch {
	case o.tail != 0 && (isWords(v) || isPair(v) || len(rest) > 0 && indexByte("=:", rest[0]) && o.tail != rest[0]):
		return false // the next option or pair
	case o.tail == '\\':
		return o.quote != 0 || p.start == 0
	case o.tail == '=':
		const least, most = 70, 76 // lines are at most 76 characters long
		return p.start == 0 && (o.printable || o.Rows > 0 || o.width >= least && o.width <= most && isRest(v))
	case o.quote != 0 && len(rest) > 0 && rest[0] == o.quote:
		return !isWords(v)
	case len(v) < minCut || !isRest(v) || isPair(v):
		return false
	case o.quote != 0 && len(rest) == 0 && len(v) >= minRest:
		return true
	case o.Rows > 0:
		return len(line) <= o.row
	}
	return o.provenAlone(line, p)
}

// provenAlone is proven for the first further line of a value that nothing at its
// line's end says is open.
func (o *Open) provenAlone(line []byte, p part) bool {
	v, rest := line[p.start:p.end], line[p.end:]
	stops := len(rest) == 0 || rowStop[rest[0]] || isBlank(rest[0]) && wrapWidth[o.width] && isMixedCase(v)
	switch {
	case o.dots >= 0 && o.dots < 2:
		return stops || bytes.Contains(v, dot) && len(v) >= minRow
	case o.header && p.start > 0:
		return o.width >= minRow && (len(rest) == 0 || rest[0] == ';')
	case p.start > 0 && p.start != o.indent || !stops || o.width < minRow || v[0] == '/' || bytes.ContainsAny(v, ".:"):
		return false // a path, a file's name, a URL
	case len(rest) == 0 && len(line) == o.width:
		return true
	}
	return len(line) <= o.width && !isHex(v) && (wrapWidth[o.width] || o.isShort() && o.Have+len(v) <= o.Rule.Value.Max)
}

// isShort reports whether the value so far is a verifier that is shorter than
// verifiers are (RFC 7636 §4.1).
func (o *Open) isShort() bool { return o.Kind == "code_verifier" && o.Have < 43 }

// isRest reports whether v may be the rest of a random value and no word, date, number.
func isRest(v []byte) bool {
	return (looksRandom(v) || len(v) >= minCut && score(v) > 0 && !isWords(v)) && !isDate(v) && !isNumber(v) && !isUUIDs(v)
}

// longestID is the length of the longest of the ids that lines begin with and that
// have capitals and small letters (KSUID).
const longestID = 27

// isMixedCase reports whether v is longer than ids are and has small letters, capitals
// and digits.
func isMixedCase(v []byte) bool {
	return len(v) > longestID && bytes.ContainsFunc(v, unicode.IsLower) && bytes.ContainsFunc(v, unicode.IsUpper) && bytes.ContainsFunc(v, unicode.IsDigit)
}

func isHex(v []byte) bool {
	for _, c := range v {
		if unhex(c) > 15 && c != '-' {
			return false
		}
	}
	return true
}

// wrapWidth are the widths that terminals, mail, base64 and programs wrap lines at.
var wrapWidth = func() (out map[int]bool) {
	out = map[int]bool{}
	for _, w := range []int{
		64, 70, 72, 74, 75, 76, 77, 78, 79, 80, 90, 96, 98, 99, 100, 110, 119, 120, 127, 128, 130, 131, 132, 140,
		150, 159, 160, 180, 200, 240, 250, 255, 256, 500, 511, 512, 998, 1000, 1023, 1024, 2000, 2047, 2048, 4000, 4095, 4096,
		8000, 8191, 8192, 16383, 16384, 32768, 65535, 65536,
	} {
		out[w] = true
	}
	return out
}()

// nextRow is next for rows of a dump: the offset that a row begins with proves that
// it goes on where the last one ended.
func (o *Open) nextRow(line []byte) (part, Open, bool) {
	after := *o
	after.readLabel(line)
	if after.label != o.label || after.offset-(len(line)-after.label) != o.offset {
		return part{}, Open{}, false
	}
	p := part{start: o.label}
	p.end, p.form = walk(line, len(line), glue{start: p.start, sep: '='}, alphabets[o.Rule.Value.Alphabet])
	if p.end == p.start || isOwnMask(line[p.start:p.end]) {
		return part{}, Open{}, false
	}
	after.Have += p.end - p.start
	after.Rows++
	p.more = p.end == len(line)
	return p, after, true
}

// nextString is next for strings that are joined, each in quotes on its line.
func (o *Open) nextString(line []byte, at int) (part, Open, bool) {
	var p part
	operator := false
	for at < len(line) && indexByte("+.&~<>|", line[at]) {
		at++
		operator = true
	}
	at += margin(line[at:])
	if at >= len(line) || line[at] != o.quote {
		return p, Open{}, false
	}
	p.start = at + 1
	p.end, p.form = walk(line, len(line), glue{start: p.start, sep: '=', quote: o.quote}, alphabets[o.Rule.Value.Alphabet])
	v := line[p.start:p.end]
	if len(v) == 0 || p.end >= len(line) || line[p.end] != o.quote || isOwnMask(v) {
		return p, Open{}, false
	}
	rest := bytes.TrimLeft(line[p.end+1:], " \t")
	if o.joined == ' ' && !operator { // strings beside each other: what follows may be a list, or keys
		if len(v) < minCut || !isRest(v) || len(rest) > 0 && !indexByte(",;)}]", rest[0]) {
			return p, Open{}, false
		}
	}
	after := *o
	after.Have += len(v)
	after.Rows++
	p.more = after.readJoin(rest)
	return p, after, true
}
