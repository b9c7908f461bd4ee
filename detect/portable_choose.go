package detect

import (
	"sync"
)

// chosenWindow is the bytes in a row of a trigger that the filter looks for: five,
// or four and a pair. They hold a place that is looked at, wherever they begin.
type chosenWindow struct {
	at       int         // of its first byte in the trigger
	trigrams [3][]uint32 // folded, at the window's first, second and third byte
	pair     []uint16    // instead of the third trigram: the second and third byte
}

// longList is more trigrams than one place of a window should stand for: the bits
// of wide classes of bytes would let too much else through.
const longList = 256

// chooseWindows takes for each trigger the window whose trigrams are rarest in
// logs, all triggers together: what is looked for anyway costs nothing more.
func chooseWindows(triggers []*Trigger) []chosenWindow {
	c := &chooser{stats: sampleStats(), trigrams: map[uint32]bool{}, pairs: map[uint16]bool{}}
	out := make([]chosenWindow, len(triggers))
	for i, t := range triggers {
		out[i] = c.choose(t)
		for _, list := range out[i].trigrams {
			for _, tri := range list {
				c.trigrams[tri] = true
			}
		}
		for _, pair := range out[i].pair {
			c.pairs[pair] = true
		}
	}
	return out
}

// chooser knows what the windows so far look for.
type chooser struct {
	stats    *gramStats
	trigrams map[uint32]bool
	pairs    map[uint16]bool
}

func (c *chooser) choose(t *Trigger) (out chosenWindow) {
	sets := foldedSets(t)
	best := -1.0
	try := func(w chosenWindow) {
		if cost := c.cost(&w); best < 0 || cost < best {
			out, best = w, cost
		}
	}
	for at := 0; at+window <= len(sets); at++ {
		long := 0
		for i := range 3 {
			if literals(sets[at+i:at+i+trigram]) > longList {
				long++
			}
		}
		switch {
		case long == 0:
			try(windowAt(sets, at))
		case long == 1 && literals(sets[at+2:at+2+trigram]) > longList:
			try(pairWindowAt(t, sets, at))
		}
	}
	for at := 0; best < 0; at++ { // Trigger.check has seen that there is one
		if literals(sets[at:at+window]) <= maxExpansion {
			try(windowAt(sets, at))
		}
	}
	return out
}

// literals is how many literals sets stand for, at most maxExpansion+1.
func literals(sets [][]byte) int {
	n := 1
	for _, s := range sets {
		if n *= len(s); n > maxExpansion {
			return maxExpansion + 1
		}
	}
	return n
}

// cost is what a window adds to the work: how often in a million places its
// trigrams and pairs that are not looked for yet are expected in logs.
func (c *chooser) cost(w *chosenWindow) float64 {
	cost := 0.0
	for _, list := range w.trigrams {
		for _, tri := range list {
			if !c.trigrams[tri] {
				cost += c.stats.trigram(tri)
			}
		}
	}
	for _, pair := range w.pair {
		if !c.pairs[pair] {
			cost += c.stats.pair(pair)
		}
	}
	return cost
}

func windowAt(sets [][]byte, at int) chosenWindow {
	w := chosenWindow{at: at}
	for i := range w.trigrams {
		w.trigrams[i] = trigramsOf(sets[at+i:])
	}
	return w
}

func pairWindowAt(t *Trigger, sets [][]byte, at int) chosenWindow {
	w := chosenWindow{at: at}
	w.trigrams[0], w.trigrams[1] = trigramsOf(sets[at:]), trigramsOf(sets[at+1:])
	exact := spread(t.elems)
	for a, in := range exact[at+1] {
		for b, also := range exact[at+2] {
			if in && also {
				w.pair = append(w.pair, uint16(a)|uint16(b)<<8)
			}
		}
	}
	return w
}

func trigramsOf(sets [][]byte) (out []uint32) {
	for _, a := range sets[0] {
		for _, b := range sets[1] {
			for _, c := range sets[2] {
				out = append(out, uint32(a)|uint32(b)<<8|uint32(c)<<16)
			}
		}
	}
	return out
}

// foldedSets gives the folded bytes that may stand at each byte of a trigger.
func foldedSets(t *Trigger) (out [][]byte) {
	known := map[*set][]byte{}
	for _, s := range spread(t.elems) {
		if known[s] == nil {
			known[s] = foldSet(s)
		}
		out = append(out, known[s])
	}
	return out
}

func foldSet(s *set) (out []byte) {
	var folded set
	for c, in := range s {
		if in {
			folded[byte(c)|fold] = true
		}
	}
	for c, in := range folded {
		if in {
			out = append(out, byte(c))
		}
	}
	return out
}

// gramStats tells how often trigrams and pairs are expected in logs.
type gramStats struct {
	grams map[uint32]int // folded
	pairs map[uint16]int // exact
	bytes [256]float64   // share of each folded byte
	total int
}

// sampleStats counts the trigrams of sampleText.
var sampleStats = sync.OnceValue(func() *gramStats {
	s := &gramStats{grams: map[uint32]int{}, pairs: map[uint16]int{}, total: len(sampleText) - trigram + 1}
	for i := range s.total {
		a, b, c := sampleText[i]|fold, sampleText[i+1]|fold, sampleText[i+2]|fold
		s.grams[uint32(a)|uint32(b)<<8|uint32(c)<<16]++
		s.pairs[uint16(sampleText[i])|uint16(sampleText[i+1])<<8]++
		s.bytes[a] += 1 / float64(s.total)
	}
	return s
})

// perBit is how many of a million other trigrams share a bit with one.
const perBit = 1e6 / (1 << hashBits)

// trigram is how many of a million places are expected to have the trigram: as
// often as in the sample, and as its bytes meet by chance, since a sample is short.
func (s *gramStats) trigram(tri uint32) float64 {
	chance := 1.0
	for i := range trigram {
		chance *= s.bytes[byte(tri>>(8*i))] + 1e-4
	}
	return 1e6*(float64(s.grams[tri])/float64(s.total)+chance/4) + perBit
}

// pair is the same of a pair.
func (s *gramStats) pair(pair uint16) float64 {
	chance := (s.bytes[byte(pair)|fold] + 1e-4) * (s.bytes[byte(pair>>8)|fold] + 1e-4)
	return 1e6 * (float64(s.pairs[pair])/float64(s.total) + chance/4)
}

// multipliers are the forms of the hash that are tried.
const multipliers = 24

// chooseMultiplier takes the hash under which the fewest trigrams of the sample
// that nobody looks for share a bit with one that is.
func chooseMultiplier(chosen []chosenWindow) uint64 {
	wanted := map[uint32]bool{}
	for i := range chosen {
		for _, list := range chosen[i].trigrams {
			for _, tri := range list {
				wanted[tri] = true
			}
		}
	}
	stats := sampleStats()
	best, least := uint64(0), -1
	next := uint64(0x9e3779b97f4a7c15)
	for range multipliers {
		next = next*0xd1342543de82ef95 + 0x2545f4914f6cdd1d
		mult := next>>20 | 1
		var filter [words]uint64
		for tri := range wanted {
			h := hash(uint64(tri), mult)
			filter[h>>wordShift] |= 1 << (h & wordMask)
		}
		wrong := 0
		for tri, n := range stats.grams {
			if h := hash(uint64(tri), mult); !wanted[tri] && filter[h>>wordShift]>>(h&wordMask)&1 != 0 {
				wrong += n
			}
		}
		if least < 0 || wrong < least {
			best, least = mult, wrong
		}
	}
	return best
}
