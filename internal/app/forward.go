package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/telemetry"
)

// Forward is leakveil forward: it reads the alerts topic, in a group of its own, and
// gives every alert on it to the store, from which the sinks are served. An offset
// commits when what stands before it is on disk, and the store knows what it has: a
// record that is read twice is sent once.
type Forward struct{ *App }

// NewForward builds everything; it reads no record. Its errors are ErrStart. Close the
// Forward.
func NewForward(ctx context.Context, c *config.Config, build telemetry.Build, log *slog.Logger) (*Forward, error) {
	f := &Forward{&App{config: c, log: log, output: outputConnection(c)}}
	f.able = f.ready.Add("source") // not well before it is a member
	steps := []func(context.Context) error{
		func(context.Context) error {
			if !c.Alerts.Kafka.Forward {
				return errors.New("alerts.kafka.forward is false: run serves the sinks itself, and forward would send everything twice; set it to true for both")
			}
			return c.CheckFiles()
		},
		func(context.Context) (err error) { f.metrics, err = telemetry.New(build); return err },
		f.openKey, f.look, f.makeSinks, f.openTopic, f.openListener,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			f.Close()
			return nil, fmt.Errorf("%w: %w", ErrStart, err)
		}
	}
	return f, nil
}

// forwardSuffix makes the group of forward from that of run.
const forwardSuffix = ".forward"

func (f *Forward) group() string { return f.config.Input.Kafka.Group + forwardSuffix }

// look looks at the topic and the group before the start.
func (f *Forward) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	_, err := kafka.PreflightOutput(ctx, kafka.OutputPlan{
		Output: f.output, Alerts: f.config.Alerts.Kafka.Topic, ReadOnly: true, Groups: []string{f.group()},
	})
	return err
}

func (f *Forward) openTopic(context.Context) error {
	c := f.config
	in := c.Input.Kafka
	f.positions, f.stalled = newPositions(f.metrics, time.Now), newStalled(time.Now)
	var err error
	f.source, err = kafka.NewSource(kafka.SourceOptions{
		Connection: f.output, Group: f.group(), Topics: []string{c.Alerts.Kafka.Topic},
		Exclude: func(string) bool { return false },
		Session: in.SessionTimeout, Heartbeat: in.HeartbeatInterval, Rebalance: in.RebalanceTimeout,
		Drain: c.Limits.DrainTimeout, FetchWait: in.MaxWait, MemoryBudget: alertsBudget,
		Process: f.process, Deliverer: stored{}, Hooks: f.hooks(),
		Bad: func(_ context.Context, b kafka.BadBatch) (kafka.Unit, error) {
			return kafka.Unit{}, nil // the hook has said so
		},
	})
	return err
}

// stored is a Deliverer for what process has stored.
type stored struct{}

// Deliver implements kafka.Deliverer.
func (stored) Deliver(context.Context, kafka.Unit) error { return nil }

// process stores the alerts of one batch. It tries again until it succeeds: a full
// store holds the topic back.
func (f *Forward) process(ctx context.Context, in kafka.Input) (kafka.Unit, error) {
	var items []sink.Item
	for i := range in.Records {
		if item, ok := f.item(&in.Records[i]); ok {
			items = append(items, item)
		}
	}
	for len(items) > 0 {
		err := f.fan.Append(ctx, items)
		if err == nil {
			break
		}
		f.log.Warn("alerts are not stored, they are tried again", "partition", in.Partition, "error", err)
		f.stalled.failed(in.Topic, in.Partition)
		select {
		case <-ctx.Done():
			return kafka.Unit{}, ctx.Err()
		case <-time.After(tick):
		}
	}
	return kafka.Unit{Topic: in.Topic, Partition: in.Partition}, nil
}

// item is what a record holds that sinks are told of: an alert, or a skipped batch.
// Detections are not: alerts are folded from them.
func (f *Forward) item(r *recordbatch.Record) (sink.Item, bool) {
	var doc struct {
		Event    struct{ Kind, Module, ID string }
		Leakveil struct {
			Alert struct {
				ID       string
				Sequence int64
			}
		}
	}
	if json.Unmarshal(r.Value, &doc) != nil || doc.Event.Module != "leakveil" || doc.Event.Kind != "alert" || doc.Event.ID == "" {
		return sink.Item{}, false
	}
	id := doc.Event.ID
	if a := doc.Leakveil.Alert; a.ID != "" {
		id = fmt.Sprintf("%s-%d", a.ID, a.Sequence)
	}
	if err := outbox.Check([]outbox.Entry{{ID: id, Data: r.Value}}); err != nil {
		f.log.Error("a record of the alerts topic is passed over: it is no alert of leakveil's making", "offset", r.Offset, "bytes", len(r.Value))
		return sink.Item{}, false
	}
	return sink.Item{ID: id, Document: r.Value}, true
}

// Run forwards until ctx ends, then drains.
func (f *Forward) Run(ctx context.Context) error {
	f.log.Info("leakveil forwards", "topic", f.config.Alerts.Kafka.Topic, "group", f.group(), "sinks", len(f.config.Alerts.Sinks))
	all, running := errgroup.WithContext(ctx)
	all.Go(func() error { return f.source.Run(running) })
	all.Go(func() error { return f.fan.Run(running) })
	all.Go(func() error { f.watch(running); return nil })
	err := all.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	f.log.Info("leakveil has stopped", "clean", err == nil)
	return err
}
