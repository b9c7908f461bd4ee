package leakveilconnector

import (
	"sync"

	"github.com/leakveil/leakveil/internal/event"
)

// maxRecent is how many detections one generation remembers: some megabytes for two.
const maxRecent = 1 << 15

// seen is what makes a detection the same as one before: a record without a time of its
// own has that of its arrival, so that two leaks never count as one.
type seen struct {
	id string
	at int64
}

// recent remembers what was emitted. A sender whose data cannot be delivered behind the
// processor comes again and again, and each time the same is found.
type recent struct {
	mu         sync.Mutex
	now, older map[seen]struct{}
}

// fresh returns the detections that were not emitted yet, in order.
func (r *recent) fresh(all []event.Detection) []event.Detection {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]event.Detection, 0, len(all))
	for i := range all {
		k := seen{all[i].ID, all[i].Time.UnixNano()}
		_, now := r.now[k]
		_, older := r.older[k]
		if !now && !older {
			out = append(out, all[i])
		}
	}
	return out
}

// add is told what was emitted.
func (r *recent) add(all []event.Detection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || len(r.now)+len(all) > maxRecent {
		r.now, r.older = map[seen]struct{}{}, r.now
	}
	for i := range all {
		r.now[seen{all[i].ID, all[i].Time.UnixNano()}] = struct{}{}
	}
}
