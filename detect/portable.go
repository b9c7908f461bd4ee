package detect

import (
	"encoding/binary"
	"math/bits"
)

// The portable engine finds triggers in two steps. The filter looks at three bytes
// in a row, a trigram, at every third byte alone: of the five bytes in a row that
// were chosen for each trigger, one of three trigrams then stands at such a place,
// wherever the trigger begins. A bit for each hash of a wanted trigram says whether
// to look closer. Where the third trigram would be any bytes of a value, the pair
// of bytes that ends at such a place is looked at instead. The second step goes
// from where the trigger would begin through an automaton of all triggers, which is
// exact (docs/design/0010).
const (
	stride   = 3
	trigram  = 3
	hashBits = 17 // 16 KiB of bits: half of a processor's nearest cache
	// fold maps letters to one case, and some other bytes to one another. The
	// automaton tells them apart.
	fold      = 0x20
	fold8     = fold * 0x0101010101010101
	wordShift = 6
	wordMask  = 63
	words     = 1 << (hashBits - wordShift)
)

// portable is the compiled form of all triggers: read only, shared by all scanners.
type portable struct {
	multiplier uint64
	bits       [words]uint64
	pairs      [1 << (16 - wordShift)]uint64
	ranks      [words]uint32 // bits that are set in the words before
	buckets    []uint32      // for each bit that is set, where its spots begin; one more at the end
	spots      []spot
	pairSpots  map[uint16][]spot
	heads      heads
}

// compilePortable builds the engine's tables. It cannot fail: generate has checked
// the triggers.
func compilePortable(triggers []*Trigger) *portable {
	p := &portable{pairSpots: map[uint16][]spot{}}
	if len(triggers) == 0 {
		return p
	}
	chosen := chooseWindows(triggers)
	p.multiplier = chooseMultiplier(chosen)
	p.fill(triggers, chosen)
	p.heads = compileHeads(triggers, chosen)
	return p
}

func (p *portable) engine() (engine, error) { return p, nil }

func (p *portable) close() error { return nil }

// hash is that of the trigram in the lowest three bytes of a folded word; the bytes
// above do not matter.
func hash(word, multiplier uint64) uint64 { return (word << 40) * multiplier >> (64 - hashBits) }

// scan appends the events of arena; it never fails.
func (p *portable) scan(arena []byte, events *[]event) error {
	if len(p.spots) == 0 {
		return nil
	}
	at := p.scanFast(arena, events)
	for ; at < len(arena); at += stride {
		p.lookAt(arena, at, events)
	}
	return nil
}

// lead is what scanFast leaves before it, and ahead what it leaves behind, so that
// it may read eight bytes anywhere.
const lead, ahead = 2 * stride, 14

// scanFast goes four trigrams, twelve bytes, a step and returns where it ended.
func (p *portable) scanFast(arena []byte, events *[]event) int {
	at, mult := 0, p.multiplier
	for ; at < lead && at < len(arena); at += stride {
		p.lookAt(arena, at, events)
	}
	for ; at+ahead <= len(arena); at += 4 * stride {
		b := arena[at-1 : at+ahead : at+ahead]
		v := binary.LittleEndian.Uint64(b)
		w := binary.LittleEndian.Uint64(b[6:])
		q0, q1 := v&0xffff, v>>24&0xffff
		q2, q3 := w&0xffff, w>>24&0xffff
		v |= fold8
		w |= fold8
		h0, h1 := hash(v>>8, mult), hash(v>>32, mult)
		h2, h3 := hash(w>>8, mult), hash(w>>32, mult)
		hit := p.bits[h0>>wordShift]>>(h0&wordMask) |
			p.bits[h1>>wordShift]>>(h1&wordMask) |
			p.bits[h2>>wordShift]>>(h2&wordMask) |
			p.bits[h3>>wordShift]>>(h3&wordMask) |
			p.pairs[q0>>wordShift]>>(q0&wordMask) |
			p.pairs[q1>>wordShift]>>(q1&wordMask) |
			p.pairs[q2>>wordShift]>>(q2&wordMask) |
			p.pairs[q3>>wordShift]>>(q3&wordMask)
		if hit&1 != 0 {
			p.look(arena, at, events)
		}
	}
	return at
}

