package app

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

func inputConnection(c *config.Config) kafka.Connection {
	in := c.Input.Kafka
	return connection(in.Brokers, in.TLS, in.SASL)
}

func outputConnection(c *config.Config) kafka.Connection {
	out := c.Output.Kafka
	if len(out.Brokers) == 0 {
		return inputConnection(c)
	}
	return connection(out.Brokers, out.TLS, out.SASL)
}

func connection(brokers []string, t config.TLS, s config.SASL) kafka.Connection {
	out := kafka.Connection{Brokers: brokers}
	if t.Enabled {
		out.TLS = &kafka.TLS{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName}
	}
	if s.Mechanism != "" {
		out.SASL = &kafka.SASL{Mechanism: s.Mechanism, Username: s.Username, PasswordFile: s.PasswordFile}
	}
	return out
}

// codecs are the names of output.kafka.codec; keep has none of its own.
var codecs = func() map[string]*recordbatch.Codec {
	out := map[string]*recordbatch.Codec{}
	for name, codec := range map[string]recordbatch.Codec{
		"none": recordbatch.None, "gzip": recordbatch.Gzip, "snappy": recordbatch.Snappy,
		"lz4": recordbatch.LZ4, "zstd": recordbatch.Zstd,
	} {
		out[name] = &codec
	}
	return out
}()

// partitionCounts picks partitions by key for topics that we write. A topic's
// number of partitions is asked once: if it grew in between, the detections of
// one alert would be spread over two.
type partitionCounts struct {
	transport *kafkago.Transport
	addr      net.Addr

	mu     sync.Mutex
	counts map[string]int32
}

const metadataTimeout = 10 * time.Second

func (p *partitionCounts) of(ctx context.Context, topic string, key []byte) (int32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.counts[topic]; n > 0 {
		return kafka.PartitionFor(key, n), nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	client := &kafkago.Client{Addr: p.addr, Transport: p.transport}
	answer, err := client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	if len(answer.Topics) != 1 || answer.Topics[0].Error != nil || len(answer.Topics[0].Partitions) == 0 {
		return 0, fmt.Errorf("topic %s has no partitions that can be seen", topic)
	}
	if p.counts == nil {
		p.counts = map[string]int32{}
	}
	p.counts[topic] = int32(len(answer.Topics[0].Partitions))
	return kafka.PartitionFor(key, p.counts[topic]), nil
}

// hooks tell metrics and the log what the source goes through.
func (a *App) hooks() kafka.Hooks {
	return kafka.Hooks{
		OnAssigned: func(generation int32, partitions int) {
			a.metrics.Rebalance()
			a.log.Info("partitions assigned", "generation", generation, "partitions", partitions)
		},
		OnLag: func(topic string, partition int32, lag int64) {
			a.positions.lag(topic, partition, lag)
			if lag == 0 {
				a.stalled.over(topic, partition)
			}
		},
		OnReleased: func(topic string, partition int32) {
			a.positions.released(topic, partition)
			a.stalled.over(topic, partition)
		},
		OnCommit: func(offsets map[string]map[int]int64, err error) {
			if err != nil { // what it would have covered is read again
				a.log.Warn("offsets are not committed", "error", err)
				return
			}
			a.positions.committed(offsets)
		},
		OnGap: func(g kafka.Gap) {
			a.metrics.RetentionGap(g.Topic, max(0, g.To-g.From)) // below 0: set back
			a.log.Error("records were gone before they were read", "topic", g.Topic, "partition", g.Partition, "from", g.From, "to", g.To)
		},
		OnBadBatch: func(b kafka.BadBatch, halted bool) {
			outcome := "skip"
			if halted {
				outcome = "halt"
			}
			a.metrics.BadBatch(outcome)
			a.log.Error("a batch cannot be read", "topic", b.Topic, "partition", b.Partition,
				"first", b.First, "last", b.Last, "outcome", outcome, "error", b.Err)
		},
		OnDelivered: func(topic string, partition int32, in, out kafka.Volume) {
			a.stalled.over(topic, partition)
			a.metrics.RecordsIn(topic, int64(in.Records), int64(in.Bytes))
			a.metrics.RecordsOut(topic, int64(out.Records), int64(out.Bytes))
		},
		OnRetry: func(topic string, partition int32, err error) {
			a.metrics.ProduceRetry()
			a.stalled.failed(topic, partition)
			a.log.Warn("trying again", "topic", topic, "partition", partition, "error", err)
		},
	}
}

// watch keeps the readiness up to date until ctx ends.
func (a *App) watch(ctx context.Context) {
	a.live.Add("process").OK()
	ready := a.able
	ready.Fail("not a member of the group yet")
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			ready.Fail("stopping")
			return
		case <-tick.C:
		}
		stalled := a.stalled.reason()
		switch status := a.source.Status(); {
		case len(status.Halted) > 0:
			h := status.Halted[0]
			ready.Fail(fmt.Sprintf("%s/%d has halted: %s", h.Topic, h.Partition, h.Reason))
		case !status.Joined:
			ready.Fail("not a member of the group")
		case stalled != "":
			ready.Fail(stalled)
		default:
			ready.OK()
		}
	}
}
