package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is the pause between two attempts: doubled each time, jittered, so that
// members do not come back all at once.
type backoff struct{ next, max time.Duration }

const firstBackoff = 100 * time.Millisecond

func newBackoff(longest time.Duration) *backoff { return &backoff{firstBackoff, longest} }

func (b *backoff) reset() { b.next = firstBackoff }

// pause waits; false when ctx ended first.
func (b *backoff) pause(ctx context.Context) bool {
	d := min(b.next, b.max)
	b.next = min(2*d, b.max)
	timer := time.NewTimer(d/2 + rand.N(d/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
