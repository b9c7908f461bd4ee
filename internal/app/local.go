package app

import (
	"context"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// Local is the main job without a broker: the processor and the fold that run
// uses, in this process, for the demo. It belongs to one goroutine.
type Local struct {
	processor *processor
	worker    *pipeline.Worker
	fold      *alert.Fold
	topic     string
	offset    int64
	folded    int64
}

// Tally is told what a Local counts. It is what the metrics of run are told.
type Tally = counts

// NewLocal builds the job for one topic with an embedded rule set and a key for
// this run. An engine that the build lacks is an error.
func NewLocal(topic string, engine detect.Engine, tally Tally) (*Local, error) {
	set, err := rules.Default()
	if err != nil {
		return nil, err
	}
	db, err := detect.CompileWith(detect.Options{Engine: engine}, set)
	if err != nil {
		return nil, err
	}
	key := redact.RandomKey()
	worker, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Attribute: true})
	if err != nil {
		return nil, err
	}
	fold, err := alert.NewFold(alert.Config{Key: key.Derive("alert id"), Interval: time.Second})
	if err != nil {
		return nil, err
	}
	p := newProcessor(&processor{
		maxRecord: 16 << 20, output: func(in string) string { return in + ".masked" },
		key: key.Derive("detection id"), keyID: key.ID(), counts: tally, now: time.Now,
	}, worker)
	return &Local{processor: p, worker: worker, fold: fold, topic: topic}, nil
}

// Close frees the engine.
func (l *Local) Close() error { return l.worker.Close() }

// Step masks the values of some records, as one batch, and returns them with the
// alerts that changed. The values are valid until the next Step.
func (l *Local) Step(ctx context.Context, values [][]byte, at time.Time) ([]recordbatch.Record, []alert.Alert, error) {
	in := kafka.Input{Topic: l.topic}
	for _, value := range values {
		in.Records = append(in.Records, recordbatch.Record{Offset: l.offset, Timestamp: at.UnixMilli(), Value: value})
		l.offset++
	}
	in.Info.LastOffset = l.offset - 1
	unit, err := l.processor.process(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	unit.Delivered()
	for _, d := range unit.Detections {
		l.fold.Add(l.folded, l.processor.now(), d)
		l.folded++
	}
	return unit.Out, l.fold.Changed(), nil
}

// Alerts returns the alerts with changes that were not handed out yet.
func (l *Local) Alerts() []alert.Alert { return l.fold.Flush() }
