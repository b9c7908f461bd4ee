package sink

import "github.com/leakveil/leakveil/internal/outbox"

// window is what has been read of the outbox and is not done. New entries come
// into it while others are tried again, so that one item that a receiver never
// takes cannot hold the rest up.
type window struct {
	queue   []pending
	dead    []outbox.Dead // not stored yet
	read    int64         // position of the last entry read
	cursor  int64         // as stored
	limit   int           // of a Send; 0: none but the batch
	attempt int           // failures since something last went well
}

// pending is an entry that is neither delivered nor refused.
type pending struct {
	outbox.Entry
	alone int // how often it was not taken while others of its Send were
}

// done is the position before the oldest pending entry.
func (w *window) done() int64 {
	done := w.read
	for i := range w.queue {
		done = min(done, w.queue[i].Seq-1)
	}
	return done
}

// size is how many items of the queue go into one Send.
func (w *window) size(batch, bytes int) int {
	if w.limit > 0 {
		batch = min(batch, w.limit)
	}
	n := 0
	for n < min(batch, len(w.queue)) {
		if bytes -= len(w.queue[n].Data); bytes < 0 && n > 0 {
			break
		}
		n++
	}
	return n
}
