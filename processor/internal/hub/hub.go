// Package hub is the way from a leakveil processor to what takes its detections in the
// same Collector: the connector that is configured with from. Components of a Collector
// do not know each other; they know ids. It must never hold a detection.
package hub

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/leakveil/leakveil/internal/event"
)

// Receiver takes the detections of one request, after it was masked and before it is
// passed on. They hold no secret. It must not change or keep the slice. An error makes
// the request fail in a way that can be tried again.
type Receiver interface {
	Receive(ctx context.Context, detections []event.Detection) error
}

var (
	mu        sync.Mutex
	receivers = map[component.ID][]*subscription{}
	known     = map[component.ID]int{} // processors that were made and not shut down
)

type subscription struct{ Receiver }

// Subscribe makes r take the detections of the processor with this id until cancel is
// called. It must be called before the processor starts.
func Subscribe(id component.ID, r Receiver) (cancel func()) {
	s := &subscription{r}
	mu.Lock()
	defer mu.Unlock()
	receivers[id] = append(receivers[id], s)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if receivers[id] = slices.DeleteFunc(receivers[id], func(o *subscription) bool { return o == s }); len(receivers[id]) == 0 {
			delete(receivers, id)
		}
	}
}

// Of returns who takes the detections of the processor with this id.
func Of(id component.ID) []Receiver {
	mu.Lock()
	defer mu.Unlock()
	var out []Receiver
	for _, s := range receivers[id] {
		out = append(out, s.Receiver)
	}
	return out
}

// Announce says that there is a processor with this id until withdraw is called. It must
// be called when the processor is made: a Collector makes all before it starts one.
func Announce(id component.ID) (withdraw func()) {
	mu.Lock()
	defer mu.Unlock()
	known[id]++
	return sync.OnceFunc(func() {
		mu.Lock()
		defer mu.Unlock()
		if known[id]--; known[id] == 0 {
			delete(known, id)
		}
	})
}

// Known reports whether there is a processor with this id.
func Known(id component.ID) bool {
	mu.Lock()
	defer mu.Unlock()
	return known[id] > 0
}
