package kafka

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// silentOnce leaves every other produce request without an answer, and keeps its
// batch, as kafka-go's connection does that is still writing it.
type silentOnce struct {
	kafkago.RoundTripper
	asked int
	kept  []io.Reader
}

func (s *silentOnce) RoundTrip(ctx context.Context, addr net.Addr, req kafkago.Request) (kafkago.Response, error) {
	if r, ok := req.(*rawproduce.Request); ok {
		s.asked++
		if s.asked%2 == 1 {
			s.kept = append(s.kept, r.Topics[0].Partitions[0].RecordSet.Reader)
			return nil, context.DeadlineExceeded
		}
	}
	return s.RoundTripper.RoundTrip(ctx, addr, req)
}

// An attempt that ended without an answer may still be on its way. What is written
// from its memory must stay that batch, whatever is produced next.
func TestMemoryOfAnUnansweredAttemptIsNotUsedAgain(t *testing.T) {
	// Memory is handed on within a processor.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, c, through, _ := fakeProducer(t, nil)
	silent := &silentOnce{RoundTripper: through}
	p := NewProducer(silent, impatient(c), nil)
	const rounds = 20
	for i := range rounds {
		if err := p.Produce(testContext(t), producedTopic, int32(i%2), recordbatch.None, numbers(10*i, 10)); err != nil {
			t.Fatal(err)
		}
	}
	for i, reader := range silent.kept {
		wire, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		raw, _, err := recordbatch.Next(wire[4:])
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := recordbatch.NewDecoder(recordbatch.Limits{}).Decode(raw, nil)
		if err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		if want := numbers(10*i, 10); len(got) != len(want) || !bytes.Equal(got[0].Value, want[0].Value) {
			t.Errorf("attempt %d writes %q first, want %q", i, got[0].Value, want[0].Value)
		}
	}
	if len(silent.kept) != rounds {
		t.Errorf("%d attempts without an answer", len(silent.kept))
	}
}
