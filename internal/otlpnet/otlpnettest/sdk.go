package otlpnettest

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"
)

// SDK is the OpenTelemetry SDK of Go with OTLP exporters.
type SDK struct {
	Logs   *log.LoggerProvider
	Traces *trace.TracerProvider
	// LogExporter and TraceExporter are what the providers export with, for tests that
	// look at each answer.
	LogExporter   log.Exporter
	TraceExporter trace.SpanExporter
}

// Client says how the SDK sends.
type Client struct {
	Address string // host:port
	HTTP    bool
	Gzip    bool
	TLS     *tls.Config // nil: none
	Token   string
	// Retry has the SDK try again as it does by default; otherwise each answer is shown.
	Retry bool
}

// NewSDK returns an SDK that is shut down when the test ends.
func NewSDK(t testing.TB, c Client, r *resource.Resource) *SDK {
	t.Helper()
	var err error
	s := &SDK{}
	if s.LogExporter, err = c.logs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.TraceExporter, err = c.traces(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Logs = log.NewLoggerProvider(log.WithResource(r), log.WithProcessor(log.NewBatchProcessor(s.LogExporter)))
	s.Traces = trace.NewTracerProvider(trace.WithResource(r), trace.WithBatcher(s.TraceExporter))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Logs.Shutdown(ctx) // what is left has nobody who waits for it
		_ = s.Traces.Shutdown(ctx)
	})
	return s
}

// Flush sends what there is.
func (s *SDK) Flush(t testing.TB) {
	t.Helper()
	if err := s.Logs.ForceFlush(t.Context()); err != nil {
		t.Errorf("logs: %v", err)
	}
	if err := s.Traces.ForceFlush(t.Context()); err != nil {
		t.Errorf("traces: %v", err)
	}
}

func (c Client) headers() map[string]string {
	if c.Token == "" {
		return nil
	}
	return map[string]string{"authorization": "Bearer " + c.Token}
}

func (c Client) logs(ctx context.Context) (log.Exporter, error) {
	if !c.HTTP {
		o := []otlploggrpc.Option{otlploggrpc.WithEndpoint(c.Address), otlploggrpc.WithHeaders(c.headers()), otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: c.Retry, InitialInterval: 50 * time.Millisecond, MaxInterval: 200 * time.Millisecond, MaxElapsedTime: time.Minute})}
		if c.Gzip {
			o = append(o, otlploggrpc.WithCompressor("gzip"))
		}
		if c.TLS == nil {
			return otlploggrpc.New(ctx, append(o, otlploggrpc.WithInsecure())...)
		}
		return otlploggrpc.New(ctx, append(o, otlploggrpc.WithTLSCredentials(credentials.NewTLS(c.TLS)))...)
	}
	o := []otlploghttp.Option{otlploghttp.WithEndpoint(c.Address), otlploghttp.WithHeaders(c.headers()), otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: c.Retry, InitialInterval: 50 * time.Millisecond, MaxInterval: 200 * time.Millisecond, MaxElapsedTime: time.Minute})}
	if c.Gzip {
		o = append(o, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	if c.TLS == nil {
		return otlploghttp.New(ctx, append(o, otlploghttp.WithInsecure())...)
	}
	return otlploghttp.New(ctx, append(o, otlploghttp.WithTLSClientConfig(c.TLS))...)
}

func (c Client) traces(ctx context.Context) (*otlptrace.Exporter, error) {
	if !c.HTTP {
		o := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(c.Address), otlptracegrpc.WithHeaders(c.headers()), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: c.Retry, InitialInterval: 50 * time.Millisecond, MaxInterval: 200 * time.Millisecond, MaxElapsedTime: time.Minute})}
		if c.Gzip {
			o = append(o, otlptracegrpc.WithCompressor("gzip"))
		}
		if c.TLS == nil {
			return otlptracegrpc.New(ctx, append(o, otlptracegrpc.WithInsecure())...)
		}
		return otlptracegrpc.New(ctx, append(o, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(c.TLS)))...)
	}
	o := []otlptracehttp.Option{otlptracehttp.WithEndpoint(c.Address), otlptracehttp.WithHeaders(c.headers()), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: c.Retry, InitialInterval: 50 * time.Millisecond, MaxInterval: 200 * time.Millisecond, MaxElapsedTime: time.Minute})}
	if c.Gzip {
		o = append(o, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	if c.TLS == nil {
		return otlptracehttp.New(ctx, append(o, otlptracehttp.WithInsecure())...)
	}
	return otlptracehttp.New(ctx, append(o, otlptracehttp.WithTLSClientConfig(c.TLS))...)
}
