package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

const (
	refetches      = 2  // of a batch that cannot be decoded
	gatherBatches  = 64 // adjacent batches that are processed in one go
	processRetries = 2
)

// handle goes through an answer's batches in order. Each is delivered before the
// next is looked at.
func (r *partitionRun) handle(fetching, working context.Context, a answer) error {
	tellLag := func() {
		if lag := r.source.opts.Hooks.OnLag; lag != nil && a.large == nil {
			lag(r.place.topic, r.place.partition, max(0, a.LastStable-r.pos))
		}
	}
	tellLag() // what comes next may take long
	defer tellLag()
	if a.large != nil {
		return r.bad(working, rangeOf(a.large.header, a.large.size), recordbatch.ErrTooLarge)
	}
	filter := newAbortFilter(a.Aborted)
	for set := a.Set; len(set) > 0 && fetching.Err() == nil; {
		rest, err := r.step(working, filter, set)
		if errors.Is(err, recordbatch.ErrShort) && len(set) < len(a.Set) {
			return nil // the broker cut the answer to size
		}
		if err != nil {
			return err
		}
		set = rest
	}
	return nil
}

// step handles the first batch of set, or several that belong together, and gives
// what follows.
func (r *partitionRun) step(ctx context.Context, filter *abortFilter, set []byte) ([]byte, error) {
	raw, rest, err := recordbatch.Next(set)
	if errors.Is(err, recordbatch.ErrShort) && r.pos > rangeOf(set, 0).First {
		return nil, err
	}
	if err != nil {
		return nil, r.bad(ctx, rangeOf(set, len(set)), err)
	}
	info, err := recordbatch.PeekInfo(raw)
	switch {
	case err != nil:
		return rest, r.bad(ctx, rangeOf(raw, len(raw)), err)
	case info.LastOffset < r.pos:
		return rest, nil
	case info.Control:
		return rest, r.control(ctx, filter, raw, info)
	case filter.drops(info):
		if hook := r.source.opts.Hooks.OnAborted; hook != nil {
			hook(r.place.topic, r.place.partition, 1)
		}
		r.advance(info.LastOffset + 1)
		return rest, nil
	}
	return r.deliverFrom(ctx, filter, raw, rest, info)
}

// control takes note of a transaction's end; its record is nobody's.
func (r *partitionRun) control(ctx context.Context, filter *abortFilter, raw []byte, info recordbatch.Info) error {
	records, _, err := r.decode(small, 0, raw, nil)
	if err != nil {
		return r.bad(ctx, rangeOf(raw, len(raw)), err)
	}
	for _, record := range records {
		if committed, ok := recordbatch.EndMarker(record); ok {
			filter.ended(info, committed)
		}
	}
	r.advance(info.LastOffset + 1)
	return nil
}

// deliverFrom decodes raw and what follows of the same kind, and delivers it.
func (r *partitionRun) deliverFrom(ctx context.Context, filter *abortFilter, raw, rest []byte, info recordbatch.Info) ([]byte, error) {
	budget := r.source.budget
	compressed := info.Codec != recordbatch.None
	for class := budget.classFor(len(raw), compressed); ; class++ {
		release, err := budget.takeWork(ctx, class)
		if err != nil {
			return nil, err
		}
		in := Input{Topic: r.place.topic, Partition: r.place.partition, Info: info}
		in.Records, _, err = r.decode(class, 0, raw, r.records[:0])
		if errors.Is(err, recordbatch.ErrTooLarge) && class < large {
			release()
			continue
		}
		if err != nil {
			release()
			return rest, r.bad(ctx, rangeOf(raw, len(raw)), err)
		}
		if class < large {
			rest = r.gather(filter, class, &in, rest)
		}
		if in.Info.Size == len(raw) && r.decoders[class] != nil && r.decoders[class][0].Verbatim(raw, in.Records) {
			in.raw = raw
		}
		r.records = in.Records
		err = r.deliver(ctx, in)
		clear(r.records)
		release()
		return rest, err
	}
}

// gather adds the batches that follow and are like the first to in: small ones
// would cost a round trip to the output each.
func (r *partitionRun) gather(filter *abortFilter, class int, in *Input, set []byte) []byte {
	first := in.Info
	decoded := sizeOf(in.Records)
	for n := 1; n < gatherBatches && decoded < gatherBytes && len(set) > 0; n++ {
		raw, rest, err := recordbatch.Next(set)
		if err != nil {
			break
		}
		info, err := recordbatch.PeekInfo(raw)
		if err != nil || info.Control || info.Codec != first.Codec || filter.drops(info) ||
			r.source.budget.classFor(len(raw), info.Codec != recordbatch.None) != small {
			break
		}
		from := len(in.Records)
		records, _, err := r.decode(small, n, raw, in.Records)
		if err != nil {
			break // it comes first in the next round
		}
		decoded += sizeOf(records[from:])
		in.Records, set = records, rest
		size, count := in.Info.Size+info.Size, in.Info.Count+info.Count
		in.Info = info
		in.Info.BaseOffset, in.Info.Size, in.Info.Count = first.BaseOffset, size, count
	}
	return set
}

func sizeOf(records []recordbatch.Record) int {
	n := 0
	for i := range records {
		n += recordbatch.MaxSize(&records[i])
	}
	return n
}

