package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

const producedTopic = "out"

// impatient makes attempts and pauses short, so that faults pass quickly.
func impatient(c Connection) ProducerOptions {
	return ProducerOptions{Addr: c.Addr(), RequestTimeout: 2 * time.Second, MinBackoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond}
}

// tap stands between a Producer and the cluster: it counts and may fail the
// produce requests, before or after the cluster has answered.
type tap struct {
	kafkago.RoundTripper
	sent   atomic.Int32
	answer func(n int32, res kafkago.Response, err error) (kafkago.Response, error)
}

func (p *tap) RoundTrip(ctx context.Context, addr net.Addr, req kafkago.Request) (kafkago.Response, error) {
	res, err := p.RoundTripper.RoundTrip(ctx, addr, req)
	if req.ApiKey() == protocol.Produce {
		n := p.sent.Add(1)
		if p.answer != nil {
			return p.answer(n, res, err)
		}
	}
	return res, err
}

func newTap(t *testing.T, c Connection) *tap {
	t.Helper()
	transport, err := c.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &tap{RoundTripper: transport}
}

func fakeProducer(t *testing.T, change func(*ProducerOptions)) (*kfake.Cluster, Connection, *tap, *Producer) {
	t.Helper()
	cluster, c := fakeCluster(t, kfake.SeedTopics(2, producedTopic))
	through := newTap(t, c)
	opts := impatient(c)
	if change != nil {
		change(&opts)
	}
	p := NewProducer(through, opts, nil)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster, c, through, p
}

// readBack gives the first n records of a partition, by franz-go, and fails if
// the partition holds more.
func readBack(t *testing.T, c Connection, topic string, partition int32, n int) []recordbatch.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		topic: {partition: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var recs []recordbatch.Record
	end := int64(-1)
	for end < 0 || int64(len(recs)) < end {
		fetches := client.PollFetches(testContext(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) { end = p.HighWatermark })
		fetches.EachRecord(func(r *kgo.Record) { recs = append(recs, fromFranz(r)) })
	}
	if len(recs) != n {
		t.Fatalf("%s/%d holds %d records, want %d", topic, partition, len(recs), n)
	}
	return recs
}

func fromFranz(r *kgo.Record) recordbatch.Record {
	out := recordbatch.Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, recordbatch.Header{Key: []byte(h.Key), Value: h.Value})
	}
	return out
}

// numbers makes n records whose values count from first.
func numbers(first, n int) []recordbatch.Record {
	recs := make([]recordbatch.Record, n)
	for i := range recs {
		recs[i] = recordbatch.Record{Offset: int64(first + i), Timestamp: 1_700_000_000_000 + int64(first+i), Value: fmt.Appendf(nil, "record %d", first+i)}
	}
	return recs
}

func TestProducerWritesEveryCodec(t *testing.T) {
	_, c, _, p := fakeProducer(t, nil)
	produceEveryCodec(t, c, producedTopic, p)
}

func produceEveryCodec(t *testing.T, c Connection, topic string, p *Producer) {
	t.Helper()
	var want []recordbatch.Record
	for _, codec := range []recordbatch.Codec{recordbatch.None, recordbatch.Gzip, recordbatch.Snappy, recordbatch.LZ4, recordbatch.Zstd} {
		recs := []recordbatch.Record{
			{Timestamp: 1_700_000_000_000, Key: []byte("key"), Value: bytes.Repeat([]byte("a line of a log "), 6000), Headers: []recordbatch.Header{
				{Key: []byte("h"), Value: []byte("v")}, {Key: []byte("null")}, {Key: []byte("empty"), Value: []byte{}}}},
			{Timestamp: 1_699_999_999_999, Key: []byte{}, Value: nil},
			{Timestamp: 1_700_000_000_001, Key: nil, Value: []byte{}},
		}
		if err := p.Produce(testContext(t), topic, 1, codec, recs); err != nil {
			t.Fatalf("%s: %v", codec, err)
		}
		for _, r := range recs {
			r.Offset = int64(len(want))
			want = append(want, r)
		}
	}
	if diff := cmp.Diff(want, readBack(t, c, topic, 1, len(want))); diff != "" {
		t.Error(diff)
	}
}

