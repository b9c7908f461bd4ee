package app

import (
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/telemetry"
)

// positions tell the metrics how far each partition is.
type positions struct {
	metrics positionCounts
	now     func() time.Time

	mu  sync.Mutex
	all map[position]telemetry.Position
}

type position struct {
	topic     string
	partition int32
}

type positionCounts interface {
	SetPosition(topic string, number int32, p telemetry.Position)
	ForgetPosition(topic string, number int32)
}

func newPositions(m positionCounts, now func() time.Time) *positions {
	return &positions{metrics: m, now: now, all: map[position]telemetry.Position{}}
}

// lag takes note of the records that are not delivered yet. Their time begins now
// when there were none before.
func (p *positions) lag(topic string, partition int32, lag int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := position{topic, partition}
	was := p.all[at]
	is := telemetry.Position{Lag: lag, LastCommit: was.LastCommit, InWork: lag > 0}
	if !was.InWork {
		is.LastCommit = p.now()
	}
	p.set(at, is)
}

// committed takes note of a commit of these partitions alone: one that is stuck
// must show among others that are not.
func (p *positions) committed(offsets map[string]map[int]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic, partitions := range offsets {
		for number := range partitions {
			at := position{topic, int32(number)}
			if is, ok := p.all[at]; ok {
				is.LastCommit = p.now()
				p.set(at, is)
			}
		}
	}
}

// released forgets a partition that is another member's now.
func (p *positions) released(topic string, partition int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, position{topic, partition})
	p.metrics.ForgetPosition(topic, partition)
}

func (p *positions) set(at position, is telemetry.Position) {
	p.all[at] = is
	p.metrics.SetPosition(at.topic, at.partition, is)
}
