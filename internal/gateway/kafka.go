package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/otlp"
)

// Topics are the names that the Collector's kafka exporter gives to the topics of signals.
var Topics = map[otlp.Signal]string{otlp.Logs: "otlp_logs", otlp.Traces: "otlp_spans", otlp.Metrics: "otlp_metrics"}

// KafkaOptions says what is written where.
type KafkaOptions struct {
	Deliverer kafka.Deliverer
	// Topics are those of the signals, with the partitions that each topic has; both may
	// be empty where only detections are written.
	Topics     map[otlp.Signal]string
	Partitions map[string]int
	Encoding   otlp.Encoding
	Codec      recordbatch.Codec
	// Message is a detection on its topic; nil: there is none.
	Message func(event.Detection) kafka.Message
	Now     func() time.Time
}

// Kafka is the output to topics, a record a request, and the place of detections.
type Kafka struct {
	KafkaOptions
	lanes   map[string]lanes
	tellers lanes
}

// lanes lends out numbers. A lane is one session of a producer: one call at a time.
type lanes chan int32

func newLanes(n int) lanes {
	l := make(lanes, n)
	for i := range n {
		l <- int32(i)
	}
	return l
}

// tellers is how many calls write detections at once.
const tellers = 8

// NewKafka returns the output. Each partition is a lane of its own.
func NewKafka(o KafkaOptions) *Kafka {
	k := &Kafka{KafkaOptions: o, lanes: map[string]lanes{}, tellers: newLanes(tellers)}
	for _, topic := range o.Topics {
		k.lanes[topic] = newLanes(max(1, o.Partitions[topic]))
	}
	return k
}

// Tell writes detections where they are durable.
func (k *Kafka) Tell(ctx context.Context, detections []event.Detection) error {
	u := kafka.Unit{Topic: "otlp/detections", Detections: detections}
	if k.Message != nil {
		for i := range detections {
			u.Events = append(u.Events, k.Message(detections[i]))
		}
	}
	return k.deliver(ctx, k.tellers, u)
}

// Deliver see Output. What is larger than a topic takes is written in parts.
func (k *Kafka) Deliver(ctx context.Context, r *Request) error {
	topic := k.Topics[r.Signal]
	value, err := r.Encode(k.Encoding)
	if err != nil {
		return err
	}
	u := kafka.Unit{Topic: "otlp/" + string(r.Signal), OutTopic: topic, Codec: k.Codec}
	u.Out = []recordbatch.Record{{Timestamp: k.Now().UnixMilli(), Value: value}}
	err = k.deliver(ctx, k.lanes[topic], u)
	if !errors.Is(err, kafka.ErrRecordTooLarge) {
		return err
	}
	first, second, ok := r.halves()
	if !ok {
		return fmt.Errorf("%w: one record of it is larger than topic %s takes (max.message.bytes)", ErrData, topic)
	}
	if err := k.Deliver(ctx, first); err != nil {
		return err
	}
	return k.Deliver(ctx, second)
}

// deliver waits for a lane. Its number is the partition that Out goes to.
func (k *Kafka) deliver(ctx context.Context, l lanes, u kafka.Unit) error {
	select {
	case u.Partition = <-l:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l <- u.Partition }()
	return k.Deliverer.Deliver(ctx, u)
}
