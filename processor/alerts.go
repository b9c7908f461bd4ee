package leakveilprocessor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap/exp/zapslog"
	"golang.org/x/sync/errgroup"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/feed"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/processor/internal/storagebox"
	"github.com/leakveil/leakveil/redact"
)

// alerts sends what is found to the processor's own sinks: detections to an outbox, from
// there, folded, to a second one, and from there each sink at its own pace.
type alerts struct {
	config     *AlertsConfig
	telemetry  *telemetry
	client     storage.Client // nil with a directory
	detections outbox.Outbox
	documents  outbox.Outbox
	names      []string // of sinks
	feed       *feed.Feed
	fan        *sink.Fan
	folding    *errgroup.Group
	sending    *errgroup.Group
	stopFold   context.CancelFunc
	stopSend   context.CancelFunc
	unwatch    func()
}

// bytesOfSpan is how much room is counted for one detection of an alert that is open. All
// of them have to be kept to go on after a restart, so that alerts close in time.
const bytesOfSpan = 8 << 10

// openAlerts makes the sinks and goes on where the last life ended.
func openAlerts(ctx context.Context, cfg *Config, key redact.Key, set processor.Settings, host component.Host, t *telemetry) (a *alerts, err error) {
	c := &cfg.Alerts
	a = &alerts{config: c, telemetry: t, unwatch: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("alerts: %w", err), a.free(ctx))
			a = nil
		}
	}()
	log := slog.New(zapslog.NewHandler(set.Logger.Core()))
	sinks, err := a.openSinks()
	if err == nil {
		err = a.openOutboxes(ctx, set.ID, host)
	}
	if err != nil {
		for _, s := range sinks {
			err = errors.Join(err, sink.NewRunner(sink.Options{Sink: s}).Close())
		}
		return a, err
	}
	runners := make([]*sink.Runner, len(sinks))
	for i, s := range sinks {
		runners[i] = sink.NewRunner(sink.Options{
			Name: a.names[i], Sink: s, Outbox: a.documents, Log: log, Observe: t.sent,
			Grace: -1, // a shutdown has waited already
		})
	}
	a.fan = sink.NewFan(a.documents, runners...)
	a.feed, err = feed.New(ctx, feed.Options{
		Detections: a.detections, Append: a.fan.Append, Log: log,
		Fold: alert.Config{Key: key.Derive("alert id"), Window: c.Window, Interval: c.Interval, MaxSpan: c.MaxBytes / 2 / bytesOfSpan},
	})
	if err != nil {
		return a, err
	}
	a.unwatch, err = t.watch(a.queues)
	if err != nil {
		return a, err
	}
	a.run()
	return a, nil
}

// openSinks makes the configured sinks, in the order of their names.
func (a *alerts) openSinks() (sinks []sink.Sink, err error) {
	for _, name := range sinkNames {
		var s sink.Sink
		c := a.config
		switch {
		case name == "otlp" && c.OTLP != nil:
			s, err = c.OTLP.open()
		case name == "file" && c.File != nil:
			s, err = c.File.open()
		case name == "webhook" && c.Webhook != nil:
			s, err = c.Webhook.open()
		default:
			continue
		}
		if err != nil {
			return sinks, fmt.Errorf("%s: %w", name, err)
		}
		sinks, a.names = append(sinks, s), append(a.names, name)
	}
	return sinks, nil
}

