package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
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

	mu         sync.Mutex // of what follows; held for a moment only
	generation int32
	folds      map[int32]*partitionFold
}

type alertCounts interface {
	Alerts(kind, severity string, n int64)
}

// partitionFold is the fold of one partition of the alerts topic.
type partitionFold struct {
	generation int32
	replay     atomic.Int64 // what may be committed; -1 until known

	mu       sync.Mutex // of what follows; also held while alerts are delivered
	fold     *alert.Fold
	read     int64 // the first offset that was not read yet
	pending  []alert.Alert
	inFlight int // of pending, those on their way with a batch
	saved    time.Time
}

func newPartitionFold(fold *alert.Fold, generation int32, read int64) *partitionFold {
	p := &partitionFold{fold: fold, generation: generation, read: read}
	p.replay.Store(-1)
	return p
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
	p, err := a.partition(ctx, in)
	if err != nil {
		return kafka.Unit{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
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
	a.mu.Lock()
	p, generation := a.folds[in.Partition], a.generation
	a.mu.Unlock()
	if p != nil && p.generation == generation {
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
	p = newPartitionFold(fold, generation, first)
	a.mu.Lock()
	defer a.mu.Unlock()
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
	p := a.folds[partition]
	a.mu.Unlock()
	if p == nil {
		return next
	}
	if !p.mu.TryLock() { // alerts are being delivered without a batch: commits do not wait for them
		return p.replay.Load()
	}
	defer p.mu.Unlock()
	a.count(p, p.inFlight)
	if len(p.pending) > 0 || a.now().Sub(p.saved) < tick {
		return p.replay.Load()
	}
	at, ok := p.fold.Checkpoint()
	if !ok {
		return p.replay.Load()
	}
	ctx, cancel := context.WithTimeout(context.Background(), metadataTimeout)
	defer cancel()
	if err := a.next.save(ctx, partition, at.Next); err != nil {
		a.log.Warn("alerts: the checkpoint is not stored, it is tried again", "partition", partition, "error", err)
		return p.replay.Load()
	}
	p.replay.Store(min(at.Replay, next))
	p.saved = a.now()
	return p.replay.Load()
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
	for number, p := range a.current() {
		if err := a.sweepOne(ctx, number, p); err != nil {
			a.log.Warn("alerts are not delivered, they are tried again", "partition", number, "error", err)
		}
	}
}

// current are the folds of this generation; the others are forgotten.
func (a *alerts) current() map[int32]*partitionFold {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.folds, func(_ int32, p *partitionFold) bool { return p.generation != a.generation })
	return maps.Clone(a.folds)
}

// sweepOne holds up its own partition alone, however long an output takes.
func (a *alerts) sweepOne(ctx context.Context, number int32, p *partitionFold) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = append(p.pending, p.fold.Changed()...)
	if len(p.pending) == 0 || p.inFlight > 0 {
		return nil
	}
	u, err := a.unit(ctx, number, p)
	if err == nil && a.source != nil {
		err = a.deliver.Deliver(ctx, u)
	}
	if err != nil {
		return err
	}
	a.count(p, len(p.pending))
	return nil
}

// local keeps detections in the alerts file, and folds them where there is no
// topic to fold from.
func (a *alerts) local(_ context.Context, detections []event.Detection) error {
	now := a.now()
	lines := make([][]byte, len(detections))
	for i, d := range detections {
		lines[i] = alert.MarshalDetection(d, now)
	}
	if a.source != nil {
		return a.append(lines)
	}
	p := a.only()
	p.mu.Lock() // over both, so that the fold sees the file's order
	defer p.mu.Unlock()
	if err := a.append(lines); err != nil {
		return err
	}
	for _, d := range detections {
		p.fold.Add(p.read, now, d)
		p.read++
	}
	return nil
}

func (a *alerts) append(lines [][]byte) error {
	if err := a.file.Append(lines); err != nil {
		return fmt.Errorf("alerts file: %w", err)
	}
	return nil
}

// only is the fold of a process without a topic.
func (a *alerts) only() *partitionFold {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.folds[0]
}

func (a *alerts) close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}
