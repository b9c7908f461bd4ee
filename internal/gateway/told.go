package gateway

import (
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

// maxTold bounds the memory of told: some megabytes.
const maxTold = 1 << 16

// told are the ids of detections that are kept while their output is not delivered yet:
// an output that takes nothing for an hour, whose senders try again and again, would
// otherwise fill the place of detections with repetitions.
type told struct {
	mu  sync.Mutex
	ids map[string]bool
}

// fresh returns the detections that are not kept yet.
func (t *told) fresh(all []event.Detection) []event.Detection {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ids) == 0 {
		return all
	}
	var out []event.Detection
	for i := range all {
		if !t.ids[all[i].ID] {
			out = append(out, all[i])
		}
	}
	return out
}

func (t *told) add(all []event.Detection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids == nil || len(t.ids)+len(all) > maxTold { // repetitions are allowed, growth is not
		t.ids = map[string]bool{}
	}
	for i := range all {
		t.ids[all[i].ID] = true
	}
}

// forget is told when the output is delivered.
func (t *told) forget(all []event.Detection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range all {
		delete(t.ids, all[i].ID)
	}
}

// health remembers the last failure.
type health struct {
	mu     sync.Mutex
	reason string // "": none since the last success
	at     time.Time
}

// trust is how long a failure says something about now: who is not ready gets no
// requests, and could never show that it can be.
const trust = 10 * time.Second

func (h *health) failed(reason string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason, h.at = reason, now
}

func (h *health) succeeded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason = ""
}

// Trouble is what keeps requests from being delivered, "" when nothing is known to.
func (g *Gateway) Trouble() string {
	h := &g.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason == "" || g.Now().Sub(h.at) > trust {
		return ""
	}
	return h.reason
}
