package alert

// seen remembers the last detections added. An entry counts only for the open
// alert it was added to, and only for so many additions: both depend on the log
// behind that alert's first position alone, which a replay has in full.
type seen struct {
	limit  int
	ring   []string // the ids of the last additions
	number int      // of additions
	last   map[string]entry
}

// entry is the last addition of an id.
type entry struct {
	opened int64 // first position of the alert it was added to
	number int
}

func newSeen(limit int) seen {
	return seen{limit: limit, last: map[string]entry{}}
}

// add notes id for the alert opened at the position, and reports whether it is
// new there.
func (s *seen) add(id string, opened int64) bool {
	slot := s.number % s.limit
	if len(s.ring) < s.limit {
		s.ring = append(s.ring, "")
	} else if old := s.ring[slot]; s.last[old].number == s.number-s.limit {
		delete(s.last, old)
	}
	before, known := s.last[id]
	s.ring[slot] = id
	s.last[id] = entry{opened, s.number}
	s.number++
	return !known || before.opened != opened
}
