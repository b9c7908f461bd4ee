package alert

import "container/heap"

// Checkpoint is what a consumer stores to go on after a restart: it reads the
// log again from Replay, and calls Resume(Next) on the new Fold first.
type Checkpoint struct {
	// Replay is the position of the oldest detection of an open alert; Next
	// when none is open.
	Replay int64
	// Next is the position behind the last detection added.
	Next int64
}

// Checkpoint returns where to go on. It is to be stored only after everything
// that Changed has returned is delivered. It reports false when nothing was
// added, while a replay goes on, and while closed alerts wait for Changed: the
// checkpoint stored before stays right.
func (f *Fold) Checkpoint() (Checkpoint, bool) {
	if f.next == 0 || f.next < f.quiet || len(f.closed) > 0 {
		return Checkpoint{}, false
	}
	c := Checkpoint{Replay: f.next, Next: f.next}
	for _, in := range f.open {
		c.Replay = min(c.Replay, in.first)
	}
	return c, true
}

// Replay returns Checkpoint's Replay, for a consumer that stores nothing else.
// Without Resume, a replay may hand out closed alerts again, and parts of ones
// that had begun before Replay, under ids of their own.
func (f *Fold) Replay() (pos int64, ok bool) {
	c, ok := f.Checkpoint()
	return c.Replay, ok
}

// idleHeap orders the open alerts by deadline, then by first position.
type idleHeap []*instance

var _ heap.Interface = (*idleHeap)(nil)

func (h idleHeap) Len() int { return len(h) }

func (h idleHeap) Less(i, j int) bool {
	if h[i].deadline.Equal(h[j].deadline) {
		return h[i].first < h[j].first
	}
	return h[i].deadline.Before(h[j].deadline)
}

func (h idleHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for package heap.
func (h *idleHeap) Push(x any) {
	in := x.(*instance)
	in.index = len(*h)
	*h = append(*h, in)
}

// Pop is for package heap.
func (h *idleHeap) Pop() any {
	last := len(*h) - 1
	in := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return in
}
