package otlpnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ClientTLS names the files of a connecting side. A nil *ClientTLS is no TLS.
type ClientTLS struct {
	CAFile            string // "": the system's
	CertFile, KeyFile string // "": no certificate of its own
	ServerName        string // "": the host's name
}

// ExporterOptions says where and how to send.
type ExporterOptions struct {
	// Endpoint is host:port for gRPC, or a URL (http://, https://) for HTTP, to which
	// /v1/logs and so on are added.
	Endpoint string
	// HTTP sends over HTTP instead of gRPC.
	HTTP        bool
	Compression string // "gzip", "zstd", "snappy", "none"
	TLS         *ClientTLS
	Token       []byte        // of Authorization: Bearer; nil: none. Sent over TLS alone.
	Timeout     time.Duration // of one try
	// RetryFor is how long a request is tried again that the other side could not take,
	// before its sender is told to come again; 0: not at all.
	RetryFor time.Duration
	Version  string // of leakveil, told to the other side
	Log      *slog.Logger
}

// Exporter sends requests and waits for the answers. It is safe for concurrent use.
type Exporter struct {
	logs    exporter.Logs
	traces  exporter.Traces
	metrics exporter.Metrics
	auth    component.Component
}

// Dial makes an exporter; connections are opened when they are needed. Callers must
// Shutdown it.
func Dial(ctx context.Context, o ExporterOptions) (*Exporter, error) {
	f := otlpexporter.NewFactory()
	if o.HTTP {
		f = otlphttpexporter.NewFactory()
	}
	cfg := f.CreateDefaultConfig()
	if err := apply(cfg, o.section()); err != nil {
		return nil, err
	}
	h := &host{extensions: map[component.ID]component.Component{}}
	e := &Exporter{}
	if o.Token != nil {
		id, auth, err := bearer(ctx, o.Log, o.Token)
		if err != nil {
			return nil, fmt.Errorf("authentication: %w", err)
		}
		h.extensions[id], e.auth = auth, auth
		if err := auth.Start(ctx, h); err != nil {
			return nil, fmt.Errorf("authentication: %w", err)
		}
	}
	set := exporter.Settings{ID: component.NewID(f.Type()), TelemetrySettings: settings(o.Log), BuildInfo: buildInfo(o.Version)}
	var err1, err2, err3 error
	e.logs, err1 = f.CreateLogs(ctx, set, cfg)
	e.traces, err2 = f.CreateTraces(ctx, set, cfg)
	e.metrics, err3 = f.CreateMetrics(ctx, set, cfg)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	for _, part := range e.parts() {
		if err := part.Start(ctx, h); err != nil {
			return nil, errors.Join(err, e.Shutdown(ctx))
		}
	}
	return e, nil
}

func (e *Exporter) parts() []component.Component {
	return []component.Component{e.logs, e.traces, e.metrics}
}

// Logs returns nil when the other side has taken all of it, as do the others.
func (e *Exporter) Logs(ctx context.Context, ld plog.Logs) error { return e.logs.ConsumeLogs(ctx, ld) }

// Traces see Logs.
func (e *Exporter) Traces(ctx context.Context, td ptrace.Traces) error {
	return e.traces.ConsumeTraces(ctx, td)
}

// Metrics see Logs.
func (e *Exporter) Metrics(ctx context.Context, md pmetric.Metrics) error {
	return e.metrics.ConsumeMetrics(ctx, md)
}

// Shutdown ends retries and closes connections.
func (e *Exporter) Shutdown(ctx context.Context) error {
	var errs []error
	for _, part := range e.parts() {
		errs = append(errs, part.Shutdown(ctx))
	}
	if e.auth != nil {
		errs = append(errs, e.auth.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// section is the exporter's configuration in its own keys. The queue is off: what is
// queued is not delivered.
func (o *ExporterOptions) section() section {
	out := section{
		"endpoint": o.Endpoint, "timeout": o.Timeout.String(), "compression": o.Compression,
		"sending_queue": section{"enabled": false},
		"retry_on_failure": section{
			"enabled": o.RetryFor > 0, "initial_interval": "200ms", "max_interval": "2s", "max_elapsed_time": max(o.RetryFor, time.Millisecond).String(),
		},
	}
	if o.Compression == "" {
		out["compression"] = "gzip"
	}
	t := section{"insecure": o.TLS == nil}
	if o.TLS != nil {
		for key, value := range map[string]string{
			"ca_file": o.TLS.CAFile, "cert_file": o.TLS.CertFile, "key_file": o.TLS.KeyFile, "server_name_override": o.TLS.ServerName,
		} {
			if value != "" {
				t[key] = value
			}
		}
		t["reload_interval"] = reload.String()
	}
	out["tls"] = t
	if o.HTTP {
		out["endpoint"] = strings.TrimSuffix(o.Endpoint, "/")
	}
	if o.Token != nil {
		out["auth"] = section{"authenticator": authenticator}
	}
	return out
}
