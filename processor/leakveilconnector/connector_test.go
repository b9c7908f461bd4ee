package leakveilconnector

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/goleak"

	leakveilprocessor "github.com/leakveil/leakveil/processor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func randomVerifier() string {
	var b [33]byte
	_, _ = rand.Read(b[:])
	return "v" + base64.RawURLEncoding.EncodeToString(b[:])[:41] + "Q"
}

func small() *leakveilprocessor.Config {
	cfg := leakveilprocessor.NewFactory().CreateDefaultConfig().(*leakveilprocessor.Config)
	cfg.Rules.Kinds = []string{"code_verifier"}
	return cfg
}

func start(t *testing.T, c component.Component) {
	t.Helper()
	if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// three are the connectors of one configuration, each with the consumer behind it.
type three struct {
	logs              connector.Logs
	traces            connector.Traces
	metrics           connector.Metrics
	fromLogs, fromTrs *consumertest.LogsSink
	fromMetrics       *consumertest.LogsSink
}

func newThree(t *testing.T, cfg *Config) three {
	t.Helper()
	f, set := NewFactory(), connectortest.NewNopSettings(typ)
	out := three{fromLogs: new(consumertest.LogsSink), fromTrs: new(consumertest.LogsSink), fromMetrics: new(consumertest.LogsSink)}
	var errs [3]error
	out.logs, errs[0] = f.CreateLogsToLogs(context.Background(), set, cfg, out.fromLogs)
	out.traces, errs[1] = f.CreateTracesToLogs(context.Background(), set, cfg, out.fromTrs)
	out.metrics, errs[2] = f.CreateMetricsToLogs(context.Background(), set, cfg, out.fromMetrics)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return out
}

func logOf(text string) plog.Logs {
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", "shop")
	l := r.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetTimestamp(1_700_000_000_000_000_000)
	l.SetTraceID(pcommon.TraceID{1})
	l.SetSpanID(pcommon.SpanID{2})
	l.Body().SetStr(text)
	return ld
}

func spanOf(text string) ptrace.Traces {
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(text)
	return td
}

func metricOf(text string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetDescription(text)
	return md
}

// checkRecord looks at what was emitted for one secret, and for the secret in it.
func checkRecord(t *testing.T, sink *consumertest.LogsSink, signal, v string) plog.LogRecord {
	t.Helper()
	if sink.LogRecordCount() != 1 {
		t.Fatalf("%s: %d records", signal, sink.LogRecordCount())
	}
	ld := sink.AllLogs()[0]
	raw, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	if err != nil || bytes.Contains(raw, []byte(v[:12])) {
		t.Errorf("%s: %v, the secret is told: %s", signal, err, raw)
	}
	l := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if got, _ := l.Attributes().Get("leakveil.where.signal"); l.EventName() != "leakveil.secret.detected" || got.Str() != signal {
		t.Errorf("%s: %s", signal, raw)
	}
	return l
}

func TestItScansByItself(t *testing.T) {
	c := newThree(t, &Config{Scan: small()})
	for _, each := range []component.Component{c.logs, c.traces, c.metrics} {
		start(t, each)
	}
	if !c.logs.Capabilities().MutatesData {
		t.Error("it masks what it scans, and does not say so")
	}
	v := randomVerifier()
	ctx := context.Background()
	err := errors.Join(
		c.logs.ConsumeLogs(ctx, logOf("nothing")), c.logs.ConsumeLogs(ctx, logOf("client_id=web&code_verifier="+v)),
		c.traces.ConsumeTraces(ctx, spanOf("code_verifier="+v)), c.metrics.ConsumeMetrics(ctx, metricOf("code_verifier="+v)))
	if err != nil {
		t.Fatal(err)
	}
	checkRecord(t, c.fromTrs, "traces", v)
	checkRecord(t, c.fromMetrics, "metrics", v)
	l := checkRecord(t, c.fromLogs, "logs", v)
	for name, want := range map[string]string{
		"leakveil.kind": "code_verifier", "leakveil.client.id": "web", "leakveil.client.how": "same_record",
		"leakveil.where.field": "body", "leakveil.severity": l.SeverityText(), "leakveil.services": `["shop"]`, "leakveil.action": `["mask"]`,
	} {
		if got, _ := l.Attributes().Get(name); got.AsString() != want {
			t.Errorf("%s is %s, want %s", name, got.AsString(), want)
		}
	}
	if l.TraceID() != (pcommon.TraceID{1}) || l.SpanID() != (pcommon.SpanID{2}) || l.Timestamp() != 1_700_000_000_000_000_000 || l.SeverityNumber() == 0 {
		t.Errorf("trace %s, span %s, time %s, severity %d", l.TraceID(), l.SpanID(), l.Timestamp(), l.SeverityNumber())
	}
	if id, _ := l.Attributes().Get("log.record.uid"); len(id.Str()) != 22 {
		t.Errorf("uid %q", id.Str())
	}
}

// processorOf starts the processor that a connector takes from.
func processorOf(t *testing.T, name string) (consumer.Logs, consumer.Traces, *consumertest.LogsSink) {
	t.Helper()
	f, set := leakveilprocessor.NewFactory(), processortest.NewNopSettings(typ)
	set.ID = component.NewIDWithName(typ, name)
	next := new(consumertest.LogsSink)
	cfg := small()
	logs, err := f.CreateLogs(context.Background(), set, cfg, next)
	if err != nil {
		t.Fatal(err)
	}
	traces, err := f.CreateTraces(context.Background(), set, cfg, consumertest.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	start(t, logs)
	start(t, traces)
	return logs, traces, next
}

// Each detection comes out once, and what comes to the connector is not scanned again.
func TestFromAProcessor(t *testing.T) {
	c := newThree(t, &Config{From: "leakveil/app"})
	if c.logs.Capabilities().MutatesData {
		t.Error("it does not change what it does not scan")
	}
	logs, traces, _ := processorOf(t, "app")
	other, _, _ := processorOf(t, "other")
	start(t, c.logs)
	start(t, c.metrics)
	v, w := randomVerifier(), randomVerifier()
	ctx := context.Background()
	err := errors.Join(logs.ConsumeLogs(ctx, logOf("code_verifier="+v)), other.ConsumeLogs(ctx, logOf("code_verifier="+w)),
		c.logs.ConsumeLogs(ctx, logOf("code_verifier="+w)), c.metrics.ConsumeMetrics(ctx, metricOf("code_verifier="+w)))
	if err != nil {
		t.Fatal(err)
	}
	checkRecord(t, c.fromLogs, "logs", v)
	if n := c.fromMetrics.LogRecordCount(); n != 0 {
		t.Errorf("%d records of another signal", n)
	}
	c.fromLogs.Reset()
	if err := traces.ConsumeTraces(ctx, spanOf("code_verifier="+v)); err != nil { // no connector of its own runs
		t.Fatal(err)
	}
	checkRecord(t, c.fromLogs, "traces", v)
}

// A connector of a Collector that was never started takes nothing, and one that was shut
// down neither.
func TestOnlyWhatRunsTakesDetections(t *testing.T) {
	c := newThree(t, &Config{From: "leakveil/app"})
	logs, _, next := processorOf(t, "app")
	ask := func() {
		if err := logs.ConsumeLogs(context.Background(), logOf("code_verifier="+randomVerifier())); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if err := c.logs.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	ask()
	for _, each := range []component.Component{c.logs, c.traces, c.metrics, c.logs} {
		if err := each.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
	ask()
	if c.fromLogs.LogRecordCount() != 1 || next.LogRecordCount() != 3 {
		t.Errorf("%d detections, %d records", c.fromLogs.LogRecordCount(), next.LogRecordCount())
	}
}

// A misspelt id would mean that no alert ever comes.
func TestFromAProcessorThatIsNotThere(t *testing.T) {
	c := newThree(t, &Config{From: "leakveil/app"})
	processorOf(t, "apps")
	if err := c.logs.Start(context.Background(), componenttest.NewNopHost()); err == nil || !strings.Contains(err.Error(), "leakveil/app") {
		t.Error(err)
	}
	for _, each := range []component.Component{c.logs, c.traces, c.metrics} {
		if err := each.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestAReceiverThatFails(t *testing.T) {
	for _, permanent := range []bool{false, true} {
		t.Run(fmt.Sprint("for good ", permanent), func(t *testing.T) { failingReceiver(t, permanent) })
	}
}

func failingReceiver(t *testing.T, permanent bool) {
	err := errors.New("no room")
	if permanent {
		err = consumererror.NewPermanent(err)
	}
	cfg := &Config{From: "leakveil/app"}
	c, created := NewFactory().CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(typ), cfg, consumertest.NewErr(err))
	if created != nil {
		t.Fatal(created)
	}
	logs, _, next := processorOf(t, "app")
	start(t, c)
	got := logs.ConsumeLogs(context.Background(), logOf("code_verifier="+randomVerifier()))
	if permanent && (got != nil || next.LogRecordCount() != 1) {
		t.Errorf("a receiver that refuses for good holds the data back: %v", got)
	}
	if !permanent && (got == nil || consumererror.IsPermanent(got) || next.LogRecordCount() != 0) {
		t.Errorf("data went on without its detections: %v", got)
	}
}

func TestConfig(t *testing.T) {
	if err := componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()); err != nil {
		t.Error(err)
	}
	all, err := confmaptest.LoadConf("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"": "", "from": "", "scan": "", "both": "want one of them", "bad_id": "from", "bad_scan": "on_error", "bad_alerts": "scan: alerts",
	} {
		sub, err := all.Sub(component.NewIDWithName(typ, name).String())
		if err != nil {
			t.Fatal(err)
		}
		cfg := createDefaultConfig()
		if err = sub.Unmarshal(cfg); err == nil {
			err = confmap.Validate(cfg)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "scan" && (cfg.(*Config).Scan.Timeout == 0 || cfg.(*Config).Scan.Region != "eu-1") {
			t.Errorf("what is not set has no default: %+v", cfg.(*Config).Scan)
		}
	}
}

// The README's table has every attribute. Its examples are tried in deploy/collector.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("record.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.FieldsFunc(string(code), func(r rune) bool { return r == '"' }) {
		if (strings.HasPrefix(word, "leakveil.") || word == "log.record.uid" || word == "security_rule.name") && !strings.Contains(string(readme), "`"+word+"`") {
			t.Errorf("%s is not in README.md", word)
		}
	}
}
