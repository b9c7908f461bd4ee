package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// unit is one call of Produce, which holds its partition's turn.
type unit struct {
	p     *Producer
	st    *partitionState
	key   partitionKey
	codec recordbatch.Codec
	work  *producerWork
	// abandoned: an attempt ended without an answer, so that kafka-go may still
	// be reading the batch; its memory must not be written again.
	abandoned bool
}

// sendAll writes recs as the batch that raw is, or batch by batch, and ends the
// partition on a failure.
func (u *unit) sendAll(ctx context.Context, recs []recordbatch.Record, raw []byte) error {
	if len(raw) > 0 && len(raw) <= u.p.opts.MaxBatchBytes {
		err := u.sendBatch(ctx, recs, raw)
		if err == nil {
			return nil
		}
		if !isTooLarge(err) { // else it is cut to size below; nothing was written
			return u.failed(err, len(recs), 0)
		}
	}
	done := 0
	for _, run := range recordbatch.Split(recs, u.p.opts.MaxBatchBytes) {
		n, err := u.sendRun(ctx, run)
		done += n
		if err == nil {
			continue
		}
		if errors.Is(err, ErrRecordTooLarge) {
			return &RecordTooLargeError{Topic: u.key.topic, Partition: u.key.partition, Index: done}
		}
		return u.failed(err, len(recs), done)
	}
	return nil
}

// failed ends the partition.
func (u *unit) failed(err error, records, done int) error {
	u.st.broken = err
	return fmt.Errorf("produce %d records to %s/%d, %d acknowledged: %w: %w",
		records, u.key.topic, u.key.partition, done, ErrUnacknowledged, err)
}

// sendRun writes recs as one batch, or in halves when the broker finds that too
// large, and says how many records were acknowledged. A batch that is refused
// for its size was not written and used up no sequence.
func (u *unit) sendRun(ctx context.Context, recs []recordbatch.Record) (int, error) {
	err := u.sendBatch(ctx, recs, nil)
	switch {
	case err == nil:
		return len(recs), nil
	case !isTooLarge(err):
		return 0, err
	case len(recs) == 1:
		return 0, ErrRecordTooLarge
	}
	half := len(recs) / 2
	u.p.log.Debug("kafka: batch over the topic's limit, sent in halves",
		"topic", u.key.topic, "partition", u.key.partition, "records", len(recs))
	n, err := u.sendRun(ctx, recs[:half])
	if err != nil {
		return n, err
	}
	rest, err := u.sendRun(ctx, recs[half:])
	return n + rest, err
}

// sendBatch writes one batch with the partition's next sequence, raw or, when that is
// nil, recs encoded, and sends the same bytes again until they are acknowledged or
// the time is up.
func (u *unit) sendBatch(ctx context.Context, recs []recordbatch.Record, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, u.p.opts.DeliveryTimeout)
	defer cancel()
	s, err := u.p.identity(ctx)
	if err != nil {
		return err
	}
	params := recordbatch.Params{Codec: u.codec, ProducerID: s.id, ProducerEpoch: s.epoch, BaseSequence: u.st.next}
	wire, err := u.encode(params, recs, raw)
	if err != nil {
		return err
	}
	err = u.p.retry(ctx, "Produce", func(ctx context.Context) error { return u.attempt(ctx, wire) })
	if err != nil {
		return err
	}
	u.st.next = int32((int64(u.st.next) + int64(len(recs))) & math.MaxInt32)
	return nil
}

// encode gives the batch with the length (int32) before it that RawProduce
// expects its reader to hold.
func (u *unit) encode(params recordbatch.Params, recs []recordbatch.Record, raw []byte) (wire []byte, err error) {
	if u.abandoned {
		u.work, u.abandoned = new(producerWork), false
	}
	wire = append(u.work.wire[:0], 0, 0, 0, 0)
	if raw != nil {
		wire = recordbatch.Readdress(wire, raw, params)
	} else if wire, err = u.work.encoder.Encode(wire, params, recs); err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(wire, uint32(len(wire)-4))
	u.work.wire = nil
	if cap(wire) <= maxKeptWire {
		u.work.wire = wire
	}
	return wire, nil
}

func (u *unit) attempt(ctx context.Context, wire []byte) error {
	res, err := u.p.client.RawProduce(ctx, &kafkago.RawProduceRequest{
		Topic:          u.key.topic,
		Partition:      int(u.key.partition),
		RequiredAcks:   kafkago.RequireAll,
		MessageVersion: 2,
		RawRecords:     protocol.RawRecordSet{Reader: bytes.NewReader(wire)},
	})
	if err != nil {
		u.abandoned = true
		return err
	}
	if errors.Is(res.Error, kafkago.DuplicateSequenceNumber) {
		return nil // an earlier attempt was written, its answer lost
	}
	return res.Error
}

// retry calls attempt, each time with a deadline, until it succeeds, fails for
// good, or ctx is done.
func (p *Producer) retry(ctx context.Context, what string, attempt func(context.Context) error) error {
	pause := p.opts.MinBackoff
	for try := 1; ; try++ {
		one, cancel := context.WithTimeout(ctx, p.opts.RequestTimeout)
		err := attempt(one)
		cancel()
		if err == nil || !isRetriable(err) {
			return err
		}
		p.log.Debug("kafka: attempt failed", "request", what, "attempt", try, "error", err)
		timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s: %w after %d attempts; the last one: %w", what, p.why(ctx, ctx.Err()), try, err)
		}
		pause = min(2*pause, p.opts.MaxBackoff)
	}
}
