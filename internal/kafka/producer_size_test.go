package kafka

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

type roundTripper func(context.Context, net.Addr, kafkago.Request) (kafkago.Response, error)

func (f roundTripper) RoundTrip(ctx context.Context, addr net.Addr, req kafkago.Request) (kafkago.Response, error) {
	return f(ctx, addr, req)
}

// noise makes n records of size bytes that do not compress.
func noise(n, size int) []recordbatch.Record {
	recs := make([]recordbatch.Record, n)
	for i := range recs {
		recs[i].Value = make([]byte, size)
		_, _ = rand.Read(recs[i].Value)
	}
	return recs
}

func sameValues(t *testing.T, want, got []recordbatch.Record) {
	t.Helper()
	for i := range want {
		if !bytes.Equal(want[i].Value, got[i].Value) {
			t.Fatalf("record %d of %d is another", i, len(want))
		}
	}
}

func TestProducerSplitsByItsOwnLimit(t *testing.T) {
	_, c, through, p := fakeProducer(t, func(o *ProducerOptions) { o.MaxBatchBytes = 10_000 })
	recs := noise(50, 900)
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, recs); err != nil {
		t.Fatal(err)
	}
	if got := through.sent.Load(); got != 5 {
		t.Errorf("%d requests, want 5", got)
	}
	sameValues(t, recs, readBack(t, c, producedTopic, 0, 50))
}

func narrowProducer(t *testing.T) (Connection, *Producer) {
	t.Helper()
	_, c := fakeCluster(t, kfake.SeedTopics(2, producedTopic), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20000"}))
	return c, NewProducer(newTap(t, c), impatient(c), nil)
}

func TestProducerHalvesWhatTheBrokerFindsTooLarge(t *testing.T) {
	c, p := narrowProducer(t)
	halve(t, c, producedTopic, p)
}

// halve writes 200 kB where a batch may have 20 kB.
func halve(t *testing.T, c Connection, topic string, p *Producer) {
	t.Helper()
	recs := noise(101, 2000)
	if err := p.Produce(testContext(t), topic, 0, recordbatch.Gzip, recs); err != nil {
		t.Fatal(err)
	}
	sameValues(t, recs, readBack(t, c, topic, 0, 101))
}

func TestProducerNamesTheRecordThatIsTooLarge(t *testing.T) {
	c, p := narrowProducer(t)
	nameTooLarge(t, c, producedTopic, p)
}

func nameTooLarge(t *testing.T, c Connection, topic string, p *Producer) {
	t.Helper()
	recs := append(append(noise(13, 2000), noise(1, 40_000)...), noise(6, 2000)...)
	err := p.Produce(testContext(t), topic, 1, recordbatch.None, recs)
	var place *RecordTooLargeError
	if !errors.Is(err, ErrRecordTooLarge) || !errors.As(err, &place) || place.Index != 13 {
		t.Fatalf("%v, want record 13 too large", err)
	}
	recs[13].Value = []byte("withheld")
	if err := p.Produce(testContext(t), topic, 1, recordbatch.None, recs[13:]); err != nil {
		t.Fatalf("the rest: %v", err)
	}
	sameValues(t, recs, readBack(t, c, topic, 1, 20))
}

// A sequence goes from 2^31-1 to 0 (Kafka's DefaultRecordBatch.incrementSequence).
func TestProducerSequenceWrapsAround(t *testing.T) {
	_, c, _, p := fakeProducer(t, nil)
	st := p.state(producedTopic, 0)
	st.next = math.MaxInt32 - 1
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 5)); err != nil {
		t.Fatal(err)
	}
	if st.next != 3 {
		t.Errorf("next sequence %d, want 3", st.next)
	}
	readBack(t, c, producedTopic, 0, 5)
}

func TestProducerWithNothingToWrite(t *testing.T) {
	_, _, through, p := fakeProducer(t, nil)
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, nil); err != nil || through.sent.Load() != 0 {
		t.Errorf("%v after %d requests", err, through.sent.Load())
	}
}
