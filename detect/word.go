package detect

// collectShapes adds an event for each value that is recognised by its whole
// shape. It looks at every long word of the arena.
func (s *Scanner) collectShapes(arena []byte) {
	if len(s.db.shapes) == 0 {
		return
	}
	longWords(arena, leastShape, &s.words, func(b bounds) {
		for lo, hi := int(b.lo), int(b.lo); lo < int(b.hi); lo = hi + 1 {
			if hi = run(arena, lo, int(b.hi), inShape); hi-lo >= leastShape {
				s.addShape(arena, lo, hi)
			}
		}
	})
}

// inShape is what shapes are made of.
var inShape = alphabets["jwt"]

// addShape looks at a word.
func (s *Scanner) addShape(arena []byte, lo, end int) {
	for end > lo && arena[end-1] == '.' { // of a sentence
		end--
	}
	v := arena[wordStart(arena, end, 0):end]
	for i, t := range s.db.shapes {
		if t.shape.fits(v) {
			s.events = append(s.events, event{uint32(len(s.db.triggers) + i), uint32(end)})
		}
	}
}

// wordStart returns where the word that ends before end begins. Escapes before
// it (%3D, %253D, \n, \u003d) are no part of it.
func wordStart(b []byte, end, lo int) int {
	p := end
	for p > lo && inShape[b[p-1]] {
		p--
	}
	if p == lo {
		return p
	}
	if ch := readChar(b, p-1, end); ch.n > 1 {
		return p - 1 + ch.n
	}
	return p
}
