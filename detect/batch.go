package detect

import (
	"bytes"
	"encoding/binary"
)

// Batch is one contiguous buffer of many fields, scanned in one call: the
// arena. It is used in one of two ways: SetLines scans text that is already
// lines, in place; Reset, AddText and AddField gather separate records.
//
// A Batch belongs to one goroutine at a time.
type Batch struct {
	text     []byte // of SetLines
	own      []byte // what was gathered
	segments []Segment
	lines    bool
	before   Open

	framing bool // framing for the next segment is there already
	framed  int  // and begins here
}

// Segment is one field of one record in the arena.
type Segment struct {
	// Record is the record's number in the batch, from 0.
	Record int
	// Start and End are the field's bounds in the arena.
	Start, End int

	frame int // where its framing begins
}

// SetLines makes the batch scan text where it stands. Each line (up to \n) is
// a record of one segment. The text must not change until the batch is done.
func (b *Batch) SetLines(text []byte) {
	b.text, b.segments, b.lines, b.before = text, b.segments[:0], true, Open{}
}

// SetOpen tells, behind SetLines, which value the text before ended in: what
// Scanner.Open returned for it. When its first lines go on with it, the findings on
// them are its parts.
func (b *Batch) SetOpen(o Open) { b.before = o }

// Reset empties the batch for gathering; memory is kept.
func (b *Batch) Reset() {
	b.own, b.segments, b.lines, b.framing = b.own[:0], b.segments[:0], false, false
}

// AddText gathers a record's text as it is, and returns its segment number.
// Fields of one record must be added one after the other.
func (b *Batch) AddText(record int, text []byte) int {
	start := len(b.own)
	b.own = append(b.own, text...)
	return b.close(record, start, start, "\n")
}

// AddField gathers a structured field as key="value", so that one grammar
// serves text and structure. The segment is the value alone.
func (b *Batch) AddField(record int, key string, value []byte) int {
	frame := len(b.own)
	b.own = append(b.own, key...)
	b.own = append(b.own, `="`...)
	start := len(b.own)
	b.own = append(b.own, value...)
	return b.close(record, frame, start, "\"\n")
}

func (b *Batch) close(record, frame, start int, end string) int {
	b.segments = append(b.segments, Segment{Record: record, Start: start, End: len(b.own), frame: frame})
	b.own = append(b.own, end...)
	return len(b.segments) - 1
}

// Bytes returns the arena. It is valid until the batch is next changed.
func (b *Batch) Bytes() []byte {
	if b.lines {
		return b.text
	}
	return b.own
}

// Len is the arena's size in bytes.
func (b *Batch) Len() int { return len(b.Bytes()) }

// Segments returns the gathered segments; none for lines.
func (b *Batch) Segments() []Segment { return b.segments }

// Wipe overwrites the gathered bytes, so that no record stays in memory longer
// than its work takes.
func (b *Batch) Wipe() {
	clear(b.own[:cap(b.own)])
	b.Reset()
}

// place is where an event lies: its segment, and the bounds of its record.
type place struct {
	segment  int // -1 for lines
	lo, hi   int // the segment
	rlo, rhi int // the record, framing between its segments included
}

// cursor maps rising arena offsets to places.
type cursor struct {
	batch *Batch
	at    place
	next  int // index of the segment after the current one
}

func (c *cursor) reset(b *Batch) { *c = cursor{batch: b, at: place{segment: -1, lo: 0, hi: -1}} }

// find returns the place of the byte before pos, and whether it is in a segment.
func (c *cursor) find(pos int) (place, bool) {
	if c.batch.lines {
		if pos-1 < c.at.lo || pos-1 >= c.at.hi {
			c.at = linePlace(c.batch.text, pos-1, c.at.hi)
		}
		return c.at, pos-1 < c.at.hi
	}
	if next := c.after(pos); next > c.next {
		c.enter(next - 1)
		c.next = next
	}
	return c.at, c.at.segment >= 0 && pos <= c.at.hi
}

// after returns the first segment whose framing does not begin before pos. Events are few
// on clean text, and the next may be thousands of segments away: the steps double until
// one is too far.
func (c *cursor) after(pos int) int {
	segments := c.batch.segments
	lo, step := c.next, 1 // all before lo begin before pos
	for lo+step <= len(segments) && segments[lo+step-1].frame < pos {
		lo += step
		step *= 2
	}
	for hi := min(lo+step-1, len(segments)); lo < hi; {
		if mid := int(uint(lo+hi) >> 1); segments[mid].frame < pos {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (c *cursor) enter(i int) {
	segments := c.batch.segments
	s := segments[i]
	if c.at.segment < 0 || segments[c.at.segment].Record != s.Record {
		first, last := i, i
		for first > 0 && segments[first-1].Record == s.Record {
			first--
		}
		for last+1 < len(segments) && segments[last+1].Record == s.Record {
			last++
		}
		c.at.rlo = segments[first].frame
		c.at.rhi = segments[last].End
		if end := segments[last]; end.frame < end.Start && c.batch.own[end.End] == '"' {
			c.at.rhi++ // the framing's quote: what is read from the record may need it
		}
	}
	c.at.segment, c.at.lo, c.at.hi = i, s.Start, s.End
}

// linePlace finds the line around a byte. No line that holds the byte begins
// before floor. The line's end (\n, or \r\n) is not part of it.
func linePlace(buf []byte, pos, floor int) place {
	lo, from := max(0, min(floor, pos)), pos
	if pos-lo < nearLine {
		from = lo // line by line; the end of the last one is what is asked for
	} else {
		lo = lineStart(buf, pos, lo)
	}
	for {
		n := bytes.IndexByte(buf[from:], '\n')
		if n < 0 {
			return place{segment: -1, lo: lo, hi: len(buf), rlo: lo, rhi: len(buf)}
		}
		hi := from + n
		if hi < pos {
			lo, from = hi+1, hi+1
			continue
		}
		if hi > lo && buf[hi-1] == '\r' {
			hi--
		}
		return place{segment: -1, lo: lo, hi: hi, rlo: lo, rhi: hi}
	}
}

// nearLine is the distance up to which going forward over line ends is quicker
// than going back to the last one.
const nearLine = 1 << 10

// lineStart is the offset behind the last \n of buf[floor:pos], or floor. It goes
// back eight bytes at a time: a byte of word is zero where there is a \n.
func lineStart(buf []byte, pos, floor int) int {
	const newlines, low, high = 0x0a0a0a0a0a0a0a0a, 0x0101010101010101, 0x8080808080808080
	for pos-8 >= floor {
		word := binary.LittleEndian.Uint64(buf[pos-8:]) ^ newlines
		if (word-low)&^word&high != 0 {
			break
		}
		pos -= 8
	}
	for pos > floor && buf[pos-1] != '\n' {
		pos--
	}
	return pos
}
