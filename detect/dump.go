package detect

import (
	"bytes"
	"slices"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Dumps of bytes in hexadecimal: curl --trace, xxd, hexdump -C, Go's hex.Dump, tcpdump
// -X, Wireshark, Netty's ByteBuf. A secret goes on over rows there, and stands in two
// columns. The rows are put together, scanned like any text, and what is found is
// masked in both columns of each row, length for length.

// dumpHeads begin the first row of a dump, whose offset is zero.
var dumpHeads = []string{"0000: ", "0000  ", "|00000000|"}

const (
	// maxDump bounds the bytes of one dump; what follows is another one.
	maxDump = 1 << 20
	// maxRowBytes bounds those of a row, maxRowLine its characters.
	maxRowBytes = 64
	maxRowLine  = 512
)

// dumpTriggers find the first rows of dumps.
func dumpTriggers(r *rules.Rule) []*Trigger {
	var out []*Trigger
	for _, head := range dumpHeads {
		t := &Trigger{Rule: r, Key: "dump", form: formDump, tail: len(head)}
		t.elems = literalElems(head, false)
		out = append(out, t)
	}
	return out
}

// Dump says where in a dump a finding stands: the finding is one column of one row.
type Dump struct {
	// Row is where the row begins in which the value does; Lo and Hi are the value's
	// bytes, counted from the row's first.
	Row, Lo, Hi int
	// Form says how the value is written in the dumped bytes.
	Form layer.Form
}

// value appends the value of a finding in a dump to dst.
func (d *Dump) value(dst, arena []byte) []byte {
	text := readDump(arena[d.Row:], d.Hi)
	defer clear(text[:cap(text)])
	if len(text) < d.Hi {
		return dst
	}
	return d.Form.Decode(dst, text[d.Lo:d.Hi])
}

// dumpRow is one row: n bytes, where their digits stand in the line, and where the
// column of characters begins (0: there is none).
type dumpRow struct {
	offset int
	n      int
	bytes  [maxRowBytes]byte
	at     [maxRowBytes]int
	chars  int
}

// read reads a row. False when the line is none, from its first byte to its last.
func (r *dumpRow) read(line []byte) bool {
	p, ok := r.readOffset(line)
	if !ok || len(line) > maxRowLine {
		return false
	}
	n := 0
	for n < maxRowBytes {
		q := p
		for q < len(line) && q-p < 3 && line[q] == ' ' {
			q++
		}
		if q+1 >= len(line) || unhex(line[q]) > 15 || unhex(line[q+1]) > 15 {
			break
		}
		r.bytes[n], r.at[n] = unhex(line[q])<<4|unhex(line[q+1]), q
		n++
		p = q + 2
	}
	for r.n = n; r.n > 0; r.n-- { // the first characters may look like digits
		if r.findChars(line, r.at[r.n-1]+2) {
			return true
		}
	}
	r.n, r.chars = n, 0
	return n > 0 && len(bytes.TrimRight(line[r.at[n-1]+2:], " \r")) == 0
}

// readOffset reads the offset that a row begins with, and what ends it.
func (r *dumpRow) readOffset(line []byte) (p int, ok bool) {
	for p < len(line) && isBlank(line[p]) {
		p++
	}
	piped := p < len(line) && line[p] == '|'
	if piped {
		p++
	}
	if p+1 < len(line) && line[p] == '0' && line[p+1] == 'x' {
		p += 2
	}
	start := p
	for r.offset = 0; p < len(line) && p-start < 9 && unhex(line[p]) < 16; p++ {
		r.offset = r.offset<<4 | int(unhex(line[p]))
	}
	if p-start < 4 || p-start > 8 || p+1 >= len(line) {
		return 0, false
	}
	switch {
	case piped:
		return p + 1, line[p] == '|'
	case line[p] == ':':
		return p + 1, line[p+1] == ' '
	}
	return p, line[p] == ' ' && line[p+1] == ' '
}

// findChars finds the column of characters behind the digits: as many as bytes, at the
// line's end or between bars.
func (r *dumpRow) findChars(line []byte, end int) bool {
	line = bytes.TrimRight(line, "\r")
	if bar := bytes.IndexByte(line[end:], '|'); bar >= 0 && len(bytes.TrimLeft(line[end:end+bar], " ")) == 0 {
		if at := end + bar + 1; at+r.n < len(line) && r.fits(line[at:at+r.n]) && len(bytes.TrimLeft(line[at+r.n:], " ")) == 1 {
			r.chars = at
			return true
		}
	}
	at := len(line) - r.n
	if at <= end || line[at-1] != ' ' || len(bytes.TrimLeft(line[end:at], " ")) > 0 || !r.fits(line[at:]) {
		return false
	}
	r.chars = at
	return true
}

// fits reports whether chars are what the row's bytes are shown as.
func (r *dumpRow) fits(chars []byte) bool {
	for i, c := range chars {
		if b := r.bytes[i]; c != b && (c != '.' || b >= ' ' && b < 0x7f) {
			return false
		}
	}
	return true
}

// IsDumpRow reports whether a line, without its end, is a row of a dump in hexadecimal,
// as it is or behind what a logger writes before it.
func IsDumpRow(line []byte) bool {
	_, ok := rowIn(line)
	return ok
}

const (
	// maxBeforeRow bounds what a logger writes before a row.
	maxBeforeRow = 256
	// maxRowStarts bounds the places at which a row is looked for.
	maxRowStarts = 8
)

// rowIn returns where the row begins that a line ends with.
func rowIn(line []byte) (int, bool) {
	var r dumpRow
	if r.read(line) {
		return 0, true
	}
	starts := 0
	for p := 1; p < min(len(line), maxBeforeRow) && starts < maxRowStarts; p++ {
		if unhex(line[p]) > 15 && line[p] != '|' || !beforeRow(line[p-1]) {
			continue
		}
		starts++
		if r.read(line[p:]) {
			return p, true
		}
	}
	return 0, false
}

func beforeRow(c byte) bool { return isBlank(c) || c == ':' || c == ']' || c == '>' }

// readDump returns the bytes of the dump whose rows text begins with, at least n if
// there are as many.
func readDump(text []byte, n int) (out []byte) {
	eachRow(text, func(_, _ int, r *dumpRow) bool {
		out = append(out, r.bytes[:r.n]...)
		return len(out) < n
	})
	return out
}

// eachRow calls fn with each row of the dump that text begins with, where it begins and
// where its line ends, while fn says so, and returns the latter of the last one. Before
// the first row nothing stands; before each other there may be what a logger writes.
func eachRow(text []byte, fn func(at, eol int, r *dumpRow) bool) (end int) {
	var r dumpRow
	next := -1
	for at := 0; at < len(text); {
		eol := len(text)
		if n := bytes.IndexByte(text[at:min(len(text), at+maxRowLine+2)], '\n'); n >= 0 {
			eol = at + n
		} else if eol-at > maxRowLine {
			return end
		}
		line := bytes.TrimRight(text[at:eol], "\r")
		start, ok := 0, false
		if next < 0 {
			ok = r.read(line)
		} else if start, ok = rowIn(line); ok {
			ok = r.read(line[start:]) && r.offset == next
		}
		if !ok {
			return end
		}
		next, end = r.offset+r.n, eol
		if !fn(at+start, eol, &r) {
			return end
		}
		at = eol + 1
	}
	return end
}

// confirmDump scans the dump whose first row an event is in.
func (s *Scanner) confirmDump(t *Trigger, to int, at place) {
	hi := at.hi
	if at.segment < 0 {
		hi = len(s.arena)
	}
	line := lineStart(s.arena, to-t.tail, max(at.lo, to-t.tail-maxRowLine))
	end, _ := lineEnd(s.arena, line, min(hi, line+maxRowLine+2))
	if start, ok := rowIn(s.arena[line:end]); ok {
		s.scanDump(t.Rule, line+start, hi, at)
	}
}

// beginsInDump reports whether the first line of text is a row of a dump.
func beginsInDump(text []byte) bool {
	line := text[:min(len(text), maxRowLine+2)]
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	return IsDumpRow(bytes.TrimRight(line, "\r"))
}

// goOnDump scans the rest of a dump that the text begins in.
func (s *Scanner) goOnDump() {
	if !beginsInDump(s.arena) {
		return
	}
	end, _ := lineEnd(s.arena, 0, min(len(s.arena), maxRowLine+2))
	start, _ := rowIn(s.arena[:end])
	for _, t := range s.db.triggers {
		if t.form == formDump {
			s.scanDump(t.Rule, start, len(s.arena), place{segment: -1})
			return
		}
	}
}

// scanDump scans the dump whose first row begins at row.
func (s *Scanner) scanDump(rule *rules.Rule, row, hi int, at place) {
	var text []byte
	var rows []int // where they begin in text, and in the arena
	known := len(s.dumps)
	eachRow(s.arena[row:hi], func(at, eol int, r *dumpRow) bool {
		rows = append(rows, len(text), row+at)
		s.dumps = append(s.dumps, bounds{uint32(row + at), uint32(row + eol)})
		text = append(text, r.bytes[:r.n]...)
		return len(text) < maxDump
	})
	defer func() { clear(text[:cap(text)]) }()
	if len(text) < minCut {
		s.dumps = s.dumps[:known]
		return
	}
	found, err := []Finding(nil), error(nil)
	if s.depth < maxBlobDepth {
		found, err = s.inside(text, false)
	}
	if err != nil || s.depth >= maxBlobDepth { // nothing that was not scanned passes
		found = []Finding{{End: len(text), Rule: rule, Kind: rule.Kind, Confidence: rules.Possible}}
	}
	for i := range found {
		s.addDumped(&found[i], rows, at)
	}
}

// addDumped adds what was found in a dump's bytes, for each column of each row.
func (s *Scanner) addDumped(in *Finding, rows []int, at place) {
	first := len(s.dumped)
	var r dumpRow
	from := 0
	for i := 0; i+3 < len(rows) && rows[i+2] <= in.Blob; i += 2 {
		from = i + 2
	}
	for i := from; i < len(rows) && rows[i] < in.End; i += 2 {
		begin := rows[i+1]
		eol := min(len(s.arena), begin+maxRowLine+2)
		if n := bytes.IndexByte(s.arena[begin:eol], '\n'); n >= 0 {
			eol = begin + n
		}
		line := bytes.TrimRight(s.arena[begin:eol], "\r")
		if !r.read(line) {
			return
		}
		lo, hi := max(0, in.Blob-rows[i]), min(r.n, in.End-rows[i])
		f := *in
		f.Inside, f.Lines, f.Segment = nil, 0, at.segment
		f.Low, f.High, f.RecordLow, f.RecordHigh = at.lo, at.hi, at.rlo, at.rhi
		if at.segment < 0 {
			f.Low, f.High = begin, begin+len(line)
			f.RecordLow, f.RecordHigh = f.Low, f.High
		}
		f.Part = in.Part || len(s.dumped) > first
		f.Dump = Dump{Row: begin, Lo: lo, Hi: hi}
		if len(s.dumped) == first {
			f.Dump.Hi, f.Dump.Form = lo+in.End-in.Blob, in.Form
		}
		s.addColumn(f, begin+r.at[lo], begin+r.at[hi-1]+2, layer.FillHex)
		if r.chars > 0 {
			f.Part, f.Dump = true, Dump{Row: begin, Lo: lo, Hi: hi}
			s.addColumn(f, begin+r.chars+lo, begin+r.chars+hi, layer.FillText)
		}
		if i > from {
			s.dumped[first].Lines++
		}
	}
}

func (s *Scanner) addColumn(f Finding, start, end int, fill layer.Fill) {
	f.Start, f.Blob, f.KeyStart, f.End = start, start, start, end
	f.Form = layer.Form{Fill: fill}
	s.dumped = append(s.dumped, f)
}

// inDump reports whether an event is in a dump that was scanned.
func (s *Scanner) inDump(to int) bool {
	n := len(s.dumps)
	if n == 0 || to > int(s.dumps[n-1].hi) {
		return false
	}
	i, _ := slices.BinarySearchFunc(s.dumps, to, func(d bounds, to int) int { return int(d.hi) - to })
	return i < n && to > int(s.dumps[i].lo)
}

// mergeDumps puts what was found in dumps in its place among the findings, and drops
// what else was found in their rows.
func (s *Scanner) mergeDumps() {
	if len(s.dumps) == 0 {
		return
	}
	s.findings = slices.DeleteFunc(s.findings, func(f Finding) bool {
		i, _ := slices.BinarySearchFunc(s.dumps, f.Blob+1, func(d bounds, from int) int { return int(d.hi) - from })
		return i < len(s.dumps) && f.End > int(s.dumps[i].lo)
	})
	s.findings = append(s.findings, s.dumped...)
	slices.SortStableFunc(s.findings, func(a, b Finding) int { return a.Blob - b.Blob })
}
