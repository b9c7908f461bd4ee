package gateway

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/otlp"
)

// Exporter is an otlpnet.Exporter.
type Exporter interface {
	Logs(ctx context.Context, ld plog.Logs) error
	Traces(ctx context.Context, td ptrace.Traces) error
	Metrics(ctx context.Context, md pmetric.Metrics) error
}

// Export is the output to another OTLP endpoint.
type Export struct{ To Exporter }

// Deliver see Output.
func (e Export) Deliver(ctx context.Context, r *Request) error {
	switch r.Signal {
	case otlp.Logs:
		return e.To.Logs(ctx, r.Logs)
	case otlp.Traces:
		return e.To.Traces(ctx, r.Traces)
	}
	return e.To.Metrics(ctx, r.Metrics)
}

// Lines is a file that takes whole lines durably.
type Lines interface {
	// Append returns how many of the lines are on disk: all, unless there is an error.
	Append(lines [][]byte) (n int, err error)
}

// File is the output to a file of OTLP JSON, one request a line, as the Collector's file
// exporter writes it.
type File struct{ To Lines }

// Deliver see Output.
func (f File) Deliver(_ context.Context, r *Request) error {
	line, err := r.Encode(otlp.JSON)
	if err != nil {
		return err
	}
	_, err = f.To.Append([][]byte{line})
	return err
}

// Encode returns the request as it is on a wire.
func (r *Request) Encode(as otlp.Encoding) ([]byte, error) {
	var out []byte
	var err error
	switch json := as == otlp.JSON; {
	case r.Signal == otlp.Logs && json:
		out, err = (&plog.JSONMarshaler{}).MarshalLogs(r.Logs)
	case r.Signal == otlp.Logs:
		out, err = (&plog.ProtoMarshaler{}).MarshalLogs(r.Logs)
	case r.Signal == otlp.Traces && json:
		out, err = (&ptrace.JSONMarshaler{}).MarshalTraces(r.Traces)
	case r.Signal == otlp.Traces:
		out, err = (&ptrace.ProtoMarshaler{}).MarshalTraces(r.Traces)
	case json:
		out, err = (&pmetric.JSONMarshaler{}).MarshalMetrics(r.Metrics)
	default:
		out, err = (&pmetric.ProtoMarshaler{}).MarshalMetrics(r.Metrics)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be encoded", ErrData)
	}
	return out, nil
}
