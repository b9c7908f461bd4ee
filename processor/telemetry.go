package leakveilprocessor

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/processor/internal/metadata"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// telemetry counts what the processor does. Labels are from closed lists alone.
type telemetry struct {
	*metadata.TelemetryBuilder
	tracer   trace.Tracer
	findings map[otlp.Count]metric.AddOption
	withheld map[string]metric.AddOption
	settings component.TelemetrySettings
}

func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	t := &telemetry{TelemetryBuilder: b, tracer: metadata.Tracer(set), findings: map[otlp.Count]metric.AddOption{}, withheld: map[string]metric.AddOption{}, settings: set}
	for _, kind := range rules.Kinds() {
		for _, action := range append([]redact.Action{otlp.Suppressed}, redact.Actions...) {
			c := otlp.Count{Kind: string(kind), Action: string(action)}
			t.findings[c] = labels("kind", c.Kind, "action", c.Action)
		}
	}
	for _, reason := range []string{"timeout", "scan_failed", "too_deep"} {
		t.withheld[reason] = labels("reason", reason)
	}
	return t, nil
}

func labels(pairs ...string) metric.AddOption {
	var list []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, attribute.String(pairs[i], pairs[i+1]))
	}
	return metric.WithAttributeSet(attribute.NewSet(list...))
}

// count tells what became of a request that is delivered.
func (t *telemetry) count(ctx context.Context, out *otlp.Outcome) {
	t.ProcessorLeakveilScanned.Add(ctx, int64(out.Bytes))
	for c, n := range out.Counts {
		t.ProcessorLeakveilFindings.Add(ctx, int64(n), t.findings[c])
	}
	for reason, n := range out.Withheld {
		t.ProcessorLeakveilWithheld.Add(ctx, int64(n), t.withheld[reason])
	}
	if out.Retried > 0 {
		t.ProcessorLeakveilRetried.Add(ctx, int64(out.Retried))
	}
	if out.Dropped > 0 {
		t.ProcessorLeakveilDropped.Add(ctx, int64(out.Dropped))
	}
	for i := range out.Detections {
		d := &out.Detections[i]
		t.ProcessorLeakveilDetections.Add(ctx, 1, labels("confidence", d.Confidence, "client_found", string(d.Client.How)))
	}
}

func (t *telemetry) refused(ctx context.Context) { t.ProcessorLeakveilRefused.Add(ctx, 1) }

// sent tells what a sink took.
func (t *telemetry) sent(o sink.Observation) {
	ctx := context.Background()
	for taken, n := range map[string]int{"delivered": o.Delivered, "retried": o.Retried, "rejected": o.Rejected} {
		if n > 0 {
			t.ProcessorLeakveilSinkDocuments.Add(ctx, int64(n), labels("sink", o.Sink, "taken", taken))
		}
	}
}

// lost counts detections for which there was no room.
func (t *telemetry) lost(ctx context.Context, n int) {
	t.ProcessorLeakveilDetectionsLost.Add(ctx, int64(n))
}

// watch has the length of queues read whenever metrics are collected, until it is ended.
func (t *telemetry) watch(queues func(observe func(sink string, n int64))) (end func(), err error) {
	r, err := metadata.Meter(t.settings).RegisterCallback(func(_ context.Context, o metric.Observer) error {
		queues(func(sink string, n int64) {
			if n >= 0 {
				o.ObserveInt64(t.ProcessorLeakveilSinkQueue, n, metric.WithAttributeSet(attribute.NewSet(attribute.String("sink", sink))))
			}
		})
		return nil
	}, t.ProcessorLeakveilSinkQueue)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = r.Unregister() }, nil
}

func nothing(error) {}

// span begins a span of the processor's own when the request is traced.
func (t *telemetry) span(ctx context.Context, signal string) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nothing
	}
	ctx, span := t.tracer.Start(ctx, "processor/leakveil/"+signal)
	return ctx, func(err error) {
		if err != nil && !errors.Is(err, processorhelper.ErrSkipProcessingData) {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}
