package detect

import (
	"bytes"
	"slices"
)

// priority says which of two candidates for the same bytes names the kind.
func (c *candidate) priority() int { return priority(c.trigger) }

func priority(t *Trigger) int {
	switch t.form {
	case formKey:
		return 4
	case formScheme:
		return 3
	case formWeak:
		return 1
	}
	if len(t.elems) <= 4 { // short prefixes (eyJ) say little
		return 0
	}
	return 2
}

// resolve turns candidates into findings that do not overlap. Candidates that
// share bytes become one: what covers most names it, and all of it is masked.
func (s *Scanner) resolve() {
	slices.SortStableFunc(s.candidates, func(a, b candidate) int {
		switch {
		case a.Blob != b.Blob:
			return a.Blob - b.Blob
		case a.End != b.End:
			return b.End - a.End
		case a.priority() != b.priority():
			return b.priority() - a.priority()
		default: // the longer key says more: registration_access_token
			return a.KeyStart - b.KeyStart
		}
	})
	for i := 0; i < len(s.candidates); {
		best := s.candidates[i]
		end := best.End
		j := i + 1
		for ; j < len(s.candidates) && s.candidates[j].Blob < end; j++ {
			other := &s.candidates[j]
			if other.End > end { // a partial overlap: mask both as one
				end = other.End
				best.Blob = min(best.Blob, other.Blob)
				best.Start, best.Form.Base64, best.Form.Lead = best.Blob, 0, 0
			}
			best.Form.Percent = best.Form.Percent || other.Form.Percent
			best.Form.Backslash = best.Form.Backslash || other.Form.Backslash
		}
		best.End = end
		s.findings = append(s.findings, best.Finding)
		i = j
	}
}

// minRepeat is the length from which a value is looked for elsewhere in its
// record: shorter ones are words by chance.
const minRepeat = 8

// repeats looks for confirmed values elsewhere in their records.
func (s *Scanner) repeats(b *Batch) {
	first := len(s.findings)
	for i := range s.findings[:first] {
		f := s.findings[i]
		if f.Form.Base64 == 0 {
			s.repeat(b, f, s.arena[f.Start:f.End], first)
		}
		if f.Form.Percent || f.Form.Backslash || f.Form.Base64 != 0 {
			s.scratch = f.Value(s.scratch[:0], s.arena)
			s.repeat(b, f, s.scratch, first)
		}
	}
	if len(s.findings) > first {
		slices.SortStableFunc(s.findings, func(a, b Finding) int { return a.Blob - b.Blob })
	}
}

func (s *Scanner) repeat(b *Batch, f Finding, value []byte, known int) {
	if len(value) < minRepeat {
		return
	}
	for p := f.RecordLow; ; {
		n := bytes.Index(s.arena[p:f.RecordHigh], value)
		if n < 0 {
			return
		}
		start := p + n
		end := start + len(value)
		p = end
		if s.taken(start, end, known) || wordAround(s.arena, start, end, f.RecordLow, f.RecordHigh) {
			continue
		}
		again := f
		again.Start, again.End, again.Blob, again.KeyStart = start, end, start, start
		again.Repeat = true
		again.Form.Base64, again.Form.Lead = 0, 0
		if !again.settle(b) {
			continue
		}
		s.findings = append(s.findings, again)
	}
}

// taken reports whether a finding already covers part of the range. The first
// known findings are sorted and do not overlap; repeats come behind them.
func (s *Scanner) taken(start, end, known int) bool {
	i, _ := slices.BinarySearchFunc(s.findings[:known], start, func(f Finding, start int) int {
		if f.End <= start {
			return -1
		}
		return 1
	})
	if i < known && s.findings[i].Blob < end {
		return true
	}
	for _, f := range s.findings[known:] {
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
	for i, s := range b.segments {
		if s.Start <= f.Start && f.End <= s.End {
			f.Segment, f.Low, f.High = i, s.Start, s.End
			return true
		}
	}
	return false
}

// wordAround reports whether the range is the inside of a longer word.
func wordAround(b []byte, start, end, lo, hi int) bool {
	return start > lo && isAlnum(b[start-1]) && !boundary(b, start, lo) || end < hi && isAlnum(b[end])
}
