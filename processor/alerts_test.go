package leakveilprocessor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/processor/internal/hub"
	"github.com/leakveil/leakveil/processor/internal/metadata"
)

// Alerts reach every sink, with either outbox; what was not delivered at the shutdown is
// after the next start; nothing is sent twice; no byte of a secret is anywhere.
func TestAlertsReachEverySinkOverRestarts(t *testing.T) {
	for _, storage := range []bool{false, true} {
		t.Run(fmt.Sprintf("storage=%v", storage), func(t *testing.T) {
			dir := t.TempDir()
			s, web, otlp := newSOC(t)
			cfg := alerting(dir, web, otlp)
			if storage {
				cfg.Alerts.Directory, cfg.Alerts.Storage = "", &storageID
			}
			cfg.Alerts.ShutdownTimeout = 20 * time.Millisecond
			var secrets []string
			const lives, each = 4, 5
			for life := range lives {
				s.turn(life < lives-1) // in the first lives nobody takes anything
				h, stop := withStorage(t, dir)
				p, end := begin(t, cfg, processortest.NewNopSettings(metadata.Type), h, new(consumertest.LogsSink))
				for i := range each {
					secrets = append(secrets, leak(t, p, fmt.Sprintf("client-%d-%d", life, i)))
				}
				if life == lives-1 {
					eventually(t, "delivery", func() bool { return s.has(lives * each) })
				}
				end()
				stop()
			}
			for name, got := range map[string]map[string]int{"webhook": s.posted, "otlp": s.records, "file": lines(t, cfg.Alerts.File.Path)} {
				if len(got) != lives*each {
					t.Errorf("%s: %d alerts", name, len(got))
				}
				for id, n := range got {
					if n != 1 {
						t.Errorf("%s: %s came %d times", name, id, n)
					}
				}
			}
			nothingOf(t, secrets, dir, s.all.Bytes())
		})
	}
}

// A connector that takes the same detections is told each once, and so are the sinks.
func TestSinksAndConnectorTogether(t *testing.T) {
	dir := t.TempDir()
	s, web, otlp := newSOC(t)
	set := processortest.NewNopSettings(metadata.Type)
	set.ID = component.NewIDWithName(metadata.Type, "both")
	r := &receiver{}
	defer hub.Subscribe(set.ID, r)()
	next := new(consumertest.LogsSink)
	p, end := begin(t, alerting(dir, web, otlp), set, componenttest.NewNopHost(), next)
	for i := range 10 {
		leak(t, p, fmt.Sprint("client-", i))
	}
	r.err = errors.New("full") // the request fails after the sinks were told, and is sent again
	again := oneLog("client_id=again&code_verifier=" + randomVerifier())
	again.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(1)
	first := oneLog("")
	again.CopyTo(first)
	if err := p.ConsumeLogs(context.Background(), first); !errors.Is(err, r.err) {
		t.Error(err)
	}
	r.err = nil
	if err := p.ConsumeLogs(context.Background(), again); err != nil {
		t.Error(err)
	}
	eventually(t, "delivery", func() bool { return s.has(11) })
	end()
	if len(r.taken) != 12 || len(s.posted) != 11 || next.LogRecordCount() != 11 {
		t.Errorf("%d detections, %d alerts, %d records", len(r.taken), len(s.posted), next.LogRecordCount())
	}
	for id := range s.posted {
		if !strings.HasSuffix(id, "-1") {
			t.Errorf("%s counts a detection twice", id)
		}
	}
}

// Whatever a receiver does, data passes; only a full outbox holds it back, or, as configured,
// loses detections that are counted.
func TestBackPressure(t *testing.T) {
	for _, onFull := range []OnFull{OnFullRejectRequest, OnFullDrop} {
		t.Run(string(onFull), func(t *testing.T) {
			dir := t.TempDir()
			hold := make(chan struct{})
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-hold }))
			defer web.Close()
			defer close(hold)
			cfg := alerting(dir, web.URL, "")
			cfg.Alerts.OTLP, cfg.Alerts.File = nil, nil
			cfg.Alerts.OnFull, cfg.Alerts.ShutdownTimeout = onFull, 0
			cfg.Alerts.MaxBytes = minAlertsBytes
			readers := componenttest.NewTelemetry()
			defer readers.Shutdown(context.Background())
			set := processortest.NewNopSettings(metadata.Type)
			set.TelemetrySettings = readers.NewTelemetrySettings()
			next := new(consumertest.LogsSink)
			p, end := begin(t, cfg, set, componenttest.NewNopHost(), next)
			sent, refused := 0, error(nil)
			lost := func() int64 { return valueOf(t, readers, "otelcol_processor_leakveil_detections_lost") }
			for ; refused == nil && lost() == 0; sent++ {
				if sent > 2000 {
					t.Fatal("never full")
				}
				text := strings.Builder{}
				for i := range 100 {
					fmt.Fprintf(&text, "client_id=client-%d-%d&code_verifier=%s\n", sent, i, randomVerifier())
				}
				refused = p.ConsumeLogs(context.Background(), oneLog(text.String()))
			}
			if onFull == OnFullRejectRequest && !errors.Is(refused, outbox.ErrFull) || onFull == OnFullDrop && refused != nil {
				t.Error(refused)
			}
			if n := next.LogRecordCount(); n != sent-map[bool]int{true: 1}[refused != nil] {
				t.Errorf("%d of %d records passed", n, sent)
			}
			if valueOf(t, readers, "otelcol_processor_leakveil_sink_queue") == 0 {
				t.Error("the queue looks empty")
			}
			end()
		})
	}
}

// valueOf is the sum over a metric's points.
func valueOf(t *testing.T, readers *componenttest.Telemetry, name string) (n int64) {
	t.Helper()
	m, err := readers.GetMetric(name)
	if err != nil {
		return 0 // nothing yet
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			n += p.Value
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			n += p.Value
		}
	}
	return n
}

// A shutdown ends when its context does, though a receiver hangs.
func TestShutdownIsBounded(t *testing.T) {
	hold := make(chan struct{})
	reached := make(chan struct{}, 100)
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{}; <-hold }))
	defer web.Close()
	defer close(hold)
	cfg := alerting(t.TempDir(), web.URL, "")
	cfg.Alerts.OTLP, cfg.Alerts.ShutdownTimeout = nil, time.Hour
	p, _ := begin(t, cfg, processortest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), new(consumertest.LogsSink))
	leak(t, p, "web")
	<-reached
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// A start that fails leaves no goroutine, file or lock behind.
func TestAlertsThatCannotStart(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"storage":   func(c *Config) { c.Alerts.Directory, c.Alerts.Storage = "", &storageID },
		"directory": func(c *Config) { c.Alerts.Directory = "/dev/null/x" },
		"token":     func(c *Config) { c.Alerts.OTLP.TokenFile = "testdata/nowhere" },
		"file":      func(c *Config) { c.Alerts.File.Path = "/dev/null/x" },
		"webhook":   func(c *Config) { c.Alerts.Webhook.Format = "fax" },
		"template": func(c *Config) {
			c.Alerts.Webhook.Format, c.Alerts.Webhook.TemplateFile = "template", "testdata/nowhere"
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, web, otlp := newSOC(t)
			dir := t.TempDir()
			cfg := alerting(dir, web, otlp)
			change(cfg)
			p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(metadata.Type), cfg, new(consumertest.LogsSink))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(context.Background(), componenttest.NewNopHost()); err == nil {
				t.Error("started")
			}
			if err := p.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			_, end := begin(t, alerting(dir, web, otlp), processortest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), new(consumertest.LogsSink))
			end()
		})
	}
}
