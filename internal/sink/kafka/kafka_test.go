package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	leakveilkafka "github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafkatest"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/kafka"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

const topic = "alerts"

func fake(t *testing.T) (*kfake.Cluster, *kafka.Sink) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, open(t, kafka.Options{Connection: leakveilkafka.Connection{Brokers: cluster.ListenAddrs()}, Topic: topic})
}

func open(t *testing.T, o kafka.Options) *kafka.Sink {
	t.Helper()
	s, err := kafka.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// read returns all records of the topic.
func read(t *testing.T, brokers []string, n int) (all []*kgo.Record) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(all) < n && ctx.Err() == nil {
		fetches := c.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) { all = append(all, r) })
	}
	return all
}

func header(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "leakveil-id" {
			return string(h.Value)
		}
	}
	return ""
}

func delivered(t *testing.T, report sink.Report, n int) {
	t.Helper()
	if len(report.Outcomes) != n {
		t.Fatalf("%d outcomes of %d", len(report.Outcomes), n)
	}
	for i, o := range report.Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("item %d: %+v", i, o)
		}
	}
}

// Every document arrives as it is, whatever text from records is in it, with its alert's
// id as key and its own in the header.
func TestDocumentsArrive(t *testing.T) {
	cluster, s := fake(t)
	items := sinktest.Hostile(t)
	delivered(t, s.Send(t.Context(), items), len(items))
	want := map[string]string{}
	for _, item := range items {
		want[item.ID] = string(item.Document)
	}
	got := map[string]string{}
	for _, r := range read(t, cluster.ListenAddrs(), len(items)) {
		got[header(r)] = string(r.Value)
		if id := string(r.Key); header(r) != id+"-1" && header(r) != id { // what is no alert has no sequence
			t.Errorf("key %q of %q", r.Key, header(r))
		}
		if r.Partition != leakveilkafka.PartitionFor(r.Key, 3) {
			t.Errorf("%q is in partition %d", r.Key, r.Partition)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d documents of %d", len(got), len(want))
	}
	for id, document := range want {
		if got[id] != document {
			t.Errorf("%s is another document", id)
		}
	}
}

// Whatever the broker answers, everything is there in the end, and what is said to be
// delivered is there.
func TestBrokerTrouble(t *testing.T) {
	cluster, s := fake(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), 1))
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		switch random.IntN(6) {
		case 0: // for good, within this session
			return answer(req, kerr.InvalidRecord.Code), nil, true
		case 1:
			return answer(req, kerr.TopicAuthorizationFailed.Code), nil, true
		case 2: // taken, and the answer lost
			return nil, fmt.Errorf("reset"), true
		}
		return nil, nil, false
	})
	items := sinktest.Items(t, 300)
	left := items
	for tries := 0; len(left) > 0; tries++ {
		if tries > 500 {
			t.Fatalf("%d items are never taken", len(left))
		}
		n := min(len(left), 1+random.IntN(40))
		report := s.Send(t.Context(), left[:n])
		var again []sink.Item
		for i, o := range report.Outcomes {
			if o.Verdict == sink.Reject {
				t.Fatalf("refused: %+v", o)
			}
			if o.Verdict != sink.Delivered {
				again = append(again, left[i])
			}
		}
		left = append(again, left[n:]...)
	}
	ids := map[string]bool{}
	for _, r := range read(t, cluster.ListenAddrs(), len(items)) {
		ids[header(r)] = true
	}
	if len(ids) != len(items) {
		t.Errorf("%d distinct ids of %d", len(ids), len(items))
	}
}

func answer(req kmsg.Request, code int16) kmsg.Response {
	r := req.(*kmsg.ProduceRequest)
	out := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range r.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, code
			t.Partitions = append(t.Partitions, p)
		}
		out.Topics = append(out.Topics, t)
	}
	return out
}

func TestNoBrokerAndNoTopic(t *testing.T) {
	items := sinktest.Items(t, 2)
	s := open(t, kafka.Options{Connection: leakveilkafka.Connection{Brokers: []string{"127.0.0.1:1"}}, Topic: topic})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for _, o := range s.Send(ctx, items).Outcomes {
		if o.Verdict != sink.Retry || o.Reason != sink.ReasonNetwork && o.Reason != sink.ReasonTimeout {
			t.Errorf("%+v", o)
		}
	}
	cluster, _ := fake(t)
	s = open(t, kafka.Options{Connection: leakveilkafka.Connection{Brokers: cluster.ListenAddrs()}, Topic: "missing"})
	for _, o := range s.Send(t.Context(), items).Outcomes {
		if o != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound}) {
			t.Errorf("%+v", o)
		}
	}
}

func TestBadOptions(t *testing.T) {
	c := leakveilkafka.Connection{Brokers: []string{"127.0.0.1:9092"}}
	plain := c
	plain.SASL = &leakveilkafka.SASL{Mechanism: "plain", Username: "u", PasswordEnv: "PATH"}
	empty := c
	empty.SASL = &leakveilkafka.SASL{Mechanism: "scram-sha-256", Username: "u", PasswordEnv: "LEAKVEIL_NOT_SET"}
	for name, o := range map[string]kafka.Options{
		"no topic": {Connection: c}, "no brokers": {Topic: topic}, "plain text": {Connection: plain, Topic: topic}, "empty password": {Connection: empty, Topic: topic},
	} {
		if _, err := kafka.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A real broker takes the documents, and refuses one that is too large for its topic, alone.
func TestARealBroker(t *testing.T) {
	broker := kafkatest.Start(t)
	broker.CreateTopics(t, kafkatest.Topic{Name: topic, Partitions: 3, Config: map[string]string{"max.message.bytes": "20000"}})
	s := open(t, kafka.Options{Connection: leakveilkafka.Connection{Brokers: []string{broker.Addr()}}, Topic: topic})
	items := sinktest.Items(t, 200)
	large := items[100]
	large.Document = []byte(strings.Replace(string(large.Document), `"event":{`, `"padding":"`+strings.Repeat("x", 30_000)+`","event":{`, 1))
	items[100] = large
	report := s.Send(t.Context(), items)
	for i, o := range report.Outcomes {
		want := sink.Outcome{Verdict: sink.Delivered}
		if i == 100 {
			want = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonTooLarge}
		}
		if o != want {
			t.Fatalf("item %d: %+v", i, o)
		}
	}
	ids := map[string]bool{}
	for _, r := range read(t, []string{broker.Addr()}, 199) {
		ids[header(r)] = true
	}
	if len(ids) != 199 {
		t.Errorf("%d distinct ids", len(ids))
	}
}
