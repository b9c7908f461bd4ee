package kafka

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// kafka-go's Client.Heartbeat goes to any broker: two of three refuse it.
func TestHeartbeatsReachTheCoordinator(t *testing.T) {
	_, c := fakeCluster(t, kfake.NumBrokers(3))
	for _, broker := range c.Brokers {
		alone := Connection{Brokers: []string{broker}}
		transport, err := alone.Transport()
		if err != nil {
			t.Fatal(err)
		}
		defer transport.CloseIdleConnections()
		client := &kafkago.Client{Addr: alone.Addr(), Transport: transport}
		if err := askHeartbeat(testContext(t), client, "g", "nobody", 3); errors.Is(err, kafkago.NotCoordinatorForGroup) || err == nil {
			t.Errorf("by way of one of three brokers: %v", err)
		}
	}
}

// With kafka-go's default this would take a hundred seconds.
func TestColdCoordinatorCostsNoFiveSeconds(t *testing.T) {
	cluster, c := fakeCluster(t, kfake.SeedTopics(1, "in"))
	const refusals = 20
	var refused atomic.Int32
	cluster.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if refused.Add(1) > refusals {
			return nil, nil, false
		}
		cluster.KeepControl()
		res := req.ResponseKind().(*kmsg.JoinGroupResponse)
		res.ErrorCode = int16(kafkago.GroupCoordinatorNotAvailable)
		return res, nil, true
	})
	o := options(&memory{})
	o.Connection = c
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	until(t, "the member has joined", func() bool { return s.Status().Joined })
	if n := refused.Load(); n < refusals {
		t.Errorf("refused %d times only", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Without a LeaveGroup that arrives, the group would wait for the session.
func TestLeavingMemberIsGoneAtOnce(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	m := s.join(func(o *SourceOptions) { o.Session = 5 * time.Minute })
	s.send(1)
	until(t, "the record is committed", func() bool { return s.committed(0) == 1 })
	m.leave(t)
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{s.in}
	until(t, "the group is empty", func() bool {
		answer, err := request.RequestWith(testContext(t), s.client)
		return err == nil && len(answer.Groups) == 1 && answer.Groups[0].State == "Empty"
	})
}

// Epoch 0, as kafka-go's Client.OffsetCommit has it, lets other consumers of the
// group rewind or stop once the leader has changed.
func TestOffsetsCommitWithoutALeaderEpoch(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	m := s.join(nil)
	s.send(3)
	until(t, "the records are committed", func() bool { return s.committed(0) == 3 })
	m.leave(t)
	request := kmsg.NewPtrOffsetFetchRequest()
	group := kmsg.NewOffsetFetchRequestGroup()
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.Partitions = s.in, []int32{0}
	group.Group, group.Topics = s.in, append(group.Topics, topic)
	request.Groups = append(request.Groups, group)
	answer, err := request.RequestWith(testContext(t), s.client)
	if err != nil {
		t.Fatal(err)
	}
	if p := answer.Groups[0].Topics[0].Partitions[0]; p.Offset != 3 || p.LeaderEpoch != -1 {
		t.Errorf("committed %d with leader epoch %d", p.Offset, p.LeaderEpoch)
	}
}

// When the group rebalances while one unit is in work, the rest of its answer is
// thrown away, and so is the answer that was fetched ahead.
func TestNothingFetchedIsProcessedAfterARebalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := &fakeLog{}, &memory{}
		for i := range 10 { // of two codecs, so that each is a unit
			l.add(t, recordbatch.Plain([]recordbatch.Codec{recordbatch.None, recordbatch.LZ4}[i%2]), nil, text("x")...)
		}
		s, marks, held, open := heldSource(t, l, m, 250)
		fetching, rebalance := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.partition(fetching, t.Context(), place{"in", 0}, 0, s.opts.FetchBytes, marks, nil)
		}()
		<-held
		synctest.Wait() // until it has fetched what it may
		if n := l.asked(); n < 2 {
			t.Errorf("%d fetches: nothing is ahead", n)
		}
		rebalance()
		close(open)
		<-done
		if got := len(m.values("in", 0)); got != 1 || marks.delivered[place{"in", 0}] != 1 {
			t.Errorf("%d records were delivered, %d marked; 1 was in work", got, marks.delivered[place{"in", 0}])
		}
	})
}

// heldSource reads some bytes a fetch, one batch at least, and holds the first unit until open closes.
func heldSource(t *testing.T, l *fakeLog, m *memory, fetchBytes int) (s *Source, marks *watermarks, held, open chan struct{}) {
	t.Helper()
	held, open = make(chan struct{}, 1), make(chan struct{})
	m.before = func(context.Context, Unit) error {
		select {
		case held <- struct{}{}:
		default:
		}
		<-open
		return nil
	}
	o := options(m)
	o.FetchBytes = fetchBytes
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	s.client.Transport = l
	return s, newWatermarks(), held, open
}

// However much there is to read: one answer in work, one ahead, and no more.
func TestSlowOutputBoundsWhatIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := &fakeLog{}, &memory{}
		for range 1000 {
			l.addPlain(t, "x")
		}
		s, marks, held, open := heldSource(t, l, m, 1)
		fetching, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.partition(fetching, t.Context(), place{"in", 0}, 0, s.opts.FetchBytes, marks, nil)
		}()
		<-held
		time.Sleep(time.Hour) // of the test's own clock: whatever goes on by itself has gone on
		if n := l.asked(); n != 2 {
			t.Errorf("%d answers were fetched while the output stood still", n)
		}
		close(open)
		for marks.at(place{"in", 0}) < 1000 {
			time.Sleep(time.Second)
		}
		stop()
		<-done
	})
}

func (l *fakeLog) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fetches
}

func (w *watermarks) at(p place) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.delivered[p]
}
