package app

import (
	"fmt"
	"sync"
	"time"
)

// stallAfter is how long a partition may fail without a delivery before the instance
// counts as not ready: a broker's restart and a change of leaders take less.
const stallAfter = time.Minute

// stalled knows since when a partition has only failed: an output that refuses one
// record holds the partition, and waits for somebody who sees it.
type stalled struct {
	now   func() time.Time
	mu    sync.Mutex
	since map[position]time.Time
}

func newStalled(now func() time.Time) *stalled {
	return &stalled{now: now, since: map[position]time.Time{}}
}

// failed notes a failure that is tried again.
func (s *stalled) failed(topic string, partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := position{topic, partition}
	if _, known := s.since[at]; !known && partition >= 0 {
		s.since[at] = s.now()
	}
}

// over forgets the partition: it was delivered from, or is another member's now.
func (s *stalled) over(topic string, partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, position{topic, partition})
}

// reason says which partition has failed for long, "" for none.
func (s *stalled) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var worst position
	var long time.Duration
	for at, since := range s.since {
		if d := s.now().Sub(since); d >= stallAfter && d > long {
			worst, long = at, d
		}
	}
	if long == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%d has failed for %v, nothing of it was delivered; the log says why", worst.topic, worst.partition, long.Truncate(time.Second))
}
