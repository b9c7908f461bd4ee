package detect

import (
	"bytes"
	"encoding/base64"
	"slices"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Base64 is wrapped, mostly at 64 or 76 characters, and inside a string the line ends are
// text: \n, \r\n, with any number of backslashes. Such a blob is decoded as one, and
// masked whole: its writing is not kept.

// minWrapped is the least width at which base64 is wrapped.
const minWrapped = 16

// inStd are the characters of base64.
var inStd = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

// textBreak returns the length of the line end, written as text, that b begins with.
func textBreak(b []byte) int {
	p := 0
	for range 2 {
		q := p
		for q < len(b) && q-p < maxSlashes && b[q] == '\\' {
			q++
		}
		if q == p || q >= len(b) || b[q] != 'n' && b[q] != 'r' {
			break
		}
		p = q + 1
		if b[q] == 'n' {
			break
		}
	}
	return p
}

// breakBefore returns where the line end, written as text, begins that ends at p; p
// when there is none.
func breakBefore(b []byte, p, lo int) int {
	for range 2 {
		q := p - 1
		if q <= lo || b[q] != 'n' && b[q] != 'r' || b[q-1] != '\\' {
			return p
		}
		for q > lo && p-q <= maxSlashes && b[q-1] == '\\' {
			q--
		}
		p = q
	}
	return p
}

func isWidth(n int) bool { return n >= minWrapped }

// wrapped extends a blob over line ends that are written as text, where its lines are as
// long as each other but the last, and reports whether there are any.
func (b *blob) wrapped(arena []byte, lo, hi int) bool {
	line := b.start // of the line that the blob was found on
	width := 0      // of a whole line
	for {
		brk := breakBefore(arena, b.start, lo)
		if brk == b.start {
			break
		}
		start := brk
		for start > lo && inStd[arena[start-1]] {
			start--
		}
		start += min(brk-start, escapeHead(arena, start, lo))
		if !isWidth(brk-start) || width != 0 && brk-start != width {
			break
		}
		b.start, width = start, brk-start
	}
	found := b.start < line
	for isWidth(b.end-line) && (width == 0 || b.end-line == width) {
		n := textBreak(arena[b.end:hi])
		next := run(arena, b.end+n, hi, inStd)
		if n == 0 || next == b.end+n || next-b.end-n > b.end-line {
			break
		}
		width = b.end - line
		line, b.end, found = b.end+n, next, true
	}
	if found {
		b.end = min(run(arena, b.end, hi, padding), b.end+2)
	}
	return found
}

var padding = setOf("=")

// confirmWrapped decodes a wrapped blob and takes it whole when something is in it.
func (s *Scanner) confirmWrapped(t *Trigger, b blob, hit int, at place) {
	var clean []byte
	group := 0
	for p := b.start; p < b.end; {
		if n := textBreak(s.arena[p:b.end]); n > 0 {
			p += n
			continue
		}
		if p == hit {
			group = len(clean)
		}
		clean = append(clean, s.arena[p])
		p++
	}
	clean = bytes.TrimRight(clean[(group-t.phase+4)%4:], "=")
	text := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(text, clean) // a cut blob is read as far as it goes
	text = text[:n]
	all := true
	if t.gzip {
		text, all = layer.Inflate(nil, text)
	}
	found, err := s.inside(text, t.gzip)
	if err == nil && len(found) == 0 && all {
		return
	}
	c := candidate{trigger: t}
	c.Rule, c.Kind, c.Confidence = t.Rule, t.Rule.Kind, rules.Likely
	c.Segment, c.Low, c.High, c.RecordLow, c.RecordHigh = at.segment, at.lo, at.hi, at.rlo, at.rhi
	c.Start, c.Blob, c.KeyStart, c.End = b.start, b.start, b.start, b.end
	if err == nil && len(found) > 0 {
		first := slices.MaxFunc(found, func(a, b Finding) int { return rank(a.Rule.Severity) - rank(b.Rule.Severity) })
		c.Rule, c.Kind, c.Confidence = first.Rule, first.Kind, first.Confidence
	}
	s.candidates = append(s.candidates, c)
	clear(text[:cap(text)])
}
