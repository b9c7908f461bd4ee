package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// readyTimeout is long because two loaded cores double every time.
const readyTimeout = 90 * time.Second

const pause = 20 * time.Millisecond

// retry calls fn until it succeeds, ctx ends, or gone is closed.
func retry(ctx context.Context, gone <-chan struct{}, what string, fn func(context.Context) error) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := fn(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		case <-gone:
			return fmt.Errorf("%s: the broker ended", what)
		case <-time.After(pause):
		}
	}
}

// ready waits until the broker answers, knows all nodes, and its group and
// transaction coordinators serve: they refuse for a while after it answers.
func ready(ctx context.Context, addr string, nodes int, gone <-chan struct{}) error {
	client, done := dial(addr)
	defer done()
	err := retry(ctx, gone, "api versions", func(ctx context.Context) error {
		_, err := client.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
		return err
	})
	if err != nil {
		return err
	}
	err = retry(ctx, gone, "metadata", func(ctx context.Context) error {
		answer, err := client.Metadata(ctx, &kafkago.MetadataRequest{})
		if err == nil && len(answer.Brokers) < nodes {
			err = fmt.Errorf("%d of %d brokers", len(answer.Brokers), nodes)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = retry(ctx, gone, "group coordinator", func(ctx context.Context) error {
		answer, err := client.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{
			GroupID: "kafkatest-warm-up", Topics: map[string][]int{"kafkatest-none": {0}},
		})
		if err == nil {
			err = answer.Error
		}
		return err
	})
	if err != nil {
		return err
	}
	return retry(ctx, gone, "transaction coordinator", func(ctx context.Context) error {
		answer, err := client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{
			TransactionalID: "kafkatest-warm-up", TransactionTimeoutMs: 10000, ProducerID: -1, ProducerEpoch: -1,
		})
		if err == nil {
			err = answer.Error
		}
		return err
	})
}

func dial(addr string) (*kafkago.Client, func()) {
	transport := &kafkago.Transport{MetadataTTL: 100 * time.Millisecond}
	return &kafkago.Client{Addr: kafkago.TCP(addr), Transport: transport, Timeout: 10 * time.Second}, transport.CloseIdleConnections
}

// Topic is what CreateTopics makes. Partitions 0 means 1, Replicas 0 the
// broker's default.
type Topic struct {
	Name       string
	Partitions int
	Replicas   int
	Config     map[string]string
}

// CreateTopics makes topics and waits until every partition's leader serves.
func (b *Broker) CreateTopics(t testing.TB, topics ...Topic) {
	t.Helper()
	if err := b.createTopics(topics); err != nil {
		t.Fatalf("kafkatest: create topics: %v", err)
	}
}

func (b *Broker) createTopics(topics []Topic) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	client, done := dial(b.addr)
	defer done()
	request := &kafkago.CreateTopicsRequest{}
	lookup := &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{}}
	for _, topic := range topics {
		config := kafkago.TopicConfig{Topic: topic.Name, NumPartitions: max(topic.Partitions, 1), ReplicationFactor: topic.Replicas}
		if topic.Replicas == 0 {
			config.ReplicationFactor = -1
		}
		for name, value := range topic.Config {
			config.ConfigEntries = append(config.ConfigEntries, kafkago.ConfigEntry{ConfigName: name, ConfigValue: value})
		}
		request.Topics = append(request.Topics, config)
		for p := range config.NumPartitions {
			lookup.Topics[topic.Name] = append(lookup.Topics[topic.Name], kafkago.LastOffsetOf(p))
		}
	}
	// A controller that is just gone is worth another try.
	err := retry(ctx, b.done, "create", func(ctx context.Context) error {
		answer, err := client.CreateTopics(ctx, request)
		if err != nil {
			return err
		}
		for name, err := range answer.Errors {
			if err != nil && !errors.Is(err, kafkago.TopicAlreadyExists) {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return retry(ctx, b.done, "leaders", func(ctx context.Context) error { return leading(ctx, client, lookup) })
}

func leading(ctx context.Context, client *kafkago.Client, lookup *kafkago.ListOffsetsRequest) error {
	answer, err := client.ListOffsets(ctx, lookup)
	if err != nil {
		return err
	}
	for _, partitions := range answer.Topics {
		for _, p := range partitions {
			if p.Error != nil {
				return p.Error
			}
		}
	}
	return nil
}

// DeleteTopics removes topics; it returns when the controller has done so.
func (b *Broker) DeleteTopics(t testing.TB, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	client, done := dial(b.addr)
	defer done()
	err := retry(ctx, b.done, "delete", func(ctx context.Context) error {
		answer, err := client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: names})
		if err != nil {
			return err
		}
		for _, err := range answer.Errors {
			if err != nil && !errors.Is(err, kafkago.UnknownTopicOrPartition) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("kafkatest: delete topics: %v", err)
	}
}
