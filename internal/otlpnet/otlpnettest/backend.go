package otlpnettest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/freeport"
	"github.com/leakveil/leakveil/internal/otlpnet"
)

// FreeAddress is an address of this machine that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := freeport.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Backend is a receiver that keeps every request.
type Backend struct {
	GRPC, HTTP string // where it listens

	mu       sync.Mutex
	logs     []plog.Logs
	traces   []ptrace.Traces
	metrics  []pmetric.Metrics
	raw      []byte
	failWith error
}

// Start starts a back end, which is stopped when the test ends. change may set options.
func Start(t testing.TB, change func(*otlpnet.ServerOptions)) *Backend {
	t.Helper()
	b := &Backend{GRPC: FreeAddress(t), HTTP: FreeAddress(t)}
	o := otlpnet.ServerOptions{GRPC: b.GRPC, HTTP: b.HTTP, MaxRequest: 64 << 20, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := otlpnet.Listen(context.Background(), o, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Fail has requests answered with err until it is called with nil.
func (b *Backend) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failWith = err
}

// keep adds a request, as it came and as JSON.
func (b *Backend) keep(add func(), marshals ...func() ([]byte, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failWith != nil {
		return b.failWith
	}
	for _, marshal := range marshals {
		text, err := marshal()
		if err != nil {
			return err
		}
		b.raw = append(append(b.raw, text...), '\n')
	}
	add()
	return nil
}

// Logs is of otlpnet.Consumer, as are Traces and Metrics.
func (b *Backend) Logs(_ context.Context, ld plog.Logs) error {
	return b.keep(func() { b.logs = append(b.logs, ld) },
		func() ([]byte, error) { return (&plog.ProtoMarshaler{}).MarshalLogs(ld) },
		func() ([]byte, error) { return (&plog.JSONMarshaler{}).MarshalLogs(ld) })
}

// Traces see Logs.
func (b *Backend) Traces(_ context.Context, td ptrace.Traces) error {
	return b.keep(func() { b.traces = append(b.traces, td) },
		func() ([]byte, error) { return (&ptrace.ProtoMarshaler{}).MarshalTraces(td) },
		func() ([]byte, error) { return (&ptrace.JSONMarshaler{}).MarshalTraces(td) })
}

// Metrics see Logs.
func (b *Backend) Metrics(_ context.Context, md pmetric.Metrics) error {
	return b.keep(func() { b.metrics = append(b.metrics, md) },
		func() ([]byte, error) { return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md) },
		func() ([]byte, error) { return (&pmetric.JSONMarshaler{}).MarshalMetrics(md) })
}

// Counts are the log records, spans and data points that came.
func (b *Backend) Counts() (records, spans, points int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ld := range b.logs {
		records += ld.LogRecordCount()
	}
	for _, td := range b.traces {
		spans += td.SpanCount()
	}
	for _, md := range b.metrics {
		points += md.DataPointCount()
	}
	return records, spans, points
}

// Raw is everything that came, as protobuf and as JSON.
func (b *Backend) Raw() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]byte(nil), b.raw...)
}
