package kafka

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/kafkatest"
)

var shared struct {
	once   sync.Once
	broker *kafkatest.Broker
	err    error
}

// sharedBroker is a real broker for the tests that do not break it.
func sharedBroker(t *testing.T) *kafkatest.Broker {
	t.Helper()
	shared.once.Do(func() { shared.broker, shared.err = kafkatest.Launch() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.broker
}

func TestMain(m *testing.M) {
	if settings := os.Getenv(frozenVariable); settings != "" {
		if err := runFrozenMember(settings); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if shared.broker != nil {
		shared.broker.Close()
	}
	os.Exit(code)
}

// stream is an input topic with its output, and what feeds and reads them.
type stream struct {
	t          *testing.T
	broker     *kafkatest.Broker
	in, out    string
	partitions int
	client     *kgo.Client // the writer
	sent       []int       // by partition
}

func newStream(t *testing.T, b *kafkatest.Broker, partitions int, config map[string]string) *stream {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	s := &stream{t: t, broker: b, in: name, out: name + ".out", partitions: partitions, sent: make([]int, partitions)}
	b.CreateTopics(t, kafkatest.Topic{Name: s.in, Partitions: partitions, Config: config},
		kafkatest.Topic{Name: s.out, Partitions: partitions}, kafkatest.Topic{Name: "dead"})
	s.client = s.franz(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	return s
}

func (s *stream) franz(opts ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.broker.Addr())}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	return client
}

// send writes n records to each partition; their values count from 0.
func (s *stream) send(n int) {
	s.t.Helper()
	var records []*kgo.Record
	for p := range s.partitions {
		for range n {
			records = append(records, &kgo.Record{Topic: s.in, Partition: int32(p), Value: []byte(strconv.Itoa(s.sent[p]))})
			s.sent[p]++
		}
	}
	if err := s.client.ProduceSync(testContext(s.t), records...).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

// member is a running Source.
type member struct {
	*Source
	cancel context.CancelFunc
	done   chan error
}

// join runs a Source whose Deliverer writes to the output topic.
func (s *stream) join(change func(*SourceOptions)) *member {
	s.t.Helper()
	c := Connection{Brokers: []string{s.broker.Addr()}}
	transport, err := c.Transport()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	o := options(&AtLeastOnce{
		Open:        func() *Producer { return NewProducer(transport, ProducerOptions{Addr: c.Addr()}, nil) },
		PartitionOf: func(context.Context, string, []byte) (int32, error) { return 0, nil },
	})
	o.Connection, o.Group, o.Topics = c, s.in, []string{s.in}
	o.Process = func(_ context.Context, in Input) (Unit, error) { return Unit{Out: in.Records, OutTopic: s.out}, nil }
	o.Session, o.Heartbeat, o.Rebalance = 6*time.Second, 300*time.Millisecond, 6*time.Second
	if change != nil {
		change(&o)
	}
	source, err := NewSource(o)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{source, cancel, make(chan error, 1)}
	go func() { m.done <- source.Run(ctx) }()
	s.t.Cleanup(m.cancel)
	return m
}

// leave ends a member as SIGTERM does, and waits for it.
func (m *member) leave(t *testing.T) {
	t.Helper()
	m.cancel()
	select {
	case err := <-m.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the member does not end")
	}
}

// committed is the group's offset of a partition; -1 when there is none.
func (s *stream) committed(partition int) int64 {
	s.t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(s.broker.Addr()), Timeout: 10 * time.Second}
	answer, err := client.OffsetFetch(testContext(s.t), &kafkago.OffsetFetchRequest{
		GroupID: s.in, Topics: map[string][]int{s.in: {partition}}})
	if err != nil || answer.Error != nil || len(answer.Topics[s.in]) != 1 {
		return -2
	}
	return answer.Topics[s.in][0].CommittedOffset
}

// outputs reads a partition of the output until ok says that it is whole.
func (s *stream) outputs(partition int32, ok func(values []string) bool) []string {
	s.t.Helper()
	client := s.franz(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{s.out: {partition: kgo.NewOffset().AtStart()}}))
	var values []string
	ctx := testContext(s.t)
	for !ok(values) {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			s.t.Fatalf("output %d has %d values only", partition, len(values))
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

// whole checks that every record sent is on the output, first deliveries in
// order, and gives the number of duplicates.
func (s *stream) whole() int {
	s.t.Helper()
	duplicates := 0
	for p, sent := range s.sent {
		next := 0
		s.outputs(int32(p), func(values []string) bool {
			next, duplicates = 0, 0
			for _, v := range values {
				switch n, _ := strconv.Atoi(v); {
				case n == next:
					next++
				case n < next:
					duplicates++
				default:
					s.t.Fatalf("partition %d: record %d came before %d", p, n, next)
				}
			}
			return next == sent
		})
	}
	return duplicates
}

func TestRecordsGoThroughUnchanged(t *testing.T) {
	s := newStream(t, sharedBroker(t), 2, nil)
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	var sent []recordbatch.Record
	for i, codec := range codecs {
		client := s.franz(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec))
		r := &kgo.Record{Topic: s.in, Partition: 1, Timestamp: time.UnixMilli(int64(1_700_000_000_000 + i)), Key: []byte{},
			Value: []byte(strings.Repeat("value ", 50)), Headers: []kgo.RecordHeader{{Key: "h", Value: nil}, {Key: "e", Value: []byte{}}}}
		empty := &kgo.Record{Topic: s.in, Partition: 1, Timestamp: r.Timestamp, Value: []byte{}}
		tombstone := &kgo.Record{Topic: s.in, Partition: 1, Timestamp: r.Timestamp, Key: []byte("k")}
		if err := client.ProduceSync(testContext(t), r, empty, tombstone).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*kgo.Record{r, empty, tombstone} {
			sent = append(sent, fromFranz(r))
		}
	}
	m := s.join(nil)
	until(t, "everything is committed", func() bool { return s.committed(1) == int64(len(sent)) })
	m.leave(t)
	got := readBack(t, Connection{Brokers: []string{s.broker.Addr()}}, s.out, 1, len(sent))
	for i := range sent {
		sent[i].Offset, got[i].Offset = 0, 0
		if a, b := fmt.Sprintf("%#v", sent[i]), fmt.Sprintf("%#v", got[i]); a != b {
			t.Errorf("record %d:\n%s\n%s", i, a, b)
		}
	}
}

func TestSecondRunGoesOnWhereTheFirstStopped(t *testing.T) {
	s := newStream(t, sharedBroker(t), 3, nil)
	for range 2 {
		s.send(100)
		m := s.join(nil)
		s.whole()
		m.leave(t)
		for p := range s.partitions {
			if got := s.committed(p); got != int64(s.sent[p]) {
				t.Errorf("partition %d: committed %d of %d", p, got, s.sent[p])
			}
		}
	}
	if n := s.whole(); n != 0 {
		t.Errorf("%d duplicates after clean ends", n)
	}
}

func TestLatestStartsAtTheEndAndCommitsThat(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	s.send(5)
	m := s.join(func(o *SourceOptions) { o.Latest = true })
	until(t, "the end is committed", func() bool { return s.committed(0) == 5 })
	m.leave(t)
	s.send(1)
	m = s.join(func(o *SourceOptions) { o.Latest = true })
	got := s.outputs(0, func(values []string) bool { return len(values) > 0 })
	m.leave(t)
	want(t, got, "5")
}

// transact writes one record in a transaction, under an id of its own: the markers
// of an id's last transaction are written after its end is acknowledged.
func (s *stream) transact(id, value string, commit bool) {
	s.t.Helper()
	client := s.franz(kgo.TransactionalID(s.in+id+value), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		s.t.Fatal(err)
	}
	if err := client.ProduceSync(testContext(s.t), &kgo.Record{Topic: s.in, Value: []byte(value)}).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
	if err := client.EndTransaction(testContext(s.t), kgo.TransactionEndTry(commit)); err != nil {
		s.t.Fatal(err)
	}
}

func TestAbortedTransactionsAndMarkersOnARealBroker(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	for i := range 4 {
		s.transact("a", fmt.Sprint("aborted ", i), false)
		s.transact("b", fmt.Sprint("committed ", i), true)
	}
	s.transact("a", "aborted at the end", false)
	m := s.join(nil)
	// Each transaction is a record and a marker; a marker is the last.
	until(t, "the last marker is passed", func() bool { return s.committed(0) == 18 })
	m.leave(t)
	got := s.outputs(0, func(values []string) bool { return len(values) >= 4 })
	want(t, got, "committed 0", "committed 1", "committed 2", "committed 3")
}
