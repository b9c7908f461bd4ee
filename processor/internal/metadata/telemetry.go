package metadata

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Meter is the component's meter.
func Meter(settings component.TelemetrySettings) metric.Meter {
	return settings.MeterProvider.Meter(ScopeName)
}

// Tracer is the component's tracer.
func Tracer(settings component.TelemetrySettings) trace.Tracer {
	return settings.TracerProvider.Tracer(ScopeName)
}

// TelemetryBuilder has the component's instruments.
type TelemetryBuilder struct {
	ProcessorLeakveilFindings       metric.Int64Counter
	ProcessorLeakveilDetections     metric.Int64Counter
	ProcessorLeakveilWithheld       metric.Int64Counter
	ProcessorLeakveilRefused        metric.Int64Counter
	ProcessorLeakveilRetried        metric.Int64Counter
	ProcessorLeakveilDropped        metric.Int64Counter
	ProcessorLeakveilScanned        metric.Int64Counter
	ProcessorLeakveilSinkDocuments  metric.Int64Counter
	ProcessorLeakveilDetectionsLost metric.Int64Counter
	ProcessorLeakveilSinkQueue      metric.Int64ObservableGauge
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{}
	meter := Meter(settings)
	var errs []error
	for _, c := range []struct {
		counter          *metric.Int64Counter
		name, what, unit string
	}{
		{&b.ProcessorLeakveilFindings, "findings", "Number of secrets found.", "{secret}"},
		{&b.ProcessorLeakveilDetections, "detections", "Number of detections told to the connector and to sinks.", "{detection}"},
		{&b.ProcessorLeakveilWithheld, "withheld", "Number of texts that could not be scanned and were replaced by a stub.", "{text}"},
		{&b.ProcessorLeakveilRefused, "refused", "Number of requests refused because a text in them could not be scanned.", "{request}"},
		{&b.ProcessorLeakveilRetried, "retried", "Number of parts of requests that were scanned again alone after a failure.", "{part}"},
		{&b.ProcessorLeakveilDropped, "dropped", "Number of log records, spans and data points left out by the policy drop_record.", "{item}"},
		{&b.ProcessorLeakveilScanned, "scanned", "Amount of text scanned.", "By"},
		{&b.ProcessorLeakveilSinkDocuments, "sink_documents", "Number of alerts by what became of an attempt to send them.", "{document}"},
		{&b.ProcessorLeakveilDetectionsLost, "detections_lost", "Number of detections lost because the outbox was full and on_full is drop.", "{detection}"},
	} {
		var err error
		*c.counter, err = meter.Int64Counter("otelcol_processor_leakveil_"+c.name,
			metric.WithDescription(c.what+" [Alpha]"), metric.WithUnit(c.unit))
		errs = append(errs, err)
	}
	var err error
	b.ProcessorLeakveilSinkQueue, err = meter.Int64ObservableGauge("otelcol_processor_leakveil_sink_queue",
		metric.WithDescription("Number of alerts that a sink has not taken yet, and of entries that are not folded into alerts. [Alpha]"), metric.WithUnit("{entry}"))
	errs = append(errs, err)
	return b, errors.Join(errs...)
}
