package leakveilprocessor

import (
	"context"
	"maps"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/leakveil/leakveil/internal/otlp"
)

// What a request holds is counted once all of it is delivered: one that the sinks or the
// next component refuse comes again, and would count each time.

// pending is what is to be counted when a request is delivered.
type pending struct {
	telemetry *telemetry
	out       otlp.Outcome
	masked    bool
}

type pendingKey struct{}

// keep takes note of what became of a request; the outcome's maps are the masker's own.
func (p *pending) keep(out *otlp.Outcome) {
	p.out, p.masked = *out, true
	p.out.Counts, p.out.Withheld = nil, nil
	if len(out.Counts) > 0 {
		p.out.Counts = maps.Clone(out.Counts)
	}
	if len(out.Withheld) > 0 {
		p.out.Withheld = maps.Clone(out.Withheld)
	}
}

// within is the context that the processor of the request finds p in.
func (p *pending) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, pendingKey{}, p)
}

// pendingOf is the request's own, or one that nobody asks.
func pendingOf(ctx context.Context) *pending {
	if p, ok := ctx.Value(pendingKey{}).(*pending); ok {
		return p
	}
	return &pending{}
}

// end counts when the request was delivered.
func (p *pending) end(ctx context.Context, err error) error {
	if err == nil && p.masked {
		p.telemetry.count(ctx, &p.out)
	}
	return err
}

type countedLogs struct {
	processor.Logs
	telemetry *telemetry
}

func (c countedLogs) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	p := &pending{telemetry: c.telemetry}
	return p.end(ctx, c.Logs.ConsumeLogs(p.within(ctx), ld))
}

type countedTraces struct {
	processor.Traces
	telemetry *telemetry
}

func (c countedTraces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	p := &pending{telemetry: c.telemetry}
	return p.end(ctx, c.Traces.ConsumeTraces(p.within(ctx), td))
}

type countedMetrics struct {
	processor.Metrics
	telemetry *telemetry
}

func (c countedMetrics) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	p := &pending{telemetry: c.telemetry}
	return p.end(ctx, c.Metrics.ConsumeMetrics(p.within(ctx), md))
}
