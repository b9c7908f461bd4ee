package leakveilprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/processor/internal/hub"
)

// leakveil is the processor of one signal.
type leakveil struct {
	factory   *factory
	config    *Config
	settings  processor.Settings
	telemetry *telemetry
	engine    atomic.Pointer[engine] // nil until started and after shutdown
	withdraw  func()                 // from the connectors that look for it
}

func (f *factory) newProcessor(set processor.Settings, cfg *Config) (*leakveil, error) {
	t, err := newTelemetry(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &leakveil{factory: f, config: cfg, settings: set, telemetry: t, withdraw: hub.Announce(set.ID)}, nil
}

func (p *leakveil) start(ctx context.Context, host component.Host) error {
	e, err := p.factory.start(ctx, p.config, p.settings, host, p.telemetry)
	if err != nil {
		return err
	}
	p.engine.Store(e)
	return nil
}

func (p *leakveil) shutdown(ctx context.Context) error {
	p.withdraw()
	if e := p.engine.Swap(nil); e != nil {
		return p.factory.stop(ctx, e)
	}
	return nil
}

func (p *leakveil) logs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	return ld, p.process(ctx, "logs",
		func(m *otlp.Masker) (otlp.Outcome, error) { return m.Logs(ld) },
		func() bool { return ld.LogRecordCount() == 0 })
}

func (p *leakveil) traces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	return td, p.process(ctx, "traces",
		func(m *otlp.Masker) (otlp.Outcome, error) { return m.Traces(td) },
		func() bool { return td.SpanCount() == 0 })
}

func (p *leakveil) metrics(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	return md, p.process(ctx, "metrics",
		func(m *otlp.Masker) (otlp.Outcome, error) { return m.Metrics(md) },
		func() bool { return md.DataPointCount() == 0 })
}

// errStopped says that data came before the start or after the shutdown. It can be
// tried again.
var errStopped = errors.New("leakveil is not running")

// process masks one request and tells what was found. It never panics.
func (p *leakveil) process(ctx context.Context, signal string, mask func(*otlp.Masker) (otlp.Outcome, error), empty func() bool) (err error) {
	defer func() {
		if r := recover(); r != nil { // the type alone: what is said may hold the text
			err = consumererror.NewPermanent(fmt.Errorf("leakveil: panic: %T", r))
		}
	}()
	e := p.engine.Load()
	if e == nil {
		return errStopped
	}
	ctx, end := p.telemetry.span(ctx, signal)
	defer func() { end(err) }()
	out, err := p.masked(ctx, e.pool, mask)
	if err != nil {
		return err
	}
	if err := e.tell(ctx, out.Detections); err != nil {
		return fmt.Errorf("leakveil: %w", err)
	}
	if out.Dropped > 0 && empty() {
		return processorhelper.ErrSkipProcessingData
	}
	return nil
}

// masked has one of the maskers do the work, and keeps what is to be counted.
func (p *leakveil) masked(ctx context.Context, pool *otlp.Pool, mask func(*otlp.Masker) (otlp.Outcome, error)) (otlp.Outcome, error) {
	m, err := pool.Get(ctx)
	if err != nil {
		return otlp.Outcome{}, fmt.Errorf("leakveil: no worker is free: %w", err)
	}
	defer pool.Put(m)
	out, err := mask(m)
	if err != nil {
		p.telemetry.refused(ctx)
		return otlp.Outcome{}, consumererror.NewPermanent(fmt.Errorf("leakveil: %w", err))
	}
	pendingOf(ctx).keep(&out)
	return out, nil
}