// Each fault hits the first attempts; what follows must leave one copy.
func TestProducerSendsTheSameBatchAgain(t *testing.T) {
	answered := func(code int16) func(kmsg.Request) (kmsg.Response, error, bool) {
		return func(req kmsg.Request) (kmsg.Response, error, bool) { return produceAnswer(req, code), nil, true }
	}
	for name, fault := range map[string]func(kmsg.Request) (kmsg.Response, error, bool){
		"not leader":          answered(6),
		"not enough replicas": answered(19),
		"request timed out":   answered(7),
		"storage error":       answered(56),
		"connection closed":   func(kmsg.Request) (kmsg.Response, error, bool) { return nil, io.EOF, true },
	} {
		t.Run(name, func(t *testing.T) {
			cluster, c, through, p := fakeProducer(t, nil)
			cluster.ControlKey(int16(kmsg.Produce), fault)
			for i := range 3 {
				if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(2*i, 2)); err != nil {
					t.Fatal(err)
				}
			}
			if got := through.sent.Load(); got != 4 {
				t.Errorf("%d requests, want 4", got)
			}
			if diff := cmp.Diff(numbers(0, 6), readBack(t, c, producedTopic, 0, 6)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProducerWithNoAnswer(t *testing.T) {
	cluster, c, through, p := fakeProducer(t, func(o *ProducerOptions) { o.RequestTimeout = 300 * time.Millisecond })
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, true })
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.Zstd, numbers(0, 5)); err != nil {
		t.Fatal(err)
	}
	if through.sent.Load() < 2 {
		t.Error("the request without an answer was not sent again")
	}
	readBack(t, c, producedTopic, 0, 5)
}

// The batch is written and its answer lost, twice: the broker knows the
// sequence, so that no copy is added.
func TestProducerLostAnswerLeavesNoDuplicate(t *testing.T) {
	_, c, through, p := fakeProducer(t, nil)
	loseAnswers(t, c, producedTopic, through, p)
}

func loseAnswers(t *testing.T, c Connection, topic string, through *tap, p *Producer) {
	t.Helper()
	through.answer = func(n int32, res kafkago.Response, err error) (kafkago.Response, error) {
		if n%3 != 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return res, err
	}
	for i := range 4 {
		if err := p.Produce(testContext(t), topic, 0, recordbatch.LZ4, numbers(3*i, 3)); err != nil {
			t.Fatal(err)
		}
	}
	if got := through.sent.Load(); got != 12 {
		t.Errorf("%d requests, want 12", got)
	}
	for i, r := range readBack(t, c, topic, 0, 12) {
		if want := fmt.Sprintf("record %d", i); string(r.Value) != want {
			t.Errorf("offset %d: out of order or twice", i)
		}
	}
}

// Error 46 says that the batch is there already.
func TestProducerDuplicateSequenceIsSuccess(t *testing.T) {
	cluster, _, through, p := fakeProducer(t, nil)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return produceAnswer(req, int16(kafkago.DuplicateSequenceNumber)), nil, true
	})
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 3)); err != nil || through.sent.Load() != 1 {
		t.Errorf("%v after %d requests", err, through.sent.Load())
	}
	if next := p.state(producedTopic, 0).next; next != 3 {
		t.Errorf("next sequence %d, want 3", next)
	}
}

func TestProducerSessionEndsOnRefusedSequence(t *testing.T) {
	for _, code := range []kafkago.Error{kafkago.OutOfOrderSequenceNumber, kafkago.UnknownProducerId, kafkago.InvalidProducerEpoch} {
		t.Run(code.Title(), func(t *testing.T) {
			cluster, c, through, p := fakeProducer(t, nil)
			cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
				return produceAnswer(req, int16(code)), nil, true
			})
			err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 1))
			if !errors.Is(err, ErrUnacknowledged) || !errors.Is(err, code) || through.sent.Load() != 1 {
				t.Errorf("%v after %d requests, want ErrUnacknowledged after 1", err, through.sent.Load())
			}
			if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 1)); !errors.Is(err, ErrSessionOver) {
				t.Errorf("then: %v, want ErrSessionOver", err)
			}
			if err := p.Produce(testContext(t), producedTopic, 1, recordbatch.None, numbers(0, 1)); err != nil {
				t.Errorf("another partition: %v", err)
			}
			again := NewProducer(through, impatient(c), nil)
			if err := again.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 1)); err != nil {
				t.Errorf("a new session: %v", err)
			}
			readBack(t, c, producedTopic, 0, 1)
		})
	}
}

func produceAnswer(kreq kmsg.Request, code int16) kmsg.Response {
	req := kreq.(*kmsg.ProduceRequest)
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, code
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res
}

func TestProducerGivesUpAtItsDeadline(t *testing.T) {
	_, _, through, p := fakeProducer(t, func(o *ProducerOptions) { o.DeliveryTimeout = 200 * time.Millisecond })
	through.answer = func(int32, kafkago.Response, error) (kafkago.Response, error) { return nil, io.ErrUnexpectedEOF }
	err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 1))
	if !errors.Is(err, ErrUnacknowledged) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, want ErrUnacknowledged with the last attempt's error", err)
	}
}

func TestProducerStopsWithItsCallersContext(t *testing.T) {
	_, _, through, p := fakeProducer(t, func(o *ProducerOptions) {
		o.MinBackoff, o.MaxBackoff, o.DeliveryTimeout = time.Hour, time.Hour, 2*time.Hour
	})
	ctx, cancel := context.WithCancel(testContext(t))
	through.answer = func(int32, kafkago.Response, error) (kafkago.Response, error) {
		time.AfterFunc(10*time.Millisecond, cancel) // in the pause
		return nil, io.ErrUnexpectedEOF
	}
	if err := p.Produce(ctx, producedTopic, 0, recordbatch.None, numbers(0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestProducerClosed(t *testing.T) {
	_, _, through, p := fakeProducer(t, nil)
	through.answer = func(int32, kafkago.Response, error) (kafkago.Response, error) {
		return nil, errors.Join(io.ErrUnexpectedEOF, p.Close())
	}
	for _, when := range []string{"under way", "later"} {
		if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 1)); !errors.Is(err, ErrSessionOver) {
			t.Errorf("%s: %v, want ErrSessionOver", when, err)
		}
	}
}

// Many callers of one partition: one request at a time, every batch whole.
func TestProducerSendsOneRequestAtATime(t *testing.T) {
	_, c, through, p := fakeProducer(t, nil)
	var flying, most atomic.Int32
	inner := through.RoundTripper
	through.RoundTripper = roundTripper(func(ctx context.Context, addr net.Addr, req kafkago.Request) (kafkago.Response, error) {
		if req.ApiKey() == protocol.Produce {
			most.Store(max(most.Load(), flying.Add(1)))
			defer flying.Add(-1)
		}
		return inner.RoundTrip(ctx, addr, req)
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.Snappy, numbers(5*i, 5)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d requests in flight at once", most.Load())
	}
	for i, r := range readBack(t, c, producedTopic, 0, 100) {
		var n int
		if _, err := fmt.Sscanf(string(r.Value), "record %d", &n); err != nil || n%5 != i%5 {
			t.Fatalf("offset %d: the batches are mixed up", i)
		}
	}
}
