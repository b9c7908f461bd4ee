package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// Input is what is processed in one go: the records of one batch, or of several
// that follow each other. Info is that of the last one, with the first one's
// BaseOffset and the Size of all. The records are valid until Deliver returns.
type Input struct {
	Topic     string
	Partition int32
	Info      recordbatch.Info
	Records   []recordbatch.Record
	// raw is the batch as it was read, when Records are all of it and it may be
	// written again as it is; else nil.
	raw []byte
}

// sameMemory reports whether two lists hold the very same records.
func sameMemory(a, b []recordbatch.Record) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameSlice(a[i].Key, b[i].Key) || !sameSlice(a[i].Value, b[i].Value) || !sameSlice(a[i].Headers, b[i].Headers) || a[i].Timestamp != b[i].Timestamp {
			return false
		}
	}
	return true
}

func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// Message is a record with its destination. Partition -1 means: by key.
type Message struct {
	Topic     string
	Partition int32
	Record    recordbatch.Record
}

// Unit is what came of an Input. Topic, Partition and Next are set by the Source.
type Unit struct {
	Topic     string
	Partition int32
	// Out goes to OutTopic, to the partition of the same number.
	Out      []recordbatch.Record
	OutTopic string
	Codec    recordbatch.Codec // of Out; Input.Info has that of the input
	// Unchanged says that Out are the Input's records, all of them and none changed:
	// their batch may be written as it came, without compressing it again.
	Unchanged bool
	raw       []byte
	// Events go to the alerts topic: one for each of Detections, or others when there
	// are none of these.
	Events     []Message
	Detections []event.Detection
	Dead       []Message
	// Delivered, unless nil, is called once, when everything of the unit is acknowledged.
	Delivered func()
	// Next is the offset to commit: the first that the unit does not cover.
	Next int64
}

// Deliverer is the only way to write. Deliver returns nil only when Out, Events
// and Dead are all acknowledged by all in-sync replicas; otherwise the same
// records are read and delivered again. A *RecordTooLargeError that names OutTopic
// means that Events, Dead and the records of Out before its Index are acknowledged.
type Deliverer interface {
	Deliver(ctx context.Context, u Unit) error
}

// ProcessFunc makes the Unit of an Input. It is called by one goroutine a
// partition. An error means that the whole Input is tried again, and is a bad
// batch when that fails too.
type ProcessFunc func(ctx context.Context, in Input) (Unit, error)

// AtLeastOnce delivers events and dead letters first, then the output: a crash
// in between repeats an event, and never leaves an output without one. Each input
// partition has a producer session of its own, a new one after each failure.
type AtLeastOnce struct {
	// Open makes a session. Required.
	Open func() *Producer
	// PartitionOf picks the partition of a message by its key. Required.
	PartitionOf func(ctx context.Context, topic string, key []byte) (int32, error)
	// Local keeps detections elsewhere (the alerts file); nil: nowhere.
	Local func(ctx context.Context, detections []event.Detection) error

	mu       sync.Mutex
	sessions map[place]*Producer
	// told are the ids of detections that are acknowledged, while their output is not.
	told map[place]map[string]bool
}

// Deliver writes u. See Deliverer.
func (d *AtLeastOnce) Deliver(ctx context.Context, u Unit) error {
	at := place{u.Topic, u.Partition}
	err := d.deliver(ctx, d.session(at), u)
	if err != nil && !errors.Is(err, ErrRecordTooLarge) {
		d.end(at)
	}
	return err
}

// Release forgets an input partition that is given up.
func (d *AtLeastOnce) Release(topic string, partition int32) {
	at := place{topic, partition}
	d.end(at)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.told, at)
}

// end ends the session of an input partition.
func (d *AtLeastOnce) end(at place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.sessions[at]; p != nil {
		_ = p.Close()
		delete(d.sessions, at)
	}
}

func (d *AtLeastOnce) session(at place) *Producer {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions == nil {
		d.sessions = map[place]*Producer{}
	}
	if d.sessions[at] == nil {
		d.sessions[at] = d.Open()
	}
	return d.sessions[at]
}

func (d *AtLeastOnce) deliver(ctx context.Context, p *Producer, u Unit) error {
	if err := d.side(ctx, p, d.untold(u)); err != nil {
		return err
	}
	d.tell(u)
	if len(u.Out) > 0 {
		if u.OutTopic == "" {
			return errors.New("deliver: records without an output topic")
		}
		if err := p.produce(ctx, u.OutTopic, u.Partition, u.Codec, u.Out, u.raw); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.told, place{u.Topic, u.Partition})
	return nil
}

// untold is u without the detections that were acknowledged when it, or a part of
// it, was delivered in vain: an output that takes nothing for an hour would fill the
// alerts topic and file with them.
func (d *AtLeastOnce) untold(u Unit) Unit {
	d.mu.Lock()
	defer d.mu.Unlock()
	told := d.told[place{u.Topic, u.Partition}]
	if len(told) == 0 || (len(u.Events) > 0 && len(u.Events) != len(u.Detections)) {
		return u
	}
	detections, events := u.Detections, u.Events
	u.Detections, u.Events = nil, nil
	for i := range detections {
		if told[detections[i].ID] {
			continue
		}
		u.Detections = append(u.Detections, detections[i])
		if len(events) > 0 {
			u.Events = append(u.Events, events[i])
		}
	}
	return u
}

// tell takes note that the detections of u are acknowledged.
func (d *AtLeastOnce) tell(u Unit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := place{u.Topic, u.Partition}
	if len(u.Detections) == 0 {
		return
	}
	if d.told == nil {
		d.told = map[place]map[string]bool{}
	}
	told := make(map[string]bool, len(u.Detections)) // those of an earlier try are among them, or come again
	for i := range u.Detections {
		told[u.Detections[i].ID] = true
	}
	d.told[at] = told
}

func (d *AtLeastOnce) side(ctx context.Context, p *Producer, u Unit) error {
	if d.Local != nil && len(u.Detections) > 0 {
		if err := d.Local(ctx, u.Detections); err != nil {
			return fmt.Errorf("deliver detections: %w", err)
		}
	}
	byPlace := map[place][]recordbatch.Record{}
	for _, messages := range [][]Message{u.Events, u.Dead} {
		for _, m := range messages {
			to := place{m.Topic, m.Partition}
			if to.partition < 0 {
				var err error
				if to.partition, err = d.PartitionOf(ctx, m.Topic, m.Record.Key); err != nil {
					return fmt.Errorf("deliver to %s: %w", m.Topic, err)
				}
			}
			byPlace[to] = append(byPlace[to], m.Record)
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	for to, records := range byPlace {
		all.Go(func() error {
			return p.Produce(ctx, to.topic, to.partition, recordbatch.None, records)
		})
	}
	return all.Wait()
}
