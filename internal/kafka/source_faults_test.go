package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/kafkatest"
)

func TestBrokerCrashAndRestartLoseNothing(t *testing.T) {
	b := kafkatest.Start(t)
	s := newStream(t, b, 3, nil)
	m := s.join(nil)
	for range 2 {
		s.send(200)
		b.Kill()
		if err := b.Restart(); err != nil {
			t.Fatal(err)
		}
		s.send(200)
	}
	t.Logf("%d duplicates", s.whole())
	m.leave(t)
}

func TestConnectionsCutAndStalledLoseNothing(t *testing.T) {
	s := newStream(t, sharedBroker(t), 2, nil)
	proxy := kafkatest.NewProxy(t)
	m := s.join(func(o *SourceOptions) {
		o.Connection.Dial = proxy.Dial
		o.RequestTimeout = 2 * time.Second
	})
	cuts := 0
	for range 10 {
		s.send(50)
		cuts += proxy.Cut()
	}
	proxy.Stall(true)
	s.send(50)
	until(t, "the source notices", func() bool { return !m.Status().Joined })
	proxy.Stall(false)
	t.Logf("%d duplicates, %d cuts", s.whole(), cuts)
	if cuts == 0 {
		t.Error("nothing was cut")
	}
	m.leave(t)
}

func TestMembersShareAndTakeOver(t *testing.T) {
	s := newStream(t, sharedBroker(t), 4, nil)
	first := s.join(nil)
	s.send(100)
	second := s.join(nil)
	until(t, "both have a half", func() bool {
		s.send(1)
		return first.Status().Partitions == 2 && second.Status().Partitions == 2
	})
	s.send(100)
	first.leave(t)
	s.send(100)
	until(t, "the other has all", func() bool { return second.Status().Partitions == 4 })
	t.Logf("%d duplicates", s.whole())
	second.leave(t)
	for p := range s.partitions {
		if got := s.committed(p); got != int64(s.sent[p]) {
			t.Errorf("partition %d: committed %d of %d", p, got, s.sent[p])
		}
	}
}

// slow is a Deliverer that holds each unit until it is let through.
type slow struct {
	*AtLeastOnce
	held, open chan struct{}
}

func (d *slow) Deliver(ctx context.Context, u Unit) error {
	select {
	case d.held <- struct{}{}:
	default:
	}
	select {
	case <-d.open:
		return d.AtLeastOnce.Deliver(ctx, u)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stream) joinSlow(change func(*SourceOptions)) (*member, *slow) {
	d := &slow{held: make(chan struct{}, 1), open: make(chan struct{})}
	m := s.join(func(o *SourceOptions) {
		d.AtLeastOnce = o.Deliverer.(*AtLeastOnce)
		o.Deliverer = d
		if change != nil {
			change(o)
		}
	})
	return m, d
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	s.send(10)
	m, d := s.joinSlow(nil)
	<-d.held
	m.cancel()
	close(d.open)
	m.leave(t)
	if got := s.committed(0); got != 10 {
		t.Errorf("committed %d, not what was in flight", got)
	}
	if n := s.whole(); n != 0 {
		t.Errorf("%d duplicates", n)
	}
}

func TestDrainTimeoutGivesUpWithoutCommitting(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	s.send(10)
	m, d := s.joinSlow(func(o *SourceOptions) { o.Drain = 200 * time.Millisecond })
	<-d.held
	m.cancel()
	if err := <-m.done; !errors.Is(err, errDrained) {
		t.Errorf("ended with %v", err)
	}
	if got := s.committed(0); got != -1 {
		t.Errorf("committed %d of what was not delivered", got)
	}
}

func TestSlowOutputOnlyPausesFetching(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	value := []byte(strings.Repeat("x", 64<<10))
	for range 200 { // 12.8 MB
		s.client.Produce(context.Background(), &kgo.Record{Topic: s.in, Value: value}, nil)
	}
	if err := s.client.Flush(testContext(t)); err != nil {
		t.Fatal(err)
	}
	const session = 1500 * time.Millisecond
	var generations atomic.Int32
	m, d := s.joinSlow(func(o *SourceOptions) {
		o.MemoryBudget = minBudget
		o.Session = session
		o.Hooks.OnAssigned = func(int32, int) { generations.Add(1) }
	})
	<-d.held
	held := time.Now()
	until(t, "the session would be over twice", func() bool { return time.Since(held) > 2*session })
	if n := generations.Load(); n != 1 {
		t.Errorf("%d generations: the heartbeat waited for the slow output", n)
	}
	close(d.open)
	until(t, "everything is committed", func() bool { return s.committed(0) == 200 })
	m.leave(t)
}

func TestStaleGenerationCannotCommit(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	config := kafkago.ConsumerGroupConfig{ID: s.in, Brokers: []string{s.broker.Addr()}, Topics: []string{s.in},
		JoinGroupBackoff: joinBackoff, HeartbeatInterval: time.Minute, SessionTimeout: time.Second, RebalanceTimeout: time.Second}
	next := func() (*kafkago.ConsumerGroup, *kafkago.Generation) {
		group, err := kafkago.NewConsumerGroup(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = group.Close() })
		for {
			if g, err := group.Next(testContext(t)); err == nil {
				return group, g
			}
		}
	}
	_, old := next() // without heartbeats: it is thrown out
	config.HeartbeatInterval = 200 * time.Millisecond
	_, current := next()
	marks := newWatermarks()
	marks.mark(place{s.in, 0}, 20)
	if _, err := marks.commit(current); err != nil {
		t.Fatal(err)
	}
	late := newWatermarks()
	late.mark(place{s.in, 0}, 1)
	if _, err := late.commit(old); !fenced(err) {
		t.Errorf("the old generation's commit gave %v", err)
	}
	if got := s.committed(0); got != 20 {
		t.Errorf("committed %d: the old generation moved it", got)
	}
}

