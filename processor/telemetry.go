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
}

func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	t := &telemetry{TelemetryBuilder: b, tracer: metadata.Tracer(set), findings: map[otlp.Count]metric.AddOption{}, withheld: map[string]metric.AddOption{}}
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

// count tells what became of a request.
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
