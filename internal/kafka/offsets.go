package kafka

import (
	"errors"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
)

// committer is the part of a Generation that commits: fenced, so that a member
// that lost its partitions cannot move an offset.
type committer interface {
	CommitOffsets(offsets map[string]map[int]int64) error
}

// watermarks are the offsets up to which each partition is delivered, and which
// of them are committed. Partitions are read in order, so one number is enough.
type watermarks struct {
	mu        sync.Mutex
	delivered map[place]int64
	committed map[place]int64
}

func newWatermarks() *watermarks {
	return &watermarks{delivered: map[place]int64{}, committed: map[place]int64{}}
}

// mark says that everything below next is delivered.
func (w *watermarks) mark(at place, next int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delivered[at] = next
}

// commit commits what is delivered and not committed yet, and tells what that was.
func (w *watermarks) commit(c committer) (map[string]map[int]int64, error) {
	w.mu.Lock()
	change := map[place]int64{}
	offsets := map[string]map[int]int64{}
	for at, next := range w.delivered {
		if done, ok := w.committed[at]; ok && done == next {
			continue
		}
		change[at] = next
		if offsets[at.topic] == nil {
			offsets[at.topic] = map[int]int64{}
		}
		offsets[at.topic][int(at.partition)] = next
	}
	w.mu.Unlock()
	if len(change) == 0 {
		return nil, nil
	}
	if err := c.CommitOffsets(offsets); err != nil {
		return offsets, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, next := range change {
		w.committed[at] = next
	}
	return offsets, nil
}

// fenced tells that the generation is over and its partitions may be another
// member's.
func fenced(err error) bool {
	return errors.Is(err, kafkago.IllegalGeneration) || errors.Is(err, kafkago.UnknownMemberId) ||
		errors.Is(err, kafkago.RebalanceInProgress)
}
