package main

import "testing"

// allocationsBytes is how much text allocations are counted on: no collection of
// garbage, which has allocations of its own, happens within.
const allocationsBytes = 8 << 20

// allocationFigure says what masking allocates.
type allocationFigure struct {
	lines, leaking int
	perLine        float64 // where no line leaks
	perLeaking     float64 // of all lines' allocations, where some leak
}

// allocations counts what masking a text in memory allocates once its buffers have
// grown.
func (m *memory) allocations(text []byte) allocationFigure {
	text = text[:min(len(text), allocationsBytes)]
	var a allocationFigure
	records := map[int]bool{}
	_ = arenas(text, func(arena []byte) error {
		m.first.Lines(&m.lines, arena)
		clear(records)
		for i := range m.lines.Results {
			records[m.lines.Results[i].RecordLow] = true
		}
		a.leaking += len(records)
		return nil
	})
	for _, b := range text {
		if b == '\n' {
			a.lines++
		}
	}
	all := testing.AllocsPerRun(3, func() {
		_, _ = m.text(m.first, text, nil) // the answer was checked before
	})
	if a.leaking == 0 {
		a.perLine = all / float64(a.lines)
	} else {
		a.perLeaking = all / float64(a.leaking)
	}
	return a
}
