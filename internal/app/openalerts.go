package app

import (
	"context"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
)

// openAlerts builds the folding half and, where there is a file, makes the
// deliverer keep detections in it before their records' offsets are committed.
func (a *App) openAlerts(context.Context) error {
	c := a.config
	a.alerts = &alerts{
		topic:   c.Alerts.Kafka.Topic,
		fold:    a.foldConfig(),
		deliver: a.deliver, fan: a.fan, metrics: a.metrics, log: a.log, now: time.Now,
		folds: map[int32]*partitionFold{},
	}
	if err := a.openAlertsFile(); err != nil {
		return err
	}
	if a.alerts.topic == "" {
		return nil
	}
	group := a.foldingGroup()
	a.alerts.next = newOffsetStore(a.output.Addr(), a.produce, group+storeSuffix, a.alerts.topic)
	in := c.Input.Kafka
	var err error
	a.alerts.source, err = kafka.NewSource(kafka.SourceOptions{
		Connection: a.output, Group: group, Topics: []string{a.alerts.topic},
		Exclude: func(string) bool { return false },
		Session: in.SessionTimeout, Heartbeat: in.HeartbeatInterval, Rebalance: in.RebalanceTimeout,
		Drain: c.Limits.DrainTimeout, FetchWait: in.MaxWait, MemoryBudget: alertsBudget,
		Process: a.alerts.process, Deliverer: a.deliver, Hold: a.alerts.hold,
		Bad: func(_ context.Context, b kafka.BadBatch) (kafka.Unit, error) {
			a.log.Error("detections cannot be read", "topic", b.Topic, "partition", b.Partition, "first", b.First, "last", b.Last, "error", b.Err)
			return kafka.Unit{}, nil
		},
		Hooks: kafka.Hooks{OnAssigned: a.alerts.assigned, OnRetry: func(topic string, partition int32, err error) {
			a.log.Warn("alerts: trying again", "topic", topic, "partition", partition, "error", err)
		}},
	})
	return err
}

// foldingGroup is the consumer group that folds the alerts topic. With storeSuffix
// it is the group that keeps how far alerts are handed out.
func (a *App) foldingGroup() string { return a.config.Input.Kafka.Group + ".alerts" }

const storeSuffix = ".next"

// alertsBudget bounds the memory of reading the alerts topic: detections are small.
const alertsBudget = 128 << 20

func (a *App) openAlertsFile() error {
	path := a.config.Alerts.File.Path
	if path == "" {
		return nil
	}
	file, err := alert.OpenFile(path)
	if err != nil {
		return fmt.Errorf("alerts.file.path: %w", err)
	}
	a.alerts.file = file
	a.deliver.Local = a.alerts.local
	if a.alerts.topic != "" {
		return nil
	}
	fold, err := alert.NewFold(a.alerts.fold)
	if err != nil {
		return err
	}
	p := newPartitionFold(fold, 0, 0)
	a.alerts.folds[0] = p
	handedOut, begun := map[string]int64{}, map[alert.Opening]int64{}
	err = file.Replay(func(d event.Detection, written time.Time) {
		fold.Add(p.read, written, d)
		p.read++
	}, func(s alert.State) {
		handedOut[s.ID] = max(handedOut[s.ID], s.Sequence)
		begun[s.Opening] = max(begun[s.Opening], s.Sequence)
	})
	if err != nil {
		return fmt.Errorf("alerts.file.path: read it again after a restart: %w", err)
	}
	for _, state := range fold.Flush() { // what a crash kept from being handed out
		sent := handedOut[state.ID]
		if state.KeyID != a.key.ID() { // its id may have been another one, under another key
			sent = max(sent, begun[state.Opening()])
		}
		if sent < state.Sequence {
			p.pending = append(p.pending, state)
		}
	}
	return nil
}
