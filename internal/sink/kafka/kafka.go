// Package kafka is the sink that writes alerts to a topic of a Kafka cluster: the states
// of one alert to one partition, each acknowledged by all replicas in sync. The key is the
// alert's id; the header "leakveil-id" names the state, by which consumers know repeats.
// Order is that of the outbox, except for what had to be sent again. The package must never
// log what a broker answers about a record.
package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	leakveilkafka "github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
)

// Options configure a Sink.
type Options struct {
	Connection leakveilkafka.Connection
	Topic      string
	// Render makes a record's value of an item; nil: the document.
	Render func(sink.Item) ([]byte, error)
}

// Sink writes to one topic.
type Sink struct {
	o         Options
	transport *kafkago.Transport

	mu         sync.Mutex
	session    *leakveilkafka.Producer // nil: begin a new one
	partitions int32                   // 0: not known
	asked      time.Time               // when they were
}

var _ sink.Sink = (*Sink)(nil)

// idHeader names the item.
const idHeader = "leakveil-id"

// New checks the options and reads the files. It does not connect.
func New(o Options) (*Sink, error) {
	if o.Topic == "" {
		return nil, errors.New("topic: is needed")
	}
	if len(o.Connection.Brokers) == 0 {
		return nil, errors.New("brokers: at least one is needed")
	}
	if s := o.Connection.SASL; s != nil && o.Connection.TLS == nil && s.Mechanism == "plain" {
		return nil, errors.New("mechanism: plain goes over tls only")
	}
	if o.Render == nil {
		o.Render = func(item sink.Item) ([]byte, error) { return item.Document, nil }
	}
	transport, err := o.Connection.Transport()
	if err != nil {
		return nil, err
	}
	return &Sink{o: o, transport: transport}, nil
}

// part is what goes to one partition: records and the items they are of.
type part struct {
	records []recordbatch.Record
	items   []int
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork})
	n, outcome := s.count(ctx)
	if n == 0 {
		return sink.All(len(items), outcome)
	}
	parts := map[int32]*part{}
	for i, item := range items {
		record, err := s.record(item)
		if err != nil {
			report.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}
			continue
		}
		number := leakveilkafka.PartitionFor(record.Key, n)
		p := parts[number]
		if p == nil {
			p = &part{}
			parts[number] = p
		}
		p.records, p.items = append(p.records, record), append(p.items, i)
	}
	producer := s.producer()
	var all errgroup.Group
	for number, p := range parts {
		all.Go(func() error { return s.produce(ctx, producer, number, p, report.Outcomes) })
	}
	if all.Wait() != nil { // what became of its records is not known: a session of its own
		s.end(producer)
	}
	return report
}

func (s *Sink) record(item sink.Item) (recordbatch.Record, error) {
	r, err := field.Parse(item.Document)
	if err != nil {
		return recordbatch.Record{}, err
	}
	value, err := s.o.Render(item)
	if err != nil {
		return recordbatch.Record{}, err
	}
	key := r.Text("event.id")
	if key == "" {
		key = item.ID
	}
	return recordbatch.Record{
		Timestamp: r.Time("@timestamp").UnixMilli(), Key: []byte(key), Value: value,
		Headers: []recordbatch.Header{{Key: []byte(idHeader), Value: []byte(item.ID)}},
	}, nil
}

// produce writes one partition's records and fills the outcomes of their items. A record
// that no batch can carry is refused, and what stands behind it is sent.
func (s *Sink) produce(ctx context.Context, producer *leakveilkafka.Producer, number int32, p *part, outcomes []sink.Outcome) error {
	records, items := p.records, p.items
	for len(records) > 0 {
		err := producer.Produce(ctx, s.o.Topic, number, recordbatch.None, records)
		var large *leakveilkafka.RecordTooLargeError
		switch {
		case errors.As(err, &large):
			for _, i := range items[:large.Index] {
				outcomes[i] = sink.Outcome{Verdict: sink.Delivered}
			}
			outcomes[items[large.Index]] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonTooLarge}
			records, items = records[large.Index+1:], items[large.Index+1:]
		case err != nil:
			for _, i := range items {
				outcomes[i] = sink.Outcome{Verdict: sink.Retry, Reason: reason(ctx, err)}
			}
			return err
		default:
			for _, i := range items {
				outcomes[i] = sink.Outcome{Verdict: sink.Delivered}
			}
			return nil
		}
	}
	return nil
}

// reason is the word for what went wrong. What Kafka calls an authorization that fails is
// the configuration's fault, and tried on.
func reason(ctx context.Context, err error) string {
	var code kafkago.Error
	if !errors.As(err, &code) {
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return sink.ReasonTimeout
		}
		return sink.ReasonNetwork
	}
	switch code {
	case kafkago.TopicAuthorizationFailed, kafkago.ClusterAuthorizationFailed, kafkago.SASLAuthenticationFailed:
		return sink.ReasonAuth
	case kafkago.UnknownTopicOrPartition, kafkago.InvalidTopic:
		return sink.ReasonNotFound
	case kafkago.RequestTimedOut:
		return sink.ReasonTimeout
	}
	return sink.ReasonServer
}

const (
	// deliveryTimeout ends the tries for one batch: the Runner tries on.
	deliveryTimeout = 10 * time.Second
	// countEvery is how often the number of partitions is asked for.
	countEvery = 5 * time.Minute
)

func (s *Sink) producer() *leakveilkafka.Producer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		s.session = leakveilkafka.NewProducer(s.transport, leakveilkafka.ProducerOptions{
			Addr: s.o.Connection.Addr(), RequestTimeout: deliveryTimeout / 2, DeliveryTimeout: deliveryTimeout,
		}, nil)
	}
	return s.session
}

func (s *Sink) end(producer *leakveilkafka.Producer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == producer {
		_ = producer.Close()
		s.session = nil
	}
}

// count returns the number of partitions of the topic; 0 with the reason why it is not
// known. While it cannot be asked for, the number known before holds.
func (s *Sink) count(ctx context.Context) (int32, sink.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.partitions > 0 && time.Since(s.asked) < countEvery {
		return s.partitions, sink.Outcome{}
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	client := &kafkago.Client{Addr: s.o.Connection.Addr(), Transport: s.transport}
	answer, err := client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{s.o.Topic}})
	if err == nil && len(answer.Topics) == 1 {
		err = answer.Topics[0].Error
	}
	switch {
	case err != nil:
		return s.partitions, sink.Outcome{Verdict: sink.Retry, Reason: reason(ctx, err)}
	case len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) == 0:
		return s.partitions, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound}
	}
	s.partitions, s.asked = int32(len(answer.Topics[0].Partitions)), time.Now()
	return s.partitions, sink.Outcome{}
}

// Close implements sink.Closer.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		_ = s.session.Close()
		s.session = nil
	}
	s.transport.CloseIdleConnections()
	return nil
}
