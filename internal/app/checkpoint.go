package app

import (
	"context"
	"errors"
	"fmt"
	"net"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
)

// offsetStore keeps, for each partition of the alerts topic, how far alerts have
// been handed out. It is the committed offset of a group without members: Kafka
// keeps it where the detections are, and any member can go on from it. (What the
// folding group itself commits is where a replay has to begin.)
type offsetStore struct {
	client *kafkago.Client
	group  string
	topic  string
}

func newOffsetStore(addr net.Addr, transport kafkago.RoundTripper, group, topic string) *offsetStore {
	return &offsetStore{client: &kafkago.Client{Addr: addr, Transport: transport}, group: group, topic: topic}
}

// load returns the stored offset, 0 when there is none.
func (s *offsetStore) load(ctx context.Context, partition int32) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	answer, err := s.client.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{
		GroupID: s.group, Topics: map[string][]int{s.topic: {int(partition)}},
	})
	if err != nil {
		return 0, err
	}
	if answer.Error != nil {
		return 0, answer.Error
	}
	for _, p := range answer.Topics[s.topic] {
		if p.Partition == int(partition) && p.Error == nil {
			return max(0, p.CommittedOffset), nil
		}
	}
	return 0, fmt.Errorf("no answer for %s/%d", s.topic, partition)
}

// save stores an offset. No generation fences it: a member that lost the
// partition can only store an older position late, which hands alerts out again
// with the same ids and numbers.
func (s *offsetStore) save(ctx context.Context, partition int32, next int64) error {
	// Not Client.OffsetCommit, which claims leader epoch 0 (docs/design/0004).
	answer, err := s.client.Transport.RoundTrip(ctx, s.client.Addr, &offsetcommit.Request{
		GroupID: s.group, GenerationID: -1, RetentionTimeMs: -1,
		Topics: []offsetcommit.RequestTopic{{Name: s.topic, Partitions: []offsetcommit.RequestPartition{
			{PartitionIndex: partition, CommittedOffset: next, CommittedLeaderEpoch: -1},
		}}},
	})
	if err != nil {
		return err
	}
	response, ok := answer.(*offsetcommit.Response)
	if !ok || len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return errors.New("no answer")
	}
	if code := response.Topics[0].Partitions[0].ErrorCode; code != 0 {
		return kafkago.Error(code)
	}
	return nil
}
