package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// ProducerOptions say how a Producer writes; zero fields take the defaults.
type ProducerOptions struct {
	// Addr is the bootstrap address (Connection.Addr). Required.
	Addr net.Addr
	// MaxBatchBytes is the most uncompressed bytes that go into one batch; more
	// is split. 900 KiB by default, which is under max.message.bytes' default.
	MaxBatchBytes int
	// RequestTimeout ends one attempt; 10 s by default. The broker waits at most
	// half of it for its replicas.
	RequestTimeout time.Duration
	// DeliveryTimeout ends the attempts for one batch; 30 s by default.
	DeliveryTimeout time.Duration
	// MinBackoff and MaxBackoff bound the pause between two attempts, which
	// doubles and is jittered; 50 ms and 1 s by default.
	MinBackoff, MaxBackoff time.Duration
}

func (o ProducerOptions) withDefaults() ProducerOptions {
	if o.MaxBatchBytes <= 0 {
		o.MaxBatchBytes = 900 << 10
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&o.RequestTimeout, 10 * time.Second},
		{&o.DeliveryTimeout, 30 * time.Second},
		{&o.MinBackoff, 50 * time.Millisecond},
		{&o.MaxBackoff, time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.standard
		}
	}
	return o
}

// Producer is one session of an idempotent producer: one producer id, one
// sequence per partition, at most one request in flight per partition, acks
// from all in-sync replicas. Batches of a partition are written in the order of
// the calls, each once however often it had to be sent.
//
// After a failure whose outcome the producer cannot know, the partition is over
// for this session: every later Produce to it fails. Callers then make a new
// Producer and read again from the last committed offset. A Producer is safe
// for concurrent use.
type Producer struct {
	client *kafkago.Client
	opts   ProducerOptions
	log    *slog.Logger

	closed context.Context
	close  context.CancelFunc

	mu         sync.Mutex
	partitions map[partitionKey]*partitionState

	session chan session // holds the one session, zero until it is known
}

type partitionKey struct {
	topic     string
	partition int32
}

// session is what the broker gave to this producer.
type session struct {
	known bool
	id    int64
	epoch int16
}

// partitionState is a partition's sequence; whoever holds its turn may use it.
type partitionState struct {
	turn   chan struct{}
	next   int32
	broken error
}

// works holds *producerWork for all producers: each is some megabytes, and
// there is a producer for every input partition.
var works = sync.Pool{New: func() any { return new(producerWork) }}

// producerWork is memory that goes from one call to the next.
type producerWork struct {
	encoder recordbatch.Encoder
	wire    []byte
}

// maxKeptWire is the largest encoded batch whose memory is kept.
const maxKeptWire = 4 << 20

// NewProducer makes a session over transport, which stays the caller's, as
// Connection.Transport made it. Nothing is sent before the first Produce.
func NewProducer(transport kafkago.RoundTripper, opts ProducerOptions, log *slog.Logger) *Producer {
	opts = opts.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Producer{
		client:     &kafkago.Client{Addr: opts.Addr, Transport: transport, Timeout: opts.RequestTimeout},
		opts:       opts,
		log:        log,
		partitions: make(map[partitionKey]*partitionState),
		session:    make(chan session, 1),
	}
	p.closed, p.close = context.WithCancel(context.Background())
	p.session <- session{}
	return p
}

// Produce writes recs to the partition, in order, as one batch or more, and
// returns when all replicas in sync have them. Offsets in recs are ignored.
//
// A *RecordTooLargeError names the first record that no batch can carry: the
// records before it are written, none from it on, and the partition goes on.
// Any other error means that some of recs may or may not have been written
// (ErrUnacknowledged), and ends the partition for this session.
func (p *Producer) Produce(ctx context.Context, topic string, partition int32, codec recordbatch.Codec, recs []recordbatch.Record) error {
	return p.produce(ctx, topic, partition, codec, recs, nil)
}

// produce is Produce. raw, unless nil, is a batch that holds just recs, and is written
// as it is when the broker takes it.
func (p *Producer) produce(ctx context.Context, topic string, partition int32, codec recordbatch.Codec, recs []recordbatch.Record, raw []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closed, cancel)()
	st := p.state(topic, partition)
	select {
	case <-st.turn:
		defer func() { st.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("produce to %s/%d: %w", topic, partition, p.why(ctx, ctx.Err()))
	}
	if st.broken != nil {
		return fmt.Errorf("produce to %s/%d: %w: %w", topic, partition, ErrSessionOver, st.broken)
	}
	u := &unit{p: p, st: st, key: partitionKey{topic, partition}, codec: codec}
	u.work = works.Get().(*producerWork)
	err := u.sendAll(ctx, recs, raw)
	if !u.abandoned {
		works.Put(u.work)
	}
	return err
}

// Close ends the session: calls that are under way and later ones fail. The
// transport stays open.
func (p *Producer) Close() error {
	p.close()
	return nil
}

func (p *Producer) state(topic string, partition int32) *partitionState {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := partitionKey{topic, partition}
	st := p.partitions[key]
	if st == nil {
		st = &partitionState{turn: make(chan struct{}, 1)}
		st.turn <- struct{}{}
		p.partitions[key] = st
	}
	return st
}

// why tells a closed producer from a caller's cancelled context.
func (p *Producer) why(ctx context.Context, err error) error {
	if p.closed.Err() != nil && ctx.Err() != nil {
		return ErrSessionOver
	}
	return err
}

// identity asks for a producer id once per session. Both ids of the request are
// -1: brokers refuse zeros on a fresh transactional id, and -1 is what "none"
// is.
func (p *Producer) identity(ctx context.Context) (session, error) {
	var s session
	select {
	case s = <-p.session:
	case <-ctx.Done():
		return session{}, ctx.Err()
	}
	defer func() { p.session <- s }()
	if s.known {
		return s, nil
	}
	err := p.retry(ctx, "InitProducerId", func(ctx context.Context) error {
		res, err := p.client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
		if err == nil {
			err = res.Error
		}
		if err == nil {
			s = session{known: true, id: int64(res.Producer.ProducerID), epoch: int16(res.Producer.ProducerEpoch)}
		}
		return err
	})
	return s, err
}
