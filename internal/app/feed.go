package app

import (
	"context"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/feed"
	"github.com/leakveil/leakveil/internal/outbox"
)

// detectionsSuffix names the folder beside the store where detections wait to be folded.
const detectionsSuffix = ".detections"

// Bounds of that folder: a quarter of the store, within these. Alerts close in time for
// what is open to fit, at bytesOfSpan for each detection.
const (
	minDetections = 16 << 20
	maxDetections = 1 << 30
	bytesOfSpan   = 8 << 10
)

// folding is the way of detections to the store where neither a topic nor a file keeps
// them: with an OTLP input alone.
type folding struct {
	*feed.Feed
	box *outbox.File
}

// openFolding goes on where the last life ended; nil when there is no store.
func (a *App) openFolding(ctx context.Context) (*folding, error) {
	c := a.config.Alerts
	if a.fan == nil || c.Kafka.Topic != "" || c.File.Path != "" {
		return nil, nil
	}
	fold := a.foldConfig()
	size := min(max(int64(c.Store.MaxBytes)/4, minDetections), maxDetections)
	box, err := outbox.OpenFile(outbox.FileOptions{Dir: c.Store.Path + detectionsSuffix, Readers: feed.Readers, MaxBytes: size})
	if err != nil {
		return nil, fmt.Errorf("alerts.store.path: %w", err)
	}
	fold.MaxSpan = size / bytesOfSpan
	f := &folding{box: box}
	f.Feed, err = feed.New(ctx, feed.Options{
		Detections: box, Append: a.fan.Append, Log: a.log,
		Fold:    fold,
		Alerted: func(alerted *alert.Alert) { a.metrics.Alerts(alerted.Kind, alerted.Severity, 1) },
	})
	if err != nil {
		_ = box.Close()
		return nil, fmt.Errorf("alerts.store.path: %w", err)
	}
	return f, nil
}

// finish hands out what was told, when Run has ended. What fails now is handed out after
// the next start.
func (f *folding) finish(warn func(msg string, args ...any)) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := f.Flush(ctx); err != nil {
		warn("alerts are not handed to the sinks; they are after the next start", "error", err)
	}
	f.Wait()
}
