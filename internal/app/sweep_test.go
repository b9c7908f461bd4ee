package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/redact"
)

// holding delivers when it is told to.
type holding struct{ entered, release chan struct{} }

func (h holding) Deliver(context.Context, kafka.Unit) error {
	h.entered <- struct{}{}
	<-h.release
	return nil
}

type noAlertCounts struct{}

func (noAlertCounts) Alerts(string, string, int64) {}

// While one partition's alerts are on their way, the others are folded, offsets are
// committed, and the group may change.
func TestASlowOutputHoldsUpItsOwnPartitionAlone(t *testing.T) {
	key := redact.RandomKey()
	clock := time.Unix(1_700_000_000, 0)
	out := holding{make(chan struct{}), make(chan struct{})}
	a := &alerts{
		topic: "alerts", fold: alert.Config{Key: key.Derive("alert id"), Now: func() time.Time { return clock }}, folds: map[int32]*partitionFold{},
		next: newOffsetStore(kafkago.TCP("127.0.0.1:1"), storedOffset(0), "g", "alerts"), log: slog.New(slog.DiscardHandler),
		metrics: noAlertCounts{}, deliver: out, source: &kafka.Source{}, now: func() time.Time { return clock },
	}
	batch := func(partition int32, offset int64) kafka.Input {
		in := kafka.Input{Topic: "alerts", Partition: partition}
		in.Records = []recordbatch.Record{{Offset: offset, Value: alert.MarshalDetection(detected(offset, "shop", key.ID()), clock)}}
		in.Info.LastOffset = offset
		return in
	}
	for offset := range int64(2) { // the second waits for alert.Config.Interval
		if _, err := a.foldBatch(t.Context(), batch(0, offset)); err != nil {
			t.Fatal(err)
		}
		a.hold("alerts", 0, offset+1)
	}
	clock = clock.Add(time.Hour)
	swept := make(chan struct{})
	go func() { a.sweep(context.Background()); close(swept) }()
	<-out.entered
	if _, err := a.foldBatch(t.Context(), batch(1, 0)); err != nil {
		t.Error(err)
	}
	a.hold("alerts", 1, 1)
	if got := a.hold("alerts", 0, 2); got > 2 {
		t.Errorf("offset %d is committed", got)
	}
	a.assigned(7, 2)
	close(out.release)
	<-swept
	if n := len(a.current()); n != 0 {
		t.Errorf("%d folds of an older generation are left", n)
	}
}
