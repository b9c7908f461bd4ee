package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Open is a value that ended where its line ends and may go on in the next one:
// what is known of it when that line comes. It is plain data and holds no byte of
// the value, so that it can be kept for as long as the next line takes.
//
// A line that follows one which ends in a value is mostly a line of its own. So
// each way to go on wants its proof: see next.
type Open struct {
	Rule       *rules.Rule // nil: nothing is open
	Kind       rules.Kind
	Confidence rules.Confidence
	// Have is the length of the value so far, Rows the number of further lines that
	// it has gone on over.
	Have, Rows int

	width, indent int  // of the first line, in bytes
	hang          int  // the column of the string or bracket that the value stands in, where programs go on
	row, margin   int  // of the last further line
	dots          int  // of a JWT so far; -1: it is none
	tail          byte // '=' (quoted-printable) or '\\' that the line ends with, or 0
	quote         byte // quotes that are open, or that close and open on each line
	joined        byte // what joins strings: an operator, or ' ' for nothing; 0: no strings
	printable     bool // the line shows that it is quoted-printable
	header        bool // the line is a header field
	padded        bool // the value ends in the padding of base64
	opened        bool // the line opens what a line with the same id and a minus closes (mod_log_forensic)
	soft          bool // the equals sign at its line's end is no padding
	made          makeup
	label         int          // bytes of the offset that a dump's row begins with; 0: it is none
	offset        int          // of the next row
	blob          layer.Base64 // what the value is written in over its lines (blobrows.go)
	phase         int          // characters of the last group of four that are there
	awaited       awaited      // a key without its value: nothing of that is there yet
}

// Live reports whether anything is open.
func (o *Open) Live() bool { return o.Rule != nil }

const (
	maxRowTail = 16      // bytes behind a value at its line's end
	maxColours = 160     // the same where colours fill the row
	minRow     = 40      // width from which lines are wrapped
	maxLook    = 4 << 10 // bytes before a value that are looked at for what is open
)

// opens tells whether finding f, whose line goes to eol, may go on behind it.
func (s *Scanner) opens(f *Finding, eol int) (Open, bool) {
	b := s.arena
	if f.Form.Base64 != 0 && !f.Repeat {
		return s.opensBlob(f, eol)
	}
	if f.Form.Base64 != 0 || f.Repeat || f.End != f.Start && s.markedAt(f) {
		return Open{}, false
	}
	line := lineStart(b, f.Blob, max(f.Low, f.Blob-maxLook))
	before := b[line:f.Blob]
	o := Open{Rule: f.Rule, Kind: f.Kind, Confidence: f.Confidence, Have: f.End - f.Start, dots: -1}
	o.width, o.indent = eol-line, margin(b[line:eol])
	o.printable = bytes.Contains(before, []byte("=3D")) && isPrintable(b[line:eol])
	o.header = isField(before)
	o.hang = hangOf(before)
	o.opened = len(before) > 0 && before[0] == '+' && bytes.IndexByte(before, '|') > minRest
	o.made, o.padded = madeOf(b[f.Start:f.End]), b[f.End-1] == '='
	if v := b[f.Start:f.End]; bytes.HasPrefix(v, []byte("eyJ")) {
		o.dots = dots(v)
	}
	if o.readLabel(b[line:eol]); o.label > 0 {
		return o, f.End == eol && f.Blob >= line+o.label
	}
	o.quote = openQuote(before)
	if f.End == eol && o.isSoftBreak(b[f.Start:eol]) {
		f.End--
		o.padded, o.soft = false, true
	}
	return o, o.readTail(undecorated(b[f.End:eol]))
}

// undecorated is what stands behind a value without what sets colours there, and
// without the blanks that they fill a row with.
func undecorated(rest []byte) []byte {
	if len(rest) == 0 || rest[0] != 0x1b {
		return rest
	}
	p := indented(rest)
	if p > 0 && p < len(rest) && isBlank(rest[p-1]) { // text of another column
		return rest
	}
	return rest[p:]
}

// indented counts the blanks and the bytes of what sets colours that a line begins with.
func indented(line []byte) int {
	n := margin(line)
	for n < len(line) && line[n] == 0x1b {
		k := sgr(line, n, len(line))
		if k == 0 {
			return n
		}
		n += k
		n += margin(line[n:])
	}
	return n
}

// isSoftBreak reports whether the equals sign that v, a value at its line's end, ends
// in is a soft line break, which is no part of it: the line is quoted-printable, or
// the sign is no padding, which fills up to a multiple of four.
func (o *Open) isSoftBreak(v []byte) bool {
	n := len(v) - 1
	if n < minCut || v[n] != '=' || v[n-1] == '=' {
		return false
	}
	return o.printable || o.width <= maxPrintable && n%4 != 3
}

