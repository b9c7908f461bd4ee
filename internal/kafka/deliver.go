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
	Unchanged  bool
	raw        []byte
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
}

// Deliver writes u. See Deliverer.
func (d *AtLeastOnce) Deliver(ctx context.Context, u Unit) error {
	at := place{u.Topic, u.Partition}
	err := d.deliver(ctx, d.session(at), u)
	if err != nil && !errors.Is(err, ErrRecordTooLarge) {
		d.Release(u.Topic, u.Partition)
	}
	return err
}

// Release ends the session of an input partition that is given up.
func (d *AtLeastOnce) Release(topic string, partition int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := place{topic, partition}
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
	if err := d.side(ctx, p, u); err != nil {
		return err
	}
	if len(u.Out) == 0 {
		return nil
	}
	if u.OutTopic == "" {
		return errors.New("deliver: records without an output topic")
	}
	return p.produce(ctx, u.OutTopic, u.Partition, u.Codec, u.Out, u.raw)
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
