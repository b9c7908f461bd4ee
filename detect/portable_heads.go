package detect

import "encoding/binary"

// heads is an automaton that knows all triggers up to their last elements, from
// their beginnings: one step a byte, whatever the number of triggers. The last
// element, mostly some bytes of a value, is left to a loop: states for it would be
// most of the table.
type heads struct {
	class [256]uint16 // bytes that no trigger tells apart are one class, from 1 on
	width int
	// next has a row of width for each state: the row's first number says where the
	// state's ends begin, plus one (0: none), the others are the next states' rows.
	// Row 0 is for what no trigger begins with, row 1 is where all begin.
	next []uint32
	ends []headEnd
}

// headEnd is a trigger whose head ends in a state.
type headEnd struct {
	trigger uint32
	window  uint8 // where its window begins
	last    bool  // of its state
	n       int   // bytes of the tail
	tail    *set
}

// find appends an event for each trigger that begins at a byte of arena, of those
// whose window holds the trigram that was found behind bytes after it. Of the three
// trigrams of a window one alone is looked at, so each event comes once.
func (h *heads) find(arena []byte, begin int, behind uint8, events *[]event) {
	state := uint32(h.width)
	for at := begin; ; at++ {
		if end := h.next[state]; end != 0 {
			h.finish(arena, at, int(end-1), behind, events)
		}
		if at >= len(arena) {
			return
		}
		if state = h.next[state+uint32(h.class[arena[at]])]; state == 0 {
			return
		}
	}
}

// finish tests the tails, from a byte of arena on, of the triggers whose heads end.
func (h *heads) finish(arena []byte, at, end int, behind uint8, events *[]event) {
	for ; ; end++ {
		e := &h.ends[end]
		if behind-e.window < window-trigram+1 && at+e.n <= len(arena) {
			tail := arena[at : at+e.n]
			i := 0
			for i < len(tail) && e.tail[tail[i]] {
				i++
			}
			if i == len(tail) {
				*events = append(*events, event{e.trigger, uint32(at + e.n)})
			}
		}
		if e.last {
			return
		}
	}
}

// headBuilder makes the automaton: a state is a set of triggers that the bytes so
// far have begun.
type headBuilder struct {
	heads
	triggers []*Trigger
	sets     [][]*set // each trigger's head, byte by byte
	windows  []chosenWindow
	members  [][]byte // bytes of each class
}

func compileHeads(triggers []*Trigger, windows []chosenWindow) heads {
	b := &headBuilder{triggers: triggers, windows: windows}
	all := make([]uint32, len(triggers))
	for i, t := range triggers {
		all[i] = uint32(i)
		b.sets = append(b.sets, spread(t.elems[:len(t.elems)-1]))
	}
	b.classify()
	b.width = len(b.members) + 1
	b.next = make([]uint32, b.width, 64*b.width)
	b.build(all, 0)
	return b.heads
}

// spread gives the set of each byte.
func spread(elems []elem) (out []*set) {
	for _, e := range elems {
		for range e.n {
			out = append(out, e.set)
		}
	}
	return out
}

// classify puts bytes that are in the same sets into one class.
func (b *headBuilder) classify() {
	var classOf [256]int
	count := 1
	seen := map[*set]bool{}
	for _, sets := range b.sets {
		for _, s := range sets {
			if seen[s] {
				continue
			}
			seen[s] = true
			count = split(&classOf, s, count)
		}
	}
	b.members = make([][]byte, count)
	for c, class := range classOf {
		b.class[c] = uint16(class + 1)
		b.members[class] = append(b.members[class], byte(c))
	}
}

// split parts each class into bytes within s and without, and returns how many
// classes there are.
func split(classOf *[256]int, s *set, count int) int {
	var in, out [256]bool
	for c, class := range classOf {
		in[class] = in[class] || s[c]
		out[class] = out[class] || !s[c]
	}
	var fresh [256]int
	for class := range count {
		if in[class] && out[class] {
			fresh[class] = count
			count++
		}
	}
	for c, class := range classOf {
		if s[c] && fresh[class] > 0 {
			classOf[c] = fresh[class]
		}
	}
	return count
}

// build makes the state of the triggers that are begun, and all behind it.
func (b *headBuilder) build(ids []uint32, depth int) uint32 {
	row := len(b.next)
	b.next = append(b.next, make([]uint32, b.width)...)
	going := b.addEnds(row, ids, depth)
	if len(going) == 0 {
		return uint32(row)
	}
	known := map[string]uint32{}
	var key []byte
	for class, members := range b.members {
		var on []uint32
		key = key[:0]
		for _, id := range going {
			if b.sets[id][depth][members[0]] {
				on = append(on, id)
				key = binary.LittleEndian.AppendUint32(key, id)
			}
		}
		if len(on) == 0 {
			continue
		}
		next, ok := known[string(key)]
		if !ok {
			next = b.build(on, depth+1)
			known[string(key)] = next
		}
		b.next[row+1+class] = next
	}
	return uint32(row)
}

// addEnds lists the triggers whose heads end here, and returns the others.
func (b *headBuilder) addEnds(row int, ids []uint32, depth int) (going []uint32) {
	for _, id := range ids {
		if depth < len(b.sets[id]) {
			going = append(going, id)
			continue
		}
		if b.next[row] == 0 {
			b.next[row] = uint32(len(b.ends)) + 1
		}
		tail := b.triggers[id].elems
		last := tail[len(tail)-1]
		b.ends = append(b.ends, headEnd{trigger: id, window: uint8(b.windows[id].at), n: last.n, tail: last.set})
	}
	if b.next[row] != 0 {
		b.ends[len(b.ends)-1].last = true
	}
	return going
}
