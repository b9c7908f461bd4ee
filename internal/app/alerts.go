package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/sink"
)

// alerts folds detections into alerts. With an alerts topic it is a consumer of
// that topic, in a group of its own, so that all members' detections of one alert
// meet in one place; without one it folds what this process finds.
type alerts struct {
	topic   string
	fold    alert.Config
	deliver kafka.Deliverer
	file    *alert.FileLog // nil: none
	fan     *sink.Fan      // nil: none
	next    *offsetStore
	source  *kafka.Source // nil without a topic
	metrics alertCounts
	log     *slog.Logger
	now     func() time.Time

	mu         sync.Mutex
	generation int32
	folds      map[int32]*partitionFold
}

type alertCounts interface {
	Alerts(kind, severity string, n int64)
}

// partitionFold is the fold of one partition of the alerts topic.
type partitionFold struct {
	fold       *alert.Fold
	generation int32
	read       int64 // the first offset that was not read yet
	pending    []alert.Alert
	inFlight   int   // of pending, those on their way with a batch
	replay     int64 // what may be committed; -1 until known
	saved      time.Time
}

// tick is how often alerts are looked at that nothing new came for.
const tick = time.Second

func (a *alerts) run(ctx context.Context) error {
	done := make(chan error, 1)
	if a.source != nil {
		go func() { done <- a.source.Run(ctx) }()
	} else {
		go func() { <-ctx.Done(); done <- nil }()
	}
	for t := time.NewTicker(tick); ; {
		select {
		case err := <-done:
			t.Stop()
			return err
		case <-t.C:
			a.sweep(ctx)
		}
	}
}

// assigned begins a new generation: what was folded for partitions that may
// have been elsewhere in between is stale.
func (a *alerts) assigned(generation int32, _ int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.generation = generation
}

// process folds one batch of the alerts topic. It tries again until it succeeds:
// a detection that is passed over would be missing from an alert's count.
func (a *alerts) process(ctx context.Context, in kafka.Input) (kafka.Unit, error) {
	for {
		u, err := a.foldBatch(ctx, in)
		if err == nil {
			return u, nil
		}
		a.log.Warn("detections are not folded, they are tried again", "partition", in.Partition, "error", err)
		select {
		case <-ctx.Done():
			return kafka.Unit{}, ctx.Err()
		case <-time.After(tick):
		}
	}
}

