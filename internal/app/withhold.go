package app

import (
	"context"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/sink"
)

// stub returns what stands for a record that is withheld, and the dead letter
// that refers to it. Neither holds a byte of it. A record with a key gets a stub with
// the reference for its key: a compacted topic takes none without.
func (p *processor) stub(count delivered, topic string, partition int32, r *recordbatch.Record, reason string) (recordbatch.Record, []kafka.Message) {
	count.Withheld(reason, 1)
	ref := fmt.Sprintf("%s/%d/%d", topic, partition, r.Offset)
	text := fmt.Appendf(nil, `{"leakveil":"withheld","reason":%q,"len":%d,"ref":%q}`, reason, len(r.Value), ref)
	stub := recordbatch.Record{Offset: r.Offset, Timestamp: r.Timestamp, Value: text}
	if r.Key != nil {
		stub.Key = []byte(ref)
	}
	return stub, p.deadLetter(count, topic, partition, r.Offset, r.Offset, reason)
}

// deadLetter refers to records that were not passed on.
func (p *processor) deadLetter(count delivered, topic string, partition int32, first, last int64, reason string) []kafka.Message {
	if p.dead == "" {
		return nil
	}
	count.DeadLetters(reason, 1)
	now := p.now()
	return []kafka.Message{{Topic: p.dead, Partition: -1, Record: recordbatch.Record{
		Timestamp: now.UnixMilli(),
		Key:       fmt.Appendf(nil, "%s/%d", topic, partition),
		Value: fmt.Appendf(nil, `{"leakveil":"dead_letter","topic":%q,"partition":%d,"first_offset":%d,"last_offset":%d,"reason":%q,"time":%q}`,
			topic, partition, first, last, reason, now.UTC().Format(time.RFC3339Nano)),
	}}}
}

// bad is delivered in the place of a batch that cannot be decoded.
func (p *processor) bad(ctx context.Context, b kafka.BadBatch) (kafka.Unit, error) {
	const reason = "decode"
	counted := &later{}
	u := kafka.Unit{OutTopic: p.output(b.Topic), Delivered: counted.to(p.counts), Dead: p.deadLetter(counted, b.Topic, b.Partition, b.First, b.Last, reason)}
	id := alert.DetectionID(p.key, event.Where{Topic: b.Topic, Partition: b.Partition, Offset: b.First}, "batch-skipped")
	line := alert.MarshalSkipped(alert.Skipped{
		ID: id, Topic: b.Topic, Partition: b.Partition, First: b.First, Last: b.Last, Reason: reason, At: p.now(),
	})
	if p.alerts != "" {
		u.Events = []kafka.Message{{Topic: p.alerts, Partition: -1, Record: recordbatch.Record{
			Timestamp: p.now().UnixMilli(), Key: fmt.Appendf(nil, "%s/%d", b.Topic, b.Partition), Value: line,
		}}}
	}
	if p.file != nil {
		if err := p.file.Append([][]byte{line}); err != nil {
			return kafka.Unit{}, fmt.Errorf("alerts file: %w", err)
		}
	}
	if p.fan != nil {
		if err := p.fan.Append(ctx, []sink.Item{{ID: id, Document: line}}); err != nil {
			return kafka.Unit{}, fmt.Errorf("alerts store: %w", err)
		}
	}
	return u, nil
}

// tooLarge replaces a masked record that is larger than the output topic takes.
func (p *processor) tooLarge(_ context.Context, u kafka.Unit, r recordbatch.Record) (recordbatch.Record, []kafka.Message) {
	return p.stub(p.counts, u.Topic, u.Partition, &r, "too_large")
}

func (p *processor) codecFor(input recordbatch.Codec) recordbatch.Codec {
	if p.codec != nil {
		return *p.codec
	}
	return input
}
