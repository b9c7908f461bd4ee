package detect

import (
	"math/bits"
	"slices"
)

// spot is where a trigram or a pair that the filter looks for stands in triggers.
type spot struct {
	// mask and want are the eight folded bytes up to the trigram's end, as far as
	// they are the trigger's and each can only be one byte.
	mask, want uint64
	behind     uint8 // bytes from the triggers' beginning to the trigram's
}

// spotAt returns the spot of a trigram at a byte of a trigger.
func spotAt(sets [][]byte, at int, tri uint32) spot {
	s := spot{mask: (1<<24 - 1) << 40, want: uint64(tri) << 40, behind: uint8(at)}
	for i := 1; i <= 5 && i <= at; i++ {
		if before := sets[at-i]; len(before) == 1 {
			s.mask |= 0xff << (40 - 8*i)
			s.want |= uint64(before[0]) << (40 - 8*i)
		}
	}
	return s
}

// pairSpotAt is spotAt for a pair whose second byte stands at a byte of a trigger.
// The two bytes behind it are any.
func pairSpotAt(sets [][]byte, at int) spot {
	s := spot{behind: uint8(at)}
	for i := 0; i <= 5 && i <= at; i++ {
		if before := sets[at-i]; len(before) == 1 {
			s.mask |= 0xff << (40 - 8*i)
			s.want |= uint64(before[0]) << (40 - 8*i)
		}
	}
	return s
}

// filler collects the spots of each hash and pair.
type filler struct {
	hashes map[uint64][]spot
	pairs  map[uint16][]spot
}

// fill writes the filter's bits and the spots behind them.
func (p *portable) fill(triggers []*Trigger, chosen []chosenWindow) {
	f := filler{map[uint64][]spot{}, map[uint16][]spot{}}
	for i := range chosen {
		sets := foldedSets(triggers[i])
		for k, list := range chosen[i].trigrams {
			for _, tri := range list {
				addSpot(f.hashes, hash(uint64(tri), p.multiplier), spotAt(sets, chosen[i].at+k, tri))
			}
		}
		for _, pair := range chosen[i].pair {
			addSpot(f.pairs, pair, pairSpotAt(sets, chosen[i].at+2))
		}
	}
	for h := range f.hashes {
		p.bits[h>>wordShift] |= 1 << (h & wordMask)
	}
	set := uint32(0)
	for i, word := range p.bits {
		p.ranks[i] = set
		set += uint32(bits.OnesCount64(word))
		for rest := word; rest != 0; rest &= rest - 1 {
			p.buckets = append(p.buckets, uint32(len(p.spots)))
			p.spots = append(p.spots, f.hashes[uint64(i)<<wordShift|uint64(bits.TrailingZeros64(rest))]...)
		}
	}
	p.buckets = append(p.buckets, uint32(len(p.spots)))
	for pair, spots := range f.pairs {
		p.pairs[pair>>wordShift] |= 1 << (pair & wordMask)
		p.pairSpots[pair] = spots
	}
}

func addSpot[K comparable](to map[K][]spot, key K, s spot) {
	if !slices.Contains(to[key], s) {
		to[key] = append(to[key], s)
	}
}
