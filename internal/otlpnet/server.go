package otlpnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

// Consumer takes requests of all signals. A nil error is answered with success; one with a
// gRPC status with that, a permanent one (consumererror) with one that clients do not try
// again, any other with one that they do.
type Consumer interface {
	Logs(ctx context.Context, ld plog.Logs) error
	Traces(ctx context.Context, td ptrace.Traces) error
	Metrics(ctx context.Context, md pmetric.Metrics) error
}

// ServerTLS names the files of a listening side. Certificate and key are read again once a
// minute, authorities when they change.
type ServerTLS struct {
	CertFile, KeyFile string
	ClientCAFile      string // "": clients need no certificate
}

// ServerOptions says where and how to listen.
type ServerOptions struct {
	GRPC, HTTP string // host:port; "": not
	TLS        *ServerTLS
	Token      []byte // of Authorization: Bearer; nil: none is needed
	// MaxRequest bounds a request, in bytes, decompressed.
	MaxRequest int
	// MaxStreams bounds the requests under way on one gRPC connection; 0: 100.
	MaxStreams uint32
	Log        *slog.Logger
	// Failed is told once when listening ends by itself.
	Failed func(error)
}

// Server is a running receiver.
type Server struct {
	receivers []component.Component
	auth      component.Component
}

// reload is how old a certificate may get that was replaced on disk.
const reload = time.Minute

// Listen starts a receiver. Callers must Shutdown it.
func Listen(ctx context.Context, o ServerOptions, c Consumer) (*Server, error) {
	f := otlpreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	if err := apply(cfg, section{"protocols": o.protocols()}); err != nil {
		return nil, err
	}
	h := &host{extensions: map[component.ID]component.Component{}, failed: o.Failed}
	s := &Server{}
	if o.Token != nil {
		id, auth, err := bearer(ctx, o.Log, o.Token)
		if err != nil {
			return nil, fmt.Errorf("authentication: %w", err)
		}
		h.extensions[id], s.auth = auth, auth
		if err := auth.Start(ctx, h); err != nil {
			return nil, fmt.Errorf("authentication: %w", err)
		}
	}
	set := receiver.Settings{ID: component.NewID(f.Type()), TelemetrySettings: settings(o.Log), BuildInfo: buildInfo("")}
	if err := s.create(ctx, f, set, cfg, c); err != nil {
		return nil, err
	}
	for _, r := range s.receivers { // they are one, started once
		if err := r.Start(ctx, h); err != nil {
			return nil, errors.Join(err, s.Shutdown(ctx))
		}
	}
	return s, nil
}

// create makes the receiver of each signal: all share the two listeners.
func (s *Server) create(ctx context.Context, f receiver.Factory, set receiver.Settings, cfg component.Config, c Consumer) error {
	logs, err := consumer.NewLogs(c.Logs, mutates)
	if err != nil {
		return err
	}
	traces, err := consumer.NewTraces(c.Traces, mutates)
	if err != nil {
		return err
	}
	metrics, err := consumer.NewMetrics(c.Metrics, mutates)
	if err != nil {
		return err
	}
	l, err1 := f.CreateLogs(ctx, set, cfg, logs)
	t, err2 := f.CreateTraces(ctx, set, cfg, traces)
	m, err3 := f.CreateMetrics(ctx, set, cfg, metrics)
	s.receivers = []component.Component{l, t, m}
	return errors.Join(err1, err2, err3)
}

var mutates = consumer.WithCapabilities(consumer.Capabilities{MutatesData: true})

// Shutdown stops listening and waits for the requests under way.
func (s *Server) Shutdown(ctx context.Context) error {
	var errs []error
	for _, r := range s.receivers {
		errs = append(errs, r.Shutdown(ctx))
	}
	if s.auth != nil {
		errs = append(errs, s.auth.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// protocols is the receiver's configuration in its own keys.
func (o *ServerOptions) protocols() section {
	out := section{}
	both := func(endpoint string) section {
		p := section{"endpoint": endpoint}
		if o.TLS != nil {
			t := section{"cert_file": o.TLS.CertFile, "key_file": o.TLS.KeyFile, "reload_interval": reload.String()}
			if o.TLS.ClientCAFile != "" {
				t["client_ca_file"], t["client_ca_file_reload"] = o.TLS.ClientCAFile, true
			}
			p["tls"] = t
		}
		if o.Token != nil {
			p["auth"] = section{"authenticator": authenticator}
		}
		return p
	}
	if o.GRPC != "" {
		p := both(o.GRPC)
		p["max_recv_msg_size_mib"] = max(1, (o.MaxRequest+1<<20-1)>>20)
		p["max_concurrent_streams"] = max(100, o.MaxStreams)
		out["grpc"] = p
	}
	if o.HTTP != "" {
		p := both(o.HTTP)
		p["max_request_body_size"] = o.MaxRequest
		p["read_header_timeout"], p["read_timeout"], p["idle_timeout"] = "10s", "1m", "2m"
		out["http"] = p
	}
	return out
}
