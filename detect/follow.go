package detect

import (
	"bytes"
	"slices"
)

// follow looks for the rest of values that end where a line ends: in lines, over
// lines; in a segment with line ends, within it. What was open before the text
// (Batch.SetOpen) is followed first. It leaves in s.open what is open at its end.
func (s *Scanner) follow(b *Batch) {
	known := len(s.findings)
	f := following{s: s, b: b}
	if b.lines && b.before.Live() {
		f.at = -1
		f.through(b.before, 0, len(s.arena), Finding{Segment: -1})
	}
	for i := 0; i < known && s.open.Rule == nil; i++ {
		found := &s.findings[i]
		hi := len(s.arena)
		if !b.lines {
			hi = found.High
		}
		if found.Rule == nil || found.Blob < f.done || found.End == hi {
			continue
		}
		tail := maxRowTail
		if s.arena[found.End] == 0x1b {
			tail = maxColours
		}
		end, eol := lineEnd(s.arena, found.End, min(hi, found.End+tail))
		if eol < 0 {
			continue
		}
		if open, ok := s.opens(found, end); ok {
			f.at = i
			f.through(open, eol+1, hi, *found)
		}
	}
	f.followBlobs()
	if len(f.parts) == 0 {
		return
	}
	s.findings = slices.DeleteFunc(s.findings, func(f Finding) bool { return f.Rule == nil })
	s.findings = append(s.findings, f.parts...)
	slices.SortStableFunc(s.findings, func(a, b Finding) int { return a.Blob - b.Blob })
}

// lineEnd returns where the line's text and the line end at or behind p, or -1 for
// the latter when there is none before hi.
func lineEnd(b []byte, p, hi int) (end, eol int) {
	n := bytes.IndexByte(b[p:hi], '\n')
	if n < 0 {
		return hi, -1
	}
	eol = p + n
	if end = eol; n > 0 && b[eol-1] == '\r' {
		end--
	}
	return end, eol
}

// following is the state of one follow.
type following struct {
	s     *Scanner
	b     *Batch
	at    int // the finding that goes on, -1 for one of the text before
	done  int // findings that begin before are part of what was followed
	parts []Finding
}

// through follows one value from line to line.
func (f *following) through(o Open, lo, hi int, first Finding) {
	s := f.s
	for lo < hi {
		end, eol := lineEnd(s.arena, lo, hi)
		if eol < 0 {
			eol = hi
			if end > lo && s.arena[end-1] == '\r' {
				end--
			}
		}
		p, after, ok := o.next(s.arena[lo:end])
		if !ok {
			return
		}
		more := first
		more.Rule, more.Kind, more.Confidence, more.Form = o.Rule, o.Kind, o.Confidence, p.form
		more.Start, more.End, more.Repeat, more.Truncated, more.Lines = lo+p.start, lo+p.end, false, false, 0
		if f.b.lines {
			more.Low, more.High, more.RecordLow, more.RecordHigh = lo, end, lo, end
		}
		f.absorb(&more)
		more.Blob, more.KeyStart, more.Part = more.Start, more.Start, o.Have > 0
		f.parts = append(f.parts, more)
		if f.at >= 0 {
			s.findings[f.at].Lines++
			s.findings[f.at].Truncated = false
		}
		o, f.done, lo = after, lo+p.end, eol+1
		if !p.more {
			return
		}
	}
	if f.b.lines && len(s.arena) > 0 && s.arena[len(s.arena)-1] == '\n' {
		s.open = o
	}
}

// absorb drops the findings that share bytes with a part, which then covers them.
func (f *following) absorb(p *Finding) {
	all := f.s.findings
	i, _ := slices.BinarySearchFunc(all, p.Start, func(g Finding, start int) int {
		if g.End <= start {
			return -1
		}
		return 1
	})
	if f.at >= i {
		i = f.at + 1
	}
	for ; i < len(all) && all[i].Blob < p.End; i++ {
		if all[i].End > p.Start && all[i].Rule != nil {
			p.Start, p.End = min(p.Start, all[i].Blob), max(p.End, all[i].End)
			all[i].Rule = nil
		}
	}
}
