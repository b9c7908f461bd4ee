package detect

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/leakveil/leakveil/internal/layer"
)

// minRepeat is the length from which a value is looked for elsewhere in its
// record: shorter ones are words by chance.
const minRepeat = 8

// fewRepeats is the product of values and bytes up to which a record is searched
// for one value after the other; beyond it, for all of them in one pass.
const fewRepeats = 64 << 10

// repeats looks for confirmed values elsewhere in their records.
func (s *Scanner) repeats(b *Batch) {
	known := len(s.findings)
	for i, j := 0, 0; i < known; i = j {
		f := s.findings[i]
		for j = i + 1; j < known && s.findings[j].RecordLow == f.RecordLow; j++ {
		}
		if (j-i)*(f.RecordHigh-f.RecordLow) <= fewRepeats {
			s.eachRepeat(b, i, j, known)
		} else {
			s.allRepeats(b, i, j, known)
		}
	}
	if len(s.findings) > known {
		slices.SortStableFunc(s.findings, func(a, b Finding) int { return a.Blob - b.Blob })
	}
}

// writings calls fn with the value of a finding as it is written and, where that
// differs, decoded. The decoded bytes are valid during the call.
func (s *Scanner) writings(f *Finding, fn func(value []byte)) {
	if f.Form.Fill == layer.NoFill && f.Form.Base64 == 0 && f.End-f.Start >= minRepeat {
		fn(s.arena[f.Start:f.End])
	}
	if f.Form.Percent || f.Form.Backslash || f.Form.Entity || f.Form.Base64 != 0 {
		if s.scratch = f.Value(s.scratch[:0], s.arena); len(s.scratch) >= minRepeat {
			fn(s.scratch)
		}
	}
}

// eachRepeat searches a record for the values of findings i to j one by one.
func (s *Scanner) eachRepeat(b *Batch, i, j, known int) {
	mine := len(s.findings)
	for ; i < j; i++ {
		f := s.findings[i]
		s.writings(&f, func(value []byte) {
			for p := f.RecordLow; ; {
				n := bytes.Index(s.arena[p:f.RecordHigh], value)
				if n < 0 {
					return
				}
				start := p + n
				p = start + len(value)
				if start == f.Start { // itself
					continue
				}
				if !s.taken(start, p, known, mine) {
					s.addRepeat(b, f, start, p)
				}
			}
		})
	}
}

// needle is a value to look for: bytes [lo,hi) of the scratch of values.
type needle struct{ finding, lo, hi int }

// allRepeats searches a record once for the values of findings i to j: where a
// word ends, its last bytes tell which values can end there.
func (s *Scanner) allRepeats(b *Batch, i, j, known int) {
	lo, hi := s.findings[i].RecordLow, s.findings[i].RecordHigh
	s.values = s.values[:0]
	byTail := map[uint64][]needle{}
	for ; i < j; i++ {
		s.writings(&s.findings[i], func(value []byte) {
			key := binary.LittleEndian.Uint64(value[len(value)-minRepeat:])
			for _, n := range byTail[key] {
				if bytes.Equal(s.values[n.lo:n.hi], value) {
					return
				}
			}
			from := len(s.values)
			s.values = append(s.values, value...)
			byTail[key] = append(byTail[key], needle{i, from, len(s.values)})
		})
	}
	last := lo
	for p := lo + minRepeat; p <= hi; p++ {
		if p < hi && isAlnum(s.arena[p]) {
			continue
		}
		n, ok := s.endsAt(byTail[binary.LittleEndian.Uint64(s.arena[p-minRepeat:p])], last, p)
		start := p - (n.hi - n.lo)
		if ok && !s.taken(start, p, known, len(s.findings)) && s.addRepeat(b, s.findings[n.finding], start, p) {
			last = p
		}
	}
	clear(s.values)
	s.values = s.values[:0]
}

// endsAt returns the longest of the needles that ends at p and begins at lo or later.
func (s *Scanner) endsAt(needles []needle, lo, p int) (best needle, ok bool) {
	for _, n := range needles {
		size := n.hi - n.lo
		if size <= p-lo && size > best.hi-best.lo && bytes.Equal(s.arena[p-size:p], s.values[n.lo:n.hi]) {
			best, ok = n, true
		}
	}
	return best, ok
}

// addRepeat adds the range as a repeat of f, unless it is part of a word or of
// framing.
func (s *Scanner) addRepeat(b *Batch, f Finding, start, end int) bool {
	if wordAround(s.arena, start, end, f.RecordLow, f.RecordHigh) || len(s.findings) > maxFindings { // Scan fails then
		return false
	}
	f.Start, f.End, f.Blob, f.KeyStart = start, end, start, start
	f.Repeat, f.Inside = true, nil
	f.Form.Base64, f.Form.Lead, f.Form.Gzip = 0, 0, false
	if !f.settle(b) {
		return false
	}
	s.findings = append(s.findings, f)
	return true
}

// taken reports whether a finding already covers part of the range. The first
// known findings are sorted and do not overlap; those from mine on are the
// repeats of the same record.
func (s *Scanner) taken(start, end, known, mine int) bool {
	i, _ := slices.BinarySearchFunc(s.findings[:known], start, func(f Finding, start int) int {
		if f.End <= start {
			return -1
		}
		return 1
	})
	if i < known && s.findings[i].Blob < end {
		return true
	}
	for _, f := range s.findings[mine:] {
		if f.Blob < end && start < f.End {
			return true
		}
	}
	return false
}

// settle puts f into the segment that holds it; false when framing does.
func (f *Finding) settle(b *Batch) bool {
	if b.lines {
		return true
	}
	i, _ := slices.BinarySearchFunc(b.segments, f.End, func(s Segment, end int) int { return s.End - end })
	if i == len(b.segments) || b.segments[i].Start > f.Start {
		return false
	}
	f.Segment, f.Low, f.High = i, b.segments[i].Start, b.segments[i].End
	return true
}

// wordAround reports whether the range is the inside of a longer word.
func wordAround(b []byte, start, end, lo, hi int) bool {
	return start > lo && isAlnum(b[start-1]) && !boundary(b, start, lo) || end < hi && isAlnum(b[end])
}