func (a *alerts) foldBatch(ctx context.Context, in kafka.Input) (kafka.Unit, error) {
	if len(in.Records) == 0 {
		return kafka.Unit{}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err := a.partition(ctx, in)
	if err != nil {
		return kafka.Unit{}, err
	}
	for i := range in.Records {
		if in.Records[i].Offset >= p.read { // a batch comes again when it was not delivered
			a.add(p, &in.Records[i])
		}
	}
	p.read = max(p.read, in.Info.LastOffset+1)
	p.pending = append(p.pending, p.fold.Changed()...)
	p.inFlight = len(p.pending)
	return a.unit(ctx, in.Partition, p)
}

// partition returns the partition's fold: a new one in each generation, since
// another member may have had the partition, and reading begins where a replay has to.
func (a *alerts) partition(ctx context.Context, in kafka.Input) (*partitionFold, error) {
	first := in.Records[0].Offset
	if p := a.folds[in.Partition]; p != nil && p.generation == a.generation {
		return p, nil
	}
	fold, err := alert.NewFold(a.fold)
	if err != nil {
		return nil, err
	}
	next, err := a.next.load(ctx, in.Partition)
	if err != nil {
		return nil, fmt.Errorf("alerts: read the checkpoint: %w", err)
	}
	if next > first {
		fold.Resume(next)
	}
	p := &partitionFold{fold: fold, generation: a.generation, read: first, replay: -1}
	a.folds[in.Partition] = p
	return p, nil
}

func (a *alerts) add(p *partitionFold, r *recordbatch.Record) {
	if !alert.IsDetection(r.Value) {
		return // an alert, or something that is not ours
	}
	d, written, err := alert.UnmarshalDetection(r.Value)
	if err != nil {
		a.log.Warn("a record of the alerts topic is no detection of this version", "offset", r.Offset, "error", err)
		return
	}
	p.fold.Add(r.Offset, written, d)
}

// unit is what is to be delivered for the pending alerts. The file comes first,
// then the store: a crash in between repeats a line of the file, with the same id
// and sequence, and the store knows what it has. A store that is full holds the
// alerts back here.
func (a *alerts) unit(ctx context.Context, partition int32, p *partitionFold) (kafka.Unit, error) {
	u := kafka.Unit{Topic: a.topic, Partition: partition}
	var lines [][]byte
	var items []sink.Item
	for _, alerted := range p.pending {
		line := alert.MarshalAlert(alerted)
		lines = append(lines, line)
		items = append(items, sink.Item{ID: fmt.Sprintf("%s-%d", alerted.ID, alerted.Sequence), Document: line})
		u.Events = append(u.Events, kafka.Message{Topic: a.topic, Partition: partition, Record: recordbatch.Record{
			Timestamp: a.now().UnixMilli(),
			Key:       []byte(alert.ClientKey(alerted.Client) + " " + alerted.Kind),
			Value:     line,
		}})
	}
	if a.file != nil && len(lines) > 0 {
		if err := a.file.Append(lines); err != nil {
			return u, fmt.Errorf("alerts file: %w", err)
		}
	}
	if a.fan != nil && len(items) > 0 {
		if err := a.fan.Append(ctx, items); err != nil {
			return u, fmt.Errorf("alerts store: %w", err)
		}
	}
	return u, nil
}

// hold gives the offset to commit: that of the oldest detection of an open
// alert, once the fold's own position is stored.
func (a *alerts) hold(_ string, partition int32, next int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.folds[partition]
	if p == nil {
		return next
	}
	a.count(p, p.inFlight)
	if len(p.pending) > 0 || a.now().Sub(p.saved) < tick {
		return p.replay
	}
	at, ok := p.fold.Checkpoint()
	if !ok {
		return p.replay
	}
	ctx, cancel := context.WithTimeout(context.Background(), metadataTimeout)
	defer cancel()
	if err := a.next.save(ctx, partition, at.Next); err != nil {
		a.log.Warn("alerts: the checkpoint is not stored, it is tried again", "partition", partition, "error", err)
		return p.replay
	}
	p.replay, p.saved = min(at.Replay, next), a.now()
	return p.replay
}

// count forgets the first n pending alerts: they are delivered.
func (a *alerts) count(p *partitionFold, n int) {
	for _, alerted := range p.pending[:n] {
		a.metrics.Alerts(alerted.Kind, alerted.Severity, 1)
	}
	p.pending, p.inFlight = append([]alert.Alert(nil), p.pending[n:]...), 0
}

// sweep hands out what became due without anything new.
func (a *alerts) sweep(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number, p := range a.folds {
		if p.generation != a.generation {
			delete(a.folds, number)
			continue
		}
		p.pending = append(p.pending, p.fold.Changed()...)
		if len(p.pending) == 0 || p.inFlight > 0 {
			continue
		}
		u, err := a.unit(ctx, number, p)
		if err == nil && a.source != nil {
			err = a.deliver.Deliver(ctx, u)
		}
		if err != nil {
			a.log.Warn("alerts are not delivered, they are tried again", "partition", number, "error", err)
			continue
		}
		a.count(p, len(p.pending))
	}
}

// local keeps detections in the alerts file, and folds them where there is no
// topic to fold from.
func (a *alerts) local(_ context.Context, detections []event.Detection) error {
	now := a.now()
	lines := make([][]byte, len(detections))
	for i, d := range detections {
		lines[i] = alert.MarshalDetection(d, now)
	}
	a.mu.Lock() // over both, so that the fold sees the file's order
	defer a.mu.Unlock()
	if err := a.file.Append(lines); err != nil {
		return fmt.Errorf("alerts file: %w", err)
	}
	if a.source != nil {
		return nil
	}
	p := a.folds[0]
	for _, d := range detections {
		p.fold.Add(p.read, now, d)
		p.read++
	}
	return nil
}

func (a *alerts) close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}