// printable steps over the rest of an equals sign as quoted-printable writes it
// (code=3DV). A value may begin with the same two characters: the line around it must
// be quoted-printable.
func (c *candidate) printable(b []byte) {
	p := c.glue.start
	if c.glue.sep != '=' || c.glue.slash < 0 || c.glue.pct > 0 || p == c.Low || p+2 >= c.High || string(b[p-1:p+2]) != "=3D" {
		return
	}
	const around = 256
	end, eol := lineEnd(b, p, min(c.High, p+around))
	line := b[lineStart(b, p, max(c.Low, p-around)):end]
	if eol < 0 && end < c.High { // what it is cut to may end in a sign that is no soft break
		line = bytes.TrimRight(line[:len(line)-2], "=")
	}
	if isPrintable(line) {
		c.glue.start = p + 2
	}
}

// isPrintable reports whether a line is quoted-printable: each of its equals signs
// begins an escape or is the soft break at its end, and there are two of them.
func isPrintable(line []byte) bool {
	signs := 0
	for p := 0; ; signs++ {
		n := bytes.IndexByte(line[p:], '=')
		if n < 0 {
			return signs > 1
		}
		p += n + 1
		for q := p; q < min(p+2, len(line)); q++ {
			if unhex(line[q]) > 15 || isLower(line[q]) {
				return false
			}
		}
	}
}

// maxPrintable is the length of the longest line in quoted-printable (RFC 2045 §6.7).
const maxPrintable = 76

// markedAt reports whether the value was cut by whoever wrote it: it does not go on.
func (s *Scanner) markedAt(f *Finding) bool { return f.Truncated && markAt(s.arena, f.End, f.High) }

// readTail reads what stands behind a value at its line's end. False when the value
// does not go on behind it.
func (o *Open) readTail(rest []byte) bool {
	switch {
	case len(rest) == 0:
		return true
	case len(rest) == 1 && (rest[0] == '=' || rest[0] == '\\'):
		o.tail = rest[0]
		return true
	case o.quote != 0 && rest[0] == o.quote:
		return o.readJoin(rest[1:])
	}
	return false
}

// readJoin reads what joins the string that ended to the one on the next line.
func (o *Open) readJoin(rest []byte) bool {
	rest = bytes.TrimSpace(rest)
	switch string(rest) {
	case "":
		o.joined = ' '
	case "+", ".", "\\", "&", "~", "<>", "..", "||":
		o.joined = rest[0]
	default:
		return false
	}
	return true
}

// openQuote returns the quote that is open at the end of text, or 0. The one before
// the value may be any; another must stand where quotes open: before a character and
// behind none of a word.
func openQuote(text []byte) byte {
	n := len(text)
	if n > 0 && (text[n-1] == '\'' || text[n-1] == '`' || text[n-1] == '"') {
		return text[n-1]
	}
	if bytes.Count(text, []byte(`"`))%2 == 0 {
		return 0
	}
	p := bytes.LastIndexByte(text, '"')
	if p+1 == n || isBlank(text[p+1]) || p > 0 && isAlnum(text[p-1]) {
		return 0
	}
	return '"'
}

// hangOf returns the column of the last bracket or quote that begins a string or a list
// in text, where what is printed in columns goes on, or 0.
func hangOf(text []byte) int {
	for p := len(text) - 1; p > 1; p-- {
		if indexByte("'\"([{", text[p]) && text[p-1] == ' ' && (text[p-2] == '=' || text[p-2] == ':') {
			return p
		}
	}
	return 0
}

// isField reports whether text begins with the name of a header field and a colon,
// as it is or behind the mark of a trace (> or <).
func isField(text []byte) bool {
	text = bytes.TrimLeft(text, "<> ")
	n := 0
	for n < len(text) && (isAlnum(text[n]) || text[n] == '-') {
		n++
	}
	return n > 1 && n+1 < len(text) && text[n] == ':' && isBlank(text[n+1])
}

// margin counts the blanks that a line begins with.
func margin(line []byte) int {
	n := 0
	for n < len(line) && isBlank(line[n]) {
		n++
	}
	return n
}

// readLabel reads the offset of a row of a dump of text (00c0: …, as curl's trace
// has it), and with it what the next row's must be.
func (o *Open) readLabel(line []byte) {
	n, at := 0, 0
	for ; n < len(line) && n <= 8 && unhex(line[n]) < 16; n++ {
		at = at<<4 | int(unhex(line[n]))
	}
	if o.label = 0; n < 4 || n+2 >= len(line) || line[n] != ':' || line[n+1] != ' ' {
		return
	}
	o.label = n + 2
	o.offset = at + len(line) - o.label
}

// Continues reports whether the value goes on in line, which has no line end.
func (o Open) Continues(line []byte) bool {
	if o.awaited.what != awaitsNothing {
		return true
	}
	_, _, ok := o.next(line)
	return ok
}
