package detect

// collectShapes adds an event for each value that is recognised by its whole
// shape, in order among the engine's. It looks at every long word of the arena.
func (s *Scanner) collectShapes(arena []byte) {
	if len(s.db.shapes) == 0 {
		return
	}
	s.shaped = s.shaped[:0]
	longWords(arena, leastShape, &s.words, bestLevel, func(b bounds) {
		for lo := int(b.lo); lo < int(b.hi); {
			hi := run(arena, lo, int(b.hi), inShape)
			if n := hi - lo; n >= leastShape && n <= mostShape+maxAround {
				s.addShape(arena, lo, hi)
			}
			lo = hi + 1
		}
	})
	s.events = mergeEvents(s.events, s.shaped)
}

// maxAround is how many bytes of escapes before a shape and of full stops behind it
// make one word with it.
const maxAround = 16

// inShape is what shapes are made of.
var inShape = alphabets["jwt"]

// addShape looks at a word.
func (s *Scanner) addShape(arena []byte, lo, end int) {
	for end > lo && arena[end-1] == '.' { // of a sentence
		end--
	}
	lo = behindEscape(arena, lo, end)
	for i, t := range s.db.shapes {
		if t.shape.fits(arena[lo:end]) {
			s.shaped = append(s.shaped, event{uint32(len(s.db.triggers) + i), uint32(end)})
		}
	}
}

// mergeEvents merges more into events; both are sorted.
func mergeEvents(events, more []event) []event {
	i, j := len(events)-1, len(more)-1
	events = append(events, more...)
	for k := len(events) - 1; j >= 0; k-- {
		if i >= 0 && compareEvents(events[i], more[j]) > 0 {
			events[k] = events[i]
			i--
		} else {
			events[k] = more[j]
			j--
		}
	}
	return events
}

// wordStart returns where the word that ends before end begins. Escapes before
// it are no part of it.
func wordStart(b []byte, end, lo int) int {
	p := end
	for p > lo && inShape[b[p-1]] {
		p--
	}
	if p == lo {
		return p
	}
	return behindEscape(b, p, end)
}

// behindEscape steps over the rest of an escape that begins before p: %3D, %253D,
// \n, \u003d.
func behindEscape(b []byte, p, hi int) int {
	if p == 0 {
		return p
	}
	if ch := readChar(b, p-1, hi); ch.n > 1 {
		return p - 1 + ch.n
	}
	return p
}
