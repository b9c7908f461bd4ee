package app

import (
	"context"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/build"
	"github.com/leakveil/leakveil/internal/sink/transport"
	"github.com/leakveil/leakveil/internal/store"
	"github.com/leakveil/leakveil/internal/telemetry"
)

// openSinks opens the store and makes the sinks that read it. Without either, and
// where leakveil forward has them, alerts go to topic and file alone.
func (a *App) openSinks(ctx context.Context) error {
	if c := a.config.Alerts; c.Store.Path == "" || c.Kafka.Forward {
		return nil
	}
	return a.makeSinks(ctx)
}

func (a *App) makeSinks(ctx context.Context) error {
	c := a.config.Alerts
	names, every := make([]string, len(c.Sinks)), []string(nil)
	sinks := make([]sink.Sink, len(c.Sinks))
	for i, s := range c.Sinks {
		made, err := build.New(sinkOptions(s))
		if err != nil {
			return fmt.Errorf("alerts.sinks[%d] (%s): %w", i, s.Name, err)
		}
		names[i], sinks[i] = s.Name, made
		if s.EveryState {
			every = append(every, s.Name)
		}
	}
	box, err := store.Open(ctx, store.Options{
		Path: c.Store.Path, Readers: names, EveryState: every, MaxBytes: int64(c.Store.MaxBytes), Keep: c.Store.Keep,
		Notify: notifying(c.Notify, a.key.Derive("alert id")), Report: a.report,
	})
	if err != nil {
		return fmt.Errorf("alerts.store.path: %w", err)
	}
	runners := make([]*sink.Runner, len(sinks))
	for i := range sinks {
		runners[i] = sink.NewRunner(sink.Options{Name: names[i], Sink: sinks[i], Outbox: box.View(names[i]), Log: a.log, Observe: a.observe})
	}
	a.fan = sink.NewFan(box, runners...)
	a.metrics.WatchSinks(func() telemetry.Sinks { return watched(box, a.fan.States(), time.Now()) })
	a.fan.Tend((&notifier{store: box, wake: a.fan.Wake, warn: a.log.Warn}).run)
	return nil
}

// watched is what the metrics show of the store and the sinks.
func watched(box *store.Store, states []sink.State, now time.Time) telemetry.Sinks {
	out := telemetry.Sinks{Failing: map[string]time.Duration{}}
	out.Used, out.Limit = box.Size()
	for _, s := range states {
		out.Failing[s.Name] = 0
		if !s.Failing.IsZero() {
			out.Failing[s.Name] = max(0, now.Sub(s.Failing))
		}
	}
	return out
}

// observe tells the metrics what a sink took.
func (a *App) observe(o sink.Observation) {
	a.metrics.SinkDocuments(o.Sink, "delivered", int64(o.Delivered))
	a.metrics.SinkDocuments(o.Sink, "rejected", int64(o.Rejected))
	a.metrics.SinkDocuments(o.Sink, "retried", int64(o.Retried))
}

func sinkOptions(s config.AlertSink) build.Options {
	secret := func(file, env string) transport.Secret { return transport.Secret{File: file, Env: env} }
	return build.Options{
		Type: s.Type,
		HTTP: transport.HTTPOptions{
			URL: s.URL, SecretURL: secret(s.URLFile, s.URLEnv), TLS: transport.TLS{CAFile: s.TLS.CAFile, CertFile: s.TLS.CertFile, KeyFile: s.TLS.KeyFile, ServerName: s.TLS.ServerName},
			Username: s.Username, Password: secret(s.PasswordFile, s.PasswordEnv),
			Token: secret(s.TokenFile, s.TokenEnv), Scheme: s.TokenScheme, Gzip: s.Gzip,
		},
		Address: s.Address, Brokers: s.Brokers, Topic: s.Topic, Mechanism: s.Mechanism, Path: s.Path, MaxBytes: int64(s.MaxBytes), Keep: s.Keep, Format: s.Format, TemplateFile: s.TemplateFile,
		SigningKey: secret(s.SigningKeyFile, s.SigningKeyEnv), RoutingKey: secret(s.RoutingKeyFile, s.RoutingKeyEnv),
		Protocol: s.Protocol, Stream: s.Stream, InstallTemplate: s.InstallTemplate, Index: s.Index, Ack: s.Ack,
	}
}
