package leakveilprocessor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/leakveil/leakveil/processor/internal/hub"
	"github.com/leakveil/leakveil/processor/internal/metadata"
)

// capturing remembers the context that data comes with.
type capturing struct {
	consumertest.Consumer
	ctx context.Context
}

func (c *capturing) ConsumeLogs(ctx context.Context, _ plog.Logs) error { c.ctx = ctx; return nil }
func (c *capturing) ConsumeTraces(ctx context.Context, _ ptrace.Traces) error {
	c.ctx = ctx
	return nil
}
func (c *capturing) ConsumeMetrics(ctx context.Context, _ pmetric.Metrics) error {
	c.ctx = ctx
	return nil
}

type contextKey struct{}

// The life of each signal's processor as the Collector leads it, with the configuration of
// metadata.yaml.
func TestComponentLifecycle(t *testing.T) {
	cm, err := confmaptest.LoadConf("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sub, err := cm.Sub("tests::config")
	if err != nil {
		t.Fatal(err)
	}
	f := NewFactory()
	cfg := f.CreateDefaultConfig()
	if err := sub.Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	set := processortest.NewNopSettings(metadata.Type)
	ctx := context.WithValue(context.Background(), contextKey{}, "value")
	for signal, create := range map[string]func(next *capturing) (component.Component, func() error, error){
		"logs": func(next *capturing) (component.Component, func() error, error) {
			p, err := f.CreateLogs(context.Background(), set, cfg, next)
			return p, func() error { return p.ConsumeLogs(ctx, oneLog("text")) }, err
		},
		"traces": func(next *capturing) (component.Component, func() error, error) {
			p, err := f.CreateTraces(context.Background(), set, cfg, next)
			return p, func() error { return p.ConsumeTraces(ctx, ptrace.NewTraces()) }, err
		},
		"metrics": func(next *capturing) (component.Component, func() error, error) {
			p, err := f.CreateMetrics(context.Background(), set, cfg, next)
			return p, func() error { return p.ConsumeMetrics(ctx, pmetric.NewMetrics()) }, err
		},
	} {
		t.Run(signal, func(t *testing.T) {
			next := &capturing{}
			c, consume, err := create(next)
			if err != nil {
				t.Fatal(err)
			}
			if !c.(interface{ Capabilities() consumer.Capabilities }).Capabilities().MutatesData {
				t.Error("it changes data and does not say so")
			}
			if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
				t.Fatal(err)
			}
			if err := consume(); err != nil || next.ctx.Value(contextKey{}) != "value" {
				t.Errorf("%v: the context is another", err)
			}
			if err := c.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// running is a processor of logs that is started.
func running(t *testing.T, set processor.Settings, cfg *Config, next consumer.Logs) processor.Logs {
	t.Helper()
	p, err := NewFactory().CreateLogs(context.Background(), set, cfg, next)
	if err == nil {
		err = p.Start(context.Background(), componenttest.NewNopHost())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// counters are the sums of a component's counters by their names.
func counters(t *testing.T, tel *componenttest.Telemetry) map[string]int64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := tel.Reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, point := range sum.DataPoints {
					out[strings.TrimPrefix(m.Name, "otelcol_processor_leakveil_")] += point.Value
				}
			}
		}
	}
	return out
}

// With no time to scan in, every text is withheld, or the request is refused for good.
func TestOnError(t *testing.T) {
	for _, on := range []OnError{OnErrorMaskField, OnErrorRejectRequest} {
		tel := componenttest.NewTelemetry()
		defer tel.Shutdown(context.Background())
		set := processortest.NewNopSettings(metadata.Type)
		set.TelemetrySettings = tel.NewTelemetrySettings()
		cfg := small()
		cfg.Timeout, cfg.OnError = time.Nanosecond, on
		next := new(consumertest.LogsSink)
		v := randomVerifier()
		err := running(t, set, cfg, next).ConsumeLogs(context.Background(), oneLog("code_verifier="+v))
		n := counters(t, tel)
		if on == OnErrorRejectRequest {
			if !consumererror.IsPermanent(err) || strings.Contains(err.Error(), v) || next.LogRecordCount() != 0 || n["refused"] != 1 {
				t.Errorf("%v, %d records, %v", err, next.LogRecordCount(), n)
			}
			continue
		}
		if err != nil || next.LogRecordCount() != 1 || n["withheld"] != 1 || n["retried"] != 3 { // resource, scope and record
			t.Fatalf("%v, %d records, %v", err, next.LogRecordCount(), n)
		}
		body := next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
		if body != `{"leakveil":"withheld","reason":"timeout","len":57}` {
			t.Errorf("the body is %s", body)
		}
	}
}

func TestCounters(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer tel.Shutdown(context.Background())
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := small()
	cfg.Policies = map[string]string{"code_verifier": "drop_record"}
	next := new(consumertest.LogsSink)
	p := running(t, set, cfg, next)
	for _, text := range []string{"clean", "code_verifier=" + randomVerifier()} {
		if err := p.ConsumeLogs(context.Background(), oneLog(text)); err != nil {
			t.Fatal(err)
		}
	}
	n := counters(t, tel)
	if n["findings"] != 1 || n["dropped"] != 1 || n["scanned"] < 60 || n["withheld"]+n["refused"]+n["detections"] != 0 {
		t.Errorf("%v", n)
	}
	if len(next.AllLogs()) != 1 {
		t.Errorf("%d requests: what holds nothing any more is not passed on", len(next.AllLogs()))
	}
}

// A span of its own exists only where the request is traced.
func TestSpans(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(recorder))
	set := processortest.NewNopSettings(metadata.Type)
	set.TracerProvider = provider
	p := running(t, set, small(), new(consumertest.LogsSink))
	if err := p.ConsumeLogs(context.Background(), oneLog("x")); err != nil || len(recorder.Ended()) != 0 {
		t.Errorf("%v, %d spans without a trace", err, len(recorder.Ended()))
	}
	ctx, span := provider.Tracer("test").Start(context.Background(), "request")
	if err := p.ConsumeLogs(ctx, oneLog("x")); err != nil || len(recorder.Ended()) != 1 || recorder.Ended()[0].Name() != "processor/leakveil/logs" {
		t.Errorf("%v, spans: %v", err, recorder.Ended())
	}
	span.End()
}

// More requests than workers at a time wait; those whose time is over can be tried again.
func TestWorkersAreShared(t *testing.T) {
	cfg := small()
	cfg.Workers = 1
	p := running(t, processortest.NewNopSettings(metadata.Type), cfg, new(consumertest.LogsSink))
	errs := make(chan error)
	for range 8 {
		go func() { errs <- p.ConsumeLogs(context.Background(), oneLog("code_verifier="+randomVerifier())) }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// refuses is a next component that takes nothing until it is told to.
type refuses struct {
	consumertest.LogsSink
	times int
}

func (r *refuses) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if r.times--; r.times >= 0 {
		return errors.New("busy")
	}
	return r.LogsSink.ConsumeLogs(ctx, ld)
}

// A request that is refused and comes again counts once, whoever refused it.
func TestARequestThatComesAgainCountsOnce(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer tel.Shutdown(context.Background())
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	took := &receiver{}
	defer hub.Subscribe(set.ID, took)()
	next := &refuses{times: 2}
	p := running(t, set, small(), next)
	text := "code_verifier=" + randomVerifier()
	for _, failing := range []error{errors.New("full"), nil} {
		took.err = failing
		for range 2 {
			if err := p.ConsumeLogs(context.Background(), oneLog(text)); err == nil {
				t.Fatal("it is not refused")
			}
		}
		if n := counters(t, tel); n["findings"]+n["detections"]+n["scanned"] != 0 {
			t.Errorf("counted before delivery: %v", n)
		}
	}
	if err := p.ConsumeLogs(context.Background(), oneLog(text)); err != nil {
		t.Fatal(err)
	}
	if n := counters(t, tel); n["findings"] != 1 || n["detections"] != 1 || n["scanned"] == 0 || next.LogRecordCount() != 1 {
		t.Errorf("%v, %d records", n, next.LogRecordCount())
	}
}