// decode appends the records of a batch with the i-th decoder of a class, whose
// memory they use.
func (r *partitionRun) decode(class, i int, raw []byte, dst []recordbatch.Record) (records []recordbatch.Record, info recordbatch.Info, err error) {
	for len(r.decoders[class]) <= i {
		limits := r.source.opts.Limits
		limits.MaxDecompressed = r.source.budget.limits[class]
		r.decoders[class] = append(r.decoders[class], recordbatch.NewDecoder(limits))
	}
	d := r.decoders[class][i]
	if class == large {
		r.decoders[class] = nil // as large a buffer is not kept
	}
	records = dst
	err = guard("decode", func() (err error) {
		records, info, err = d.Decode(raw, dst)
		return err
	})
	return records, info, err
}

// deliver processes in and writes what comes of it, then marks it.
func (r *partitionRun) deliver(ctx context.Context, in Input) error {
	next := in.Info.LastOffset + 1
	below := 0
	for below < len(in.Records) && in.Records[below].Offset < r.pos {
		below++
	}
	if below > 0 {
		in.Records, in.raw = in.Records[below:], nil
	}
	if len(in.Records) == 0 { // compaction left nothing, or it was delivered before
		r.advance(next)
		return nil
	}
	unit, err := r.process(ctx, in)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b := BadBatch{First: in.Records[0].Offset, Last: in.Info.LastOffset, Size: in.Info.Size}
		return r.bad(ctx, b, err)
	}
	if unit.Unchanged && unit.Codec == in.Info.Codec && sameMemory(unit.Out, in.Records) {
		unit.raw = in.raw
	}
	if err := r.write(ctx, unit, next); err != nil {
		return err
	}
	if hook := r.source.opts.Hooks.OnDelivered; hook != nil {
		hook(r.place.topic, r.place.partition, volumeOf(in.Records), volumeOf(unit.Out))
	}
	return nil
}

func (r *partitionRun) process(ctx context.Context, in Input) (unit Unit, err error) {
	for try := 0; try <= processRetries && ctx.Err() == nil; try++ {
		err = guard("process", func() (err error) {
			unit, err = r.source.opts.Process(ctx, in)
			return err
		})
		if err == nil {
			return unit, nil
		}
	}
	return Unit{}, err
}

// write delivers a unit and marks it. An output record that is too large for the
// topic is withheld, and what is behind it goes on.
func (r *partitionRun) write(ctx context.Context, u Unit, next int64) error {
	u.Topic, u.Partition, u.Next = r.place.topic, r.place.partition, next
	withheld := -1 // records left when the last one was withheld
	for {
		err := r.member.check(ctx)
		if err == nil {
			err = r.source.opts.Deliverer.Deliver(ctx, u)
		}
		if err == nil {
			r.advance(next)
			if u.Delivered != nil {
				u.Delivered()
			}
			return nil
		}
		var size *RecordTooLargeError
		withhold := r.source.opts.Withhold
		if withhold == nil || !errors.As(err, &size) || size.Topic != u.OutTopic || size.Index >= len(u.Out) {
			return err
		}
		if size.Index == 0 && len(u.Out) == withheld {
			return fmt.Errorf("the stub of a record is too large as well: %w", err)
		}
		// What stands before it is written, and so are events and dead letters.
		u.Out = append([]recordbatch.Record(nil), u.Out[size.Index:]...)
		stub, dead := withhold(ctx, u, u.Out[0])
		u.Out[0], u.Dead, u.Events, u.Detections, u.raw = stub, dead, nil, nil, nil
		withheld = len(u.Out)
	}
}

// bad decides about a batch that cannot be used: it is fetched again, then
// skipped with a dead letter, or the partition halts. nil: skipped.
func (r *partitionRun) bad(ctx context.Context, b BadBatch, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.Topic, b.Partition, b.Err = r.place.topic, r.place.partition, cause
	name := fmt.Sprintf("%s/%d offsets %d to %d", b.Topic, b.Partition, b.First, b.Last)
	if r.failed.count(r.pos) <= refetches {
		return fmt.Errorf("bad batch, fetched again: %s: %w", name, cause)
	}
	o := &r.source.opts
	// A batch that does not tell where it ends cannot be passed.
	if halt := o.HaltOnBadBatch || b.Last < r.pos; halt {
		if o.Hooks.OnBadBatch != nil {
			o.Hooks.OnBadBatch(b, true)
		}
		return &haltError{fmt.Sprintf("bad batch: %s: %v", name, cause)}
	}
	unit, err := o.Bad(ctx, b)
	if err != nil {
		return fmt.Errorf("dead letter for %s: %w", name, err)
	}
	if err := r.write(ctx, unit, b.Last+1); err != nil {
		return err
	}
	if o.Hooks.OnBadBatch != nil {
		o.Hooks.OnBadBatch(b, false)
	}
	return nil
}

// rangeOf reads the offsets of a batch that recordbatch refuses, from its header:
// -1 when they are not there or make no sense.
func rangeOf(header []byte, size int) BadBatch {
	const first, magic, delta = 0, 16, 23
	b := BadBatch{First: -1, Last: -1, Size: size}
	if len(header) < delta+4 {
		return b
	}
	b.First = int64(binary.BigEndian.Uint64(header[first:]))
	if header[magic] < 2 { // the old formats name their last offset
		b.Last = b.First
	} else if d := int32(binary.BigEndian.Uint32(header[delta:])); d >= 0 {
		b.Last = b.First + int64(d)
	}
	return b
}
