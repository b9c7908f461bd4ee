package app_test

import (
	"context"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ask gives a client of the broker for questions about offsets.
func ask(t *testing.T, addr string) *kafkago.Client {
	t.Helper()
	transport := &kafkago.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafkago.Client{Addr: kafkago.TCP(addr), Transport: transport, Timeout: 5 * time.Second}
}

// partitionsOf gives the numbers of partitions of all topics, internal ones too.
func partitionsOf(t *testing.T, addr string) map[string]int {
	t.Helper()
	answer, err := ask(t, addr).Metadata(context.Background(), &kafkago.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, topic := range answer.Topics {
		out[topic.Name] = len(topic.Partitions)
	}
	return out
}

// ends gives the offset behind the last record of each partition; nil when the
// broker does not answer.
func ends(client *kafkago.Client, topic string, partitions int) map[int]int64 {
	var wanted []kafkago.OffsetRequest
	for p := range partitions {
		wanted = append(wanted, kafkago.LastOffsetOf(p))
	}
	answer, err := client.ListOffsets(context.Background(), &kafkago.ListOffsetsRequest{
		Topics: map[string][]kafkago.OffsetRequest{topic: wanted},
	})
	if err != nil {
		return nil
	}
	out := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil
		}
		out[p.Partition] = p.LastOffset
	}
	return out
}

func sum(offsets map[int]int64) (n int64) {
	for _, offset := range offsets {
		n += offset
	}
	return n
}

// lag is how many records of topic the group has not committed; -1 when the
// broker does not tell.
func lag(client *kafkago.Client, group, topic string, partitions int) int64 {
	all := make([]int, partitions)
	for p := range all {
		all[p] = p
	}
	behind := sum(ends(client, topic, partitions))
	answer, err := client.OffsetFetch(context.Background(), &kafkago.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: all},
	})
	if err != nil || answer.Error != nil || len(answer.Topics[topic]) != partitions {
		return -1
	}
	for _, p := range answer.Topics[topic] {
		behind -= max(0, p.CommittedOffset)
	}
	return behind
}

// knownLag is lag, asked for until the broker answers.
func knownLag(t *testing.T, client *kafkago.Client, group, topic string, partitions int) (behind int64) {
	t.Helper()
	await(t, "reading the committed offsets", nil, func() bool {
		behind = lag(client, group, topic, partitions)
		return behind >= 0
	})
	return behind
}

func kgoClient(t *testing.T, addr string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// produce writes records, whose partitions are set, and waits for all.
func produce(t *testing.T, addr string, records ...*kgo.Record) {
	t.Helper()
	client := kgoClient(t, addr, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(20<<20))
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// reader reads a topic from its start, by a client that is not leakveil's.
type reader struct {
	t       *testing.T
	client  *kgo.Client
	records []*kgo.Record
	next    map[int]int64
}

func newReader(t *testing.T, addr, topic string) *reader {
	t.Helper()
	client := kgoClient(t, addr, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	return &reader{t: t, client: client, next: map[int]int64{}}
}

// poll takes what came, waiting for it a short time.
func (r *reader) poll() {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	r.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
		r.records = append(r.records, record)
		r.next[int(record.Partition)] = record.Offset + 1
	})
}

// readAll gives all records of a topic; those of one partition are in order.
func readAll(t *testing.T, addr, topic string, partitions int) []*kgo.Record {
	t.Helper()
	r := newReader(t, addr, topic)
	defer r.client.Close()
	until := ends(ask(t, addr), topic, partitions)
	await(t, "reading "+topic, nil, func() bool {
		r.poll()
		for p, end := range until {
			if r.next[p] < end {
				return false
			}
		}
		return len(until) == partitions
	})
	return r.records
}
