package detect

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A cursor that goes over far segments in large steps is where one is that goes over each.
func TestCursorOverManySegments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b Batch
		b.Reset()
		record := 0
		for range rnd.IntN(200) {
			switch rnd.IntN(5) {
			case 0:
				record++
				b.AddString(record, strings.Repeat("x", rnd.IntN(20)))
			case 1:
				b.OpenScope()
				b.AddPair(record, "name", strings.Repeat("y", rnd.IntN(9)))
				b.CloseScope()
			case 2:
				b.AddFramed(record, Frame{Name: "n"}, strings.Repeat("z", rnd.IntN(30)))
			default:
				b.AddPair(record, strings.Repeat("n", rnd.IntN(9)), strings.Repeat("v", rnd.IntN(50)))
			}
		}
		var positions []int
		for range rnd.IntN(100) {
			positions = append(positions, 1+rnd.IntN(len(b.own)+1))
		}
		slices.Sort(positions)
		var c cursor
		c.reset(&b)
		for _, pos := range positions {
			got, ok := c.find(min(pos, len(b.own)))
			want, wantOK := placeOf(&b, min(pos, len(b.own)))
			if got != want || ok != wantOK {
				t.Fatalf("at %d of %q: %+v %v, want %+v %v", pos, b.own, got, ok, want, wantOK)
			}
		}
	}
}

// placeOf looks at every segment.
func placeOf(b *Batch, pos int) (place, bool) {
	at := place{segment: -1, hi: -1}
	for i, s := range b.segments {
		if s.frame >= pos {
			break
		}
		if at.segment < 0 || b.segments[at.segment].Record != s.Record {
			at.rlo = s.frame
		}
		at.segment, at.lo, at.hi = i, s.Start, s.End
	}
	if at.segment < 0 {
		return at, false
	}
	for _, s := range b.segments {
		if s.Record == b.segments[at.segment].Record {
			if at.rhi = s.End; s.frame < s.Start && b.own[s.End] == '"' {
				at.rhi++
			}
		}
	}
	return at, pos <= at.hi
}
