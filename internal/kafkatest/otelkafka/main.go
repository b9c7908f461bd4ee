// Command otelkafka is the Collector's own Kafka exporter and receiver for the tests of
// leakveil's encodings: requests in OTLP JSON, one a line, are written to topics, or read
// from them. It is a module of its own, so that the dependencies of both stay out of
// leakveil's. It must never be part of the program.
//
//	otelkafka send CONFIG < lines     lines: {"resourceLogs":…}, {"resourceSpans":…}, {"resourceMetrics":…}
//	otelkafka receive CONFIG N > lines
//
// CONFIG is the exporter's or receiver's own configuration, in JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kafkareceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "send":
		return send(ctx, args[1])
	case len(args) == 3 && args[0] == "receive":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return receive(ctx, args[1], n)
	}
	return fmt.Errorf("usage: otelkafka send CONFIG | otelkafka receive CONFIG N")
}

// configure lays JSON over a component's default configuration.
func configure(text string, over component.Config) error {
	values := map[string]any{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return err
	}
	return confmap.NewFromStringMap(values).Unmarshal(over)
}

func telemetry() component.TelemetrySettings {
	t := componenttest.NewNopTelemetrySettings()
	if log, err := zap.NewDevelopment(); err == nil {
		t.Logger = log
	}
	return t
}

type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func send(ctx context.Context, config string) error {
	factory := kafkaexporter.NewFactory()
	c := factory.CreateDefaultConfig()
	if err := configure(config, c); err != nil {
		return err
	}
	settings := exporter.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry(), BuildInfo: component.NewDefaultBuildInfo()}
	logs, err := factory.CreateLogs(ctx, settings, c)
	if err != nil {
		return err
	}
	traces, err := factory.CreateTraces(ctx, settings, c)
	if err != nil {
		return err
	}
	metrics, err := factory.CreateMetrics(ctx, settings, c)
	if err != nil {
		return err
	}
	for _, e := range []component.Component{logs, traces, metrics} {
		if err := e.Start(ctx, host{}); err != nil {
			return err
		}
		defer func() { _ = e.Shutdown(ctx) }()
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := consume(ctx, lines.Bytes(), logs, traces, metrics); err != nil {
			return err
		}
	}
	return lines.Err()
}

func consume(ctx context.Context, line []byte, logs consumer.Logs, traces consumer.Traces, metrics consumer.Metrics) error {
	switch text := string(line); {
	case strings.HasPrefix(text, `{"resourceLogs"`):
		d, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		if err != nil {
			return err
		}
		return logs.ConsumeLogs(ctx, d)
	case strings.HasPrefix(text, `{"resourceSpans"`):
		d, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			return err
		}
		return traces.ConsumeTraces(ctx, d)
	}
	d, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
	if err != nil {
		return err
	}
	return metrics.ConsumeMetrics(ctx, d)
}

// receive prints n requests.
func receive(ctx context.Context, config string, n int) error {
	factory := kafkareceiver.NewFactory()
	c := factory.CreateDefaultConfig()
	if err := configure(config, c); err != nil {
		return err
	}
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry(), BuildInfo: component.NewDefaultBuildInfo()}
	got := make(chan []byte)
	give := func(ctx context.Context, line []byte, err error) error {
		if err != nil {
			return err
		}
		select {
		case got <- line:
		case <-ctx.Done():
		}
		return nil
	}
	toLogs, err1 := consumer.NewLogs(func(ctx context.Context, d plog.Logs) error {
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(d)
		return give(ctx, line, err)
	})
	toTraces, err2 := consumer.NewTraces(func(ctx context.Context, d ptrace.Traces) error {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(d)
		return give(ctx, line, err)
	})
	toMetrics, err3 := consumer.NewMetrics(func(ctx context.Context, d pmetric.Metrics) error {
		line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(d)
		return give(ctx, line, err)
	})
	logs, err4 := factory.CreateLogs(ctx, settings, c, toLogs)
	traces, err5 := factory.CreateTraces(ctx, settings, c, toTraces)
	metrics, err6 := factory.CreateMetrics(ctx, settings, c, toMetrics)
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err != nil {
			return err
		}
	}
	for _, r := range []component.Component{logs, traces, metrics} {
		if err := r.Start(ctx, host{}); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(os.Stdout)
	for range n {
		_, _ = out.Write(append(<-got, '\n'))
	}
	return out.Flush() // the process ends, and its members with it
}