// openOutboxes opens one for detections and one for alerts.
func (a *alerts) openOutboxes(ctx context.Context, id component.ID, host component.Host) (err error) {
	half := a.config.MaxBytes / 2
	if a.config.Storage == nil {
		if err := os.MkdirAll(a.config.Directory, 0o700); err != nil {
			return fmt.Errorf("directory: %w", err)
		}
		open := func(name string, readers []string) (outbox.Outbox, error) {
			return outbox.OpenFile(outbox.FileOptions{
				Dir: filepath.Join(a.config.Directory, name), Readers: readers, MaxBytes: half, SegmentBytes: min(outbox.DefaultSegmentBytes, half/8),
			})
		}
		if box, err := open("detections", feed.Readers); err == nil {
			a.detections = box
		} else {
			return fmt.Errorf("directory: %w", err)
		}
		if box, err := open("alerts", a.names); err == nil {
			a.documents = box
		} else {
			return fmt.Errorf("directory: %w", err)
		}
		return nil
	}
	extension, ok := host.GetExtensions()[*a.config.Storage].(storage.Extension)
	if !ok {
		return fmt.Errorf("storage: %s is no storage extension of this Collector", a.config.Storage)
	}
	if a.client, err = extension.GetClient(ctx, component.KindProcessor, id, "alerts"); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	detections, err := storagebox.Open(ctx, storagebox.Options{Client: a.client, Prefix: "detections/", Readers: feed.Readers, MaxBytes: half})
	if err != nil {
		return err
	}
	documents, err := storagebox.Open(ctx, storagebox.Options{Client: a.client, Prefix: "alerts/", Readers: a.names, MaxBytes: half})
	if err != nil {
		return err
	}
	a.detections, a.documents = detections, documents
	return nil
}

// run begins folding and sending. Neither ends with the context that started them.
func (a *alerts) run() {
	folding, stopFold := context.WithCancel(context.Background())
	sending, stopSend := context.WithCancel(context.Background())
	a.stopFold, a.stopSend = stopFold, stopSend
	a.folding, a.sending = new(errgroup.Group), new(errgroup.Group)
	a.folding.Go(func() error { return a.feed.Run(folding) })
	a.sending.Go(func() error { return a.fan.Run(sending) })
}

// tell keeps the detections of one request before its data is passed on.
func (a *alerts) tell(ctx context.Context, detections []event.Detection) error {
	err := a.feed.Tell(ctx, detections)
	if err == nil {
		return nil
	}
	if errors.Is(err, outbox.ErrFull) && a.config.OnFull == OnFullDrop {
		a.telemetry.lost(ctx, len(detections))
		return nil
	}
	return fmt.Errorf("detections are not kept: %w", err)
}

// shutdown hands out what was told, waits for the sinks to take it, no longer than ctx and
// the configuration allow, and closes. What is left is sent after the next start.
func (a *alerts) shutdown(ctx context.Context) error {
	flushing, cancel := context.WithTimeout(ctx, a.config.ShutdownTimeout)
	defer cancel()
	a.stopFold()
	err := a.folding.Wait()
	a.feed.Wait()
	if failed := a.feed.Flush(ctx); !errors.Is(failed, outbox.ErrFull) && ctx.Err() == nil { // else it waits for the next start
		err = errors.Join(err, failed)
	}
	a.feed.Wait()
	a.fan.Settle(flushing)
	a.stopSend()
	err = errors.Join(err, a.sending.Wait())
	return errors.Join(err, a.free(ctx))
}

// free closes what was opened.
func (a *alerts) free(ctx context.Context) error {
	a.unwatch()
	var all []error
	if a.fan != nil {
		all = append(all, a.fan.Close()) // the outbox of alerts too
	} else if a.documents != nil {
		all = append(all, a.documents.Close())
	}
	if a.detections != nil {
		all = append(all, a.detections.Close())
	}
	if a.client != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		all = append(all, a.client.Close(closing))
	}
	return errors.Join(all...)
}

// queues tells how much waits, for the metrics.
func (a *alerts) queues(observe func(sink string, n int64)) {
	ctx := context.Background()
	observe("fold", a.feed.Waiting(ctx))
	for _, name := range a.names {
		observe(name, outbox.Pending(ctx, a.documents, name))
	}
}

// maxTemplate bounds the template of a webhook.
const maxTemplate = 64 << 10

func readTemplate(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) > maxTemplate {
		err = fmt.Errorf("%s: more than %d bytes", path, maxTemplate)
	}
	if err != nil {
		return "", fmt.Errorf("template_file: %w", err)
	}
	return string(text), nil
}