// look appends the events of triggers that have a trigram at one of four places,
// or a pair that ends there. Mostly one place is behind its being called: which one
// is worked out without a branch, since a processor cannot guess it.
func (p *portable) look(arena []byte, at int, events *[]event) {
	b := arena[at-1 : at+ahead : at+ahead]
	v := binary.LittleEndian.Uint64(b)
	w := binary.LittleEndian.Uint64(b[6:])
	hits := p.passes(v) | p.passes(v>>24)<<1 | p.passes(w)<<2 | p.passes(w>>24)<<3
	for ; hits != 0; hits &= hits - 1 {
		place := at + stride*bits.TrailingZeros64(hits)
		word := binary.LittleEndian.Uint64(arena[place-wordLead:])
		if p.near(word) {
			p.place(arena, place, word, events)
		}
	}
}

// passes is 1 where the filter has the pair or the trigram of a word, whose first
// byte lies before the place, else 0.
func (p *portable) passes(word uint64) uint64 {
	pair := word & 0xffff
	h := hash((word|fold8)>>8, p.multiplier)
	return (p.bits[h>>wordShift]>>(h&wordMask) | p.pairs[pair>>wordShift]>>(pair&wordMask)) & 1
}

// near reports whether the bytes before the place are a trigger's as well.
func (p *portable) near(word uint64) bool {
	if pair := word >> (8*wordLead - 8) & 0xffff; p.pairs[pair>>wordShift]>>(pair&wordMask)&1 != 0 {
		return true
	}
	word |= fold8
	h := hash(word>>(8*wordLead), p.multiplier)
	bucket := p.ranks[h>>wordShift] + uint32(bits.OnesCount64(p.bits[h>>wordShift]&(1<<(h&wordMask)-1)))
	spots := p.spots[p.buckets[bucket]:p.buckets[bucket+1]]
	for i := range spots {
		if word&spots[i].mask == spots[i].want {
			return true
		}
	}
	return false
}

// wordLead is how many bytes of the word around a place lie before it.
const wordLead = 5

// lookAt is look at one place near the arena's ends.
func (p *portable) lookAt(arena []byte, at int, events *[]event) {
	var near [8]byte // zeros beyond the ends: the automaton does not go there
	for i := range near {
		if from := at - wordLead + i; from >= 0 && from < len(arena) {
			near[i] = arena[from]
		}
	}
	p.place(arena, at, binary.LittleEndian.Uint64(near[:]), events)
}

// place looks at one place, the bytes around which word holds.
func (p *portable) place(arena []byte, at int, word uint64, events *[]event) {
	h, pair := hash((word|fold8)>>(8*wordLead), p.multiplier), word>>(8*wordLead-8)&0xffff
	set, bit := p.bits[h>>wordShift], uint64(1)<<(h&wordMask)
	paired := p.pairs[pair>>wordShift]>>(pair&wordMask)&1 != 0
	if set&bit == 0 && !paired {
		return
	}
	t := try{arena: arena, at: at, word: word | fold8}
	if set&bit != 0 {
		bucket := p.ranks[h>>wordShift] + uint32(bits.OnesCount64(set&(bit-1)))
		t.spots(&p.heads, p.spots[p.buckets[bucket]:p.buckets[bucket+1]], events)
	}
	if paired {
		t.spots(&p.heads, p.pairSpots[uint16(pair)], events)
	}
}

// try is what is known of one place.
type try struct {
	arena []byte
	at    int
	word  uint64
	done  [4]uint64 // bit n: triggers that would begin n bytes before are done
}

// spots goes on from where triggers with the spots would begin, where the bytes up
// to the trigram's end are theirs.
func (t *try) spots(h *heads, spots []spot, events *[]event) {
	for i := range spots {
		s := &spots[i]
		if t.word&s.mask != s.want || t.at < int(s.behind) || t.done[s.behind>>6]>>(s.behind&63)&1 != 0 {
			continue
		}
		t.done[s.behind>>6] |= 1 << (s.behind & 63)
		h.find(t.arena, t.at-int(s.behind), s.behind, events)
	}
}
