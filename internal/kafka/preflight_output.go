package kafka

import (
	"context"
	"errors"
	"fmt"
)

// OutputPlan is what is to be written where nothing is read from Kafka.
type OutputPlan struct {
	Output Connection
	Topics []string // of records
	Alerts string   // topic; empty: none
	// ReadOnly means that the alerts topic is read alone.
	ReadOnly bool
	// Groups fold the alerts topic.
	Groups []string
}

// PreflightOutput is Preflight for an OutputPlan. It returns how many partitions each
// topic of records has.
func PreflightOutput(ctx context.Context, p OutputPlan) (map[string]int, error) {
	const key = "output.kafka"
	f := &preflight{}
	c := f.open(ctx, key, p.Output)
	if c == nil {
		return nil, errors.Join(f.errs...)
	}
	defer c.close()
	partitions := map[string]int{}
	for _, topic := range p.Topics {
		partitions[topic] = f.topic(ctx, c, key+".topic", topic, writeOperation)
	}
	if p.Alerts != "" {
		operations := []operation{readOperation}
		if !p.ReadOnly {
			operations = append(operations, writeOperation)
		}
		f.topic(ctx, c, "alerts.kafka.topic", p.Alerts, operations...)
	}
	for _, group := range p.Groups {
		f.group(ctx, c, group, fmt.Sprintf("group %s keeps where the alerts are folded, and this user may not use it; give it Read on the group", group))
	}
	if len(f.errs) > 0 {
		return nil, errors.Join(f.errs...)
	}
	return partitions, nil
}