func TestCompactedTopicIsReadToItsEnd(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, map[string]string{"cleanup.policy": "compact", "segment.ms": "100",
		"min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100", "min.compaction.lag.ms": "0"})
	write := func(key string) {
		r := &kgo.Record{Topic: s.in, Key: []byte(key), Value: []byte(key + strings.Repeat("x", 10_000))}
		if err := s.client.ProduceSync(testContext(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		write("same")
		write("same")
	}
	// Until the first record is gone; writing on makes new segments.
	n := int64(6)
	until(t, "the topic is compacted", func() bool {
		write("same")
		n++
		client := s.franz(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.in: {0: kgo.NewOffset().AtStart()}}))
		defer client.Close()
		first := int64(-1)
		client.PollFetches(testContext(t)).EachRecord(func(r *kgo.Record) {
			if first < 0 {
				first = r.Offset
			}
		})
		return first > 0
	})
	m := s.join(func(o *SourceOptions) { o.FetchBytes = 8 << 10 })
	until(t, "its end is committed", func() bool { return s.committed(0) == n })
	m.leave(t)
}

func TestRetentionGapOnARealBroker(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	s.send(3)
	m := s.join(nil)
	until(t, "three are committed", func() bool { return s.committed(0) == 3 })
	m.leave(t)
	s.send(10)
	request := kmsg.NewPtrDeleteRecordsRequest()
	topic := kmsg.NewDeleteRecordsRequestTopic()
	partition := kmsg.NewDeleteRecordsRequestTopicPartition()
	partition.Offset = 8
	topic.Topic, topic.Partitions = s.in, append(topic.Partitions, partition)
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), 10_000
	if _, err := request.RequestWith(testContext(t), s.client); err != nil {
		t.Fatal(err)
	}
	gaps := make(chan Gap, 10)
	m = s.join(func(o *SourceOptions) { o.Hooks.OnGap = func(g Gap) { gaps <- g } })
	if got := <-gaps; got != (Gap{s.in, 0, 3, 8}) {
		t.Errorf("gap %+v", got)
	}
	until(t, "the rest is committed", func() bool { return s.committed(0) == 13 })
	m.leave(t)
}

func TestRegexFindsNewTopicsAndNeverOurOwn(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	seen := make(chan string, 1000)
	m := s.join(func(o *SourceOptions) {
		o.Topics, o.TopicsRegex, o.RegexPeriod = nil, s.in+".*", 200*time.Millisecond
		o.Exclude = func(topic string) bool { return strings.HasSuffix(topic, ".out") }
		process := o.Process
		o.Process = func(ctx context.Context, in Input) (Unit, error) {
			seen <- in.Topic
			return process(ctx, in)
		}
	})
	s.send(5)
	if got := <-seen; got != s.in {
		t.Errorf("read %s", got)
	}
	late := s.in + "-late"
	s.broker.CreateTopics(t, kafkatest.Topic{Name: late})
	if err := s.client.ProduceSync(testContext(t), &kgo.Record{Topic: late, Value: []byte("5")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	until(t, "the new topic's record is out", func() bool { return len(s.outputs(0, func(v []string) bool { return len(v) >= 5 })) >= 6 })
	m.leave(t)
	close(seen)
	for topic := range seen {
		if strings.HasSuffix(topic, ".out") {
			t.Errorf("read our own %s", topic)
		}
	}
}

func TestTopicsByNameLeaveOutOurOwn(t *testing.T) {
	o := options(&memory{})
	o.Topics, o.Exclude = []string{"b", "a", "own", "a"}, func(topic string) bool { return topic == "own" }
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.topics(testContext(t))
	if err != nil || fmt.Sprint(got) != "[a b]" {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzDecodeFetch(f *testing.F) {
	f.Add(fetchFrame("in", 0, 0, 9, 0, []abortedTransaction{{7, 1}}, []byte("set"))[4:], true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, frame []byte, cut bool) {
		answer, err := decodeFetch(frame, "in", 0, cut)
		if err == nil && (len(answer.Set) > len(frame) || len(answer.Aborted) > len(frame)/16) {
			t.Errorf("%d bytes and %d transactions out of %d bytes", len(answer.Set), len(answer.Aborted), len(frame))
		}
		_ = endOfSet(answer.Set, 0)
		_ = rangeOf(answer.Set, 0)
		_, _, _ = recordbatch.Next(answer.Set)
	})
}
