package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// stalledPartition is a Deliverer whose units of partition 0 go into a network that
// carries nothing, while all others arrive.
type stalledPartition struct {
	stalled, open *AtLeastOnce
	held          chan struct{} // gets a value when a unit of partition 0 has come
}

func (d *stalledPartition) Deliver(ctx context.Context, u Unit) error {
	if u.Partition != 0 {
		return d.open.Deliver(ctx, u)
	}
	select {
	case d.held <- struct{}{}:
	default:
	}
	return d.stalled.Deliver(ctx, u)
}

// An offset commits only when its unit is acknowledged, however many commits go by.
// Kill a member at any moment before: what it read is on the output or is read again.
func TestNothingCommitsBeforeItIsAcknowledged(t *testing.T) {
	s := newStream(t, sharedBroker(t), 2, nil)
	proxy := kafkatest.NewProxy(t)
	proxy.Stall(true)
	c := Connection{Brokers: []string{s.broker.Addr()}, Dial: proxy.Dial}
	transport, err := c.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	d := &stalledPartition{held: make(chan struct{}, 1), stalled: &AtLeastOnce{
		Open:        func() *Producer { return NewProducer(transport, ProducerOptions{Addr: c.Addr()}, nil) },
		PartitionOf: func(context.Context, string, []byte) (int32, error) { return 0, nil },
	}}
	m := s.join(func(o *SourceOptions) {
		d.open = o.Deliverer.(*AtLeastOnce)
		o.Deliverer, o.CommitEvery, o.Drain = d, 10*time.Millisecond, time.Millisecond
	})
	s.send(10)
	<-d.held
	for range 5 { // each of these commits would take along what is marked too early
		until(t, "the other partition is committed", func() bool { return s.committed(1) == int64(s.sent[1]) })
		if got := s.committed(0); got != -1 {
			t.Fatalf("committed %d of a partition whose output has nothing", got)
		}
		s.send(10)
	}
	m.cancel()
	if err := <-m.done; !errors.Is(err, errDrained) {
		t.Errorf("ended with %v", err)
	}
	if got := s.committed(0); got != -1 {
		t.Errorf("committed %d at the end, and the output has nothing", got)
	}
	proxy.Stall(false)
	m = s.join(nil)
	t.Logf("%d duplicates", s.whole())
	m.leave(t)
}
