package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
)

// rowStop are the bytes that may end the last part of a value which was wrapped
// without a sign. A blank is none but where a pair or the rest of a request line
// follows it: what stands before one at the beginning of a line is mostly a time, a
// host or an id.
var rowStop = setOf("\"'`&;)}]<>\\")

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
// wrapped at one width, which is a common one or that of the next line as well. What
// looks random must also be made of what the value is made of (makeup).
func (o *Open) next(line []byte) (part, Open, bool) {
	var p part
	if o.awaited.what != awaitsNothing {
		return p, Open{}, false
	}
	if o.blob != layer.NoBase64 {
		return o.nextBlob(line)
	}
	if o.label > 0 {
		return o.nextRow(line)
	}
	p.start = indented(line)
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
	v, rest := line[p.start:p.end], undecorated(line[p.end:])
	if len(v) == 0 || isOwnMask(v) || !o.proven(line, rest, p) {
		return p, Open{}, false
	}
	after := *o
	after.Have += len(v)
	after.Rows++
	after.row, after.margin = len(line), p.start
	if after.dots >= 0 {
		after.dots += bytes.Count(v, dot)
	}
	p.more = after.goesOn(rest, len(line))
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
	return width == o.width || o.hang > 0 && width == o.width+1
}

// proven reports whether the part of line is the value's.
func (o *Open) proven(line, rest []byte, p part) bool {
	v := line[p.start:p.end]
	switch {
	case o.tail != 0 && (isWords(v) || isPair(v) || len(rest) > 0 && indexByte("=:", rest[0]) && o.tail != rest[0]):
		return false // the next option or pair
	case o.tail != 0 && len(v) >= minCut && !o.made.alike(v, o.Have):
		return false
	case o.tail == '\\':
		return (o.quote != 0 || p.start == 0) && (len(v) < minCut || !hasName(v) && !o.holdsOther(v)) && endsWord(rest)
	case o.tail == '=':
		const least = 70 // where lines are filled
		return p.start == 0 && (o.printable || o.Rows > 0 || (o.soft || o.width >= least) && o.width <= maxPrintable && isRest(v))
	case o.quote != 0 && len(rest) > 0 && rest[0] == o.quote:
		return !isWords(v) && (len(rest) == 1 || !isAlnum(rest[1])) && (len(v) < minCut || o.made.alike(v, o.Have))
	case len(v) < minCut || !isRest(v) || isPair(v) || !o.made.alike(v, o.Have):
		return false
	case o.Rows == 0 && hasName(v):
		return false
	case o.quote != 0 && len(rest) == 0 && len(v) >= minRow:
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
	switch {
	case o.dots >= 0 && o.dots < 2:
		return o.stops(rest) || bytes.Contains(v, dot) && len(v) >= minRow
	case o.header && p.start > 0:
		return o.width >= minRow && (len(rest) == 0 || rest[0] == ';')
	case o.padded || p.start > 0 && p.start != o.indent && !(o.hang > 0 && (p.start == o.hang || p.start == o.hang+1) && len(line) <= o.width+1) || !o.stops(rest) || o.width < minRow || v[0] == '/' || o.holdsOther(v):
		return false
	case o.opened && v[0] == '-' || o.isWhole():
		return false
	case len(rest) == 0 && (len(line) == o.width || o.hang > 0 && p.start >= o.hang && len(line) == o.width+1):
		return wrapWidth[o.width] || !wholeLength[o.Have]
	case len(line) > o.width || o.Have+len(v) > o.Rule.Value.Max:
		return false
	case o.isShort():
		return wholeVerifier[o.Have+len(v)]
	}
	return wrapWidth[o.width] && (!o.made.isHex() || wholeHex[o.Have+len(v)] && !wholeHex[o.Have])
}

// holdsOther reports whether v holds what names of files and classes, URLs and pairs
// hold, and the rest of a token does not.
func (o *Open) holdsOther(v []byte) bool {
	return o.dots < 0 && bytes.ContainsAny(v, ".:") || bytes.IndexByte(bytes.TrimRight(v, "="), '=') >= 0
}

// endsWord reports whether a shell's word, or what it is a part of, may end where
// rest follows it: the next option or pair, another line, a quote, a sign.
func endsWord(rest []byte) bool {
	if len(rest) < 2 || !isBlank(rest[0]) {
		return true
	}
	rest = rest[1:]
	end := run(rest, 0, len(rest), inKeyOrDot)
	return !isAlnum(rest[0]) || end < len(rest) && indexByte("=:", rest[end])
}

// stops reports whether the value may end where rest follows it on a further line.
func (o *Open) stops(rest []byte) bool {
	if len(rest) == 0 || rowStop[rest[0]] {
		return true
	}
	if !isBlank(rest[0]) || !wrapWidth[o.width] {
		return false
	}
	end := run(rest, 1, len(rest), inKeyOrDot)
	return end > 1 && end < len(rest) && rest[end] == '=' || bytes.HasPrefix(rest[1:], []byte("HTTP/"))
}

var inKeyOrDot = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

// isShort reports whether the value so far is a verifier that is shorter than
// verifiers are (RFC 7636 §4.1).
func (o *Open) isShort() bool { return o.Kind == "code_verifier" && o.Have < 43 }

// isWhole reports whether the value so far has the length of one of 32 or 64 bytes, or
// of a digest in hexadecimal: few lines end by chance where one does.
func (o *Open) isWhole() bool {
	return !o.isShort() && (o.Have == fositePart || o.Have == 2*fositePart || o.made.isHex() && wholeHex[o.Have])
}

// wholeLength are the lengths that values of a number of bytes that is common have in
// base64 and in letters.
var wholeLength = map[int]bool{20: true, 22: true, 24: true, 27: true, 32: true, 36: true, 40: true, 43: true, 44: true, 48: true, 64: true, 86: true, 88: true, 128: true}

// wholeVerifier and wholeHex are the lengths that verifiers (of 32, 48, 64, 72 and 96
// bytes) and hexadecimal values have as a whole.
var (
	wholeVerifier = map[int]bool{43: true, 64: true, 86: true, 96: true, 128: true}
	wholeHex      = map[int]bool{32: true, 40: true, 48: true, 64: true, 96: true, 128: true}
)

// isRest reports whether v may be the rest of a random value and no word, date, number.
func isRest(v []byte) bool {
	return (looksRandom(v) || len(v) >= minCut && score(v) > 0 && !isWords(v)) && !isDate(v) && !isNumber(v) && !isUUIDs(v)
}

// hasName reports whether v begins with a name and a hyphen or underscore, as names
// with a random end (nextline_…) and digests (sha512-…) do.
func hasName(v []byte) bool {
	n := run(v, 0, len(v), lowers)
	end := run(v, n, len(v), digits)
	if end >= len(v) || v[end] != '-' && v[end] != '_' {
		return false
	}
	const least = 6
	return n >= least && score(v[:n]) < 0 || string(v[:n]) == "sha" && end > n
}

var lowers = setOf("abcdefghijklmnopqrstuvwxyz")

// wrapWidth are the widths that terminals (columns, and one less), mail, base64 and
// programs that cut lines wrap at. The common ones alone: a line of any width may end
// in a value, and one of an id follow it.
var wrapWidth = func() (out map[int]bool) {
	out = map[int]bool{}
	for _, w := range []int{
		64, 72, 76, 78, 79, 80, 100, 120, 132, 160, 200, 255, 256, 500, 511, 512, 998, 1000, 1023, 1024, 2000, 2047, 2048, 4000, 4095, 4096,
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
		if len(v) < minCut || !isRest(v) || !o.made.alike(v, o.Have) || len(rest) > 0 && !indexByte(",;)}]", rest[0]) {
			return p, Open{}, false
		}
	}
	after := *o
	after.Have += len(v)
	after.Rows++
	p.more = after.readJoin(rest)
	return p, after, true
}
