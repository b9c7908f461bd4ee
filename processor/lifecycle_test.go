package leakveilprocessor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/processor/internal/hub"
	"github.com/leakveil/leakveil/processor/internal/metadata"
)

func detectionsForTest() []event.Detection {
	return []event.Detection{{Confidence: "certain", Client: event.Client{How: event.ByTrace}}}
}

// small looks for one kind: compiling all rules is not what these tests are about.
func small() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Rules.Kinds = []string{"code_verifier"}
	return cfg
}

// all makes the processors of the three signals of one configuration.
func all(t testing.TB, cfg *Config, next *consumertest.LogsSink) []component.Component {
	t.Helper()
	f := NewFactory()
	set := processortest.NewNopSettings(metadata.Type)
	l, err1 := f.CreateLogs(context.Background(), set, cfg, next)
	tr, err2 := f.CreateTraces(context.Background(), set, cfg, consumertest.NewNop())
	m, err3 := f.CreateMetrics(context.Background(), set, cfg, consumertest.NewNop())
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return []component.Component{l, tr, m}
}

func TestShutdownWithoutStart(t *testing.T) {
	for _, c := range all(t, small(), new(consumertest.LogsSink)) {
		for range 2 {
			if err := c.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOneEngineForAllSignals(t *testing.T) {
	f := &factory{engines: map[*Config]*engine{}}
	cfg, set := small(), processortest.NewNopSettings(metadata.Type)
	tel, err := newTelemetry(set.TelemetrySettings)
	if err != nil {
		t.Fatal(err)
	}
	start := func() (*engine, error) {
		return f.start(context.Background(), cfg, set, componenttest.NewNopHost(), tel)
	}
	first, err := start()
	if err != nil {
		t.Fatal(err)
	}
	second, err := start()
	if err != nil || first != second {
		t.Errorf("%v, another engine", err)
	}
	if err := f.stop(context.Background(), first); err != nil || len(f.engines) != 1 {
		t.Errorf("%v: closed while in use", err)
	}
	if err := f.stop(context.Background(), second); err != nil || len(f.engines) != 0 {
		t.Errorf("%v: %d engines left", err, len(f.engines))
	}
}

// A start that fails leaves nothing behind, and says why.
func TestStartFails(t *testing.T) {
	cfg := small()
	cfg.FingerprintKey.File = "testdata/no_such_key"
	for _, c := range all(t, cfg, new(consumertest.LogsSink)) {
		if err := c.Start(context.Background(), componenttest.NewNopHost()); err == nil {
			t.Error("started without its key")
		}
		if err := c.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// Data that comes before the start or after the shutdown is not passed on.
func TestDataOutsideOfItsLife(t *testing.T) {
	next := new(consumertest.LogsSink)
	c := all(t, small(), next)[0].(interface {
		component.Component
		ConsumeLogs(context.Context, plog.Logs) error
	})
	ask := func() error { return c.ConsumeLogs(context.Background(), oneLog("x")) }
	if err := ask(); !errors.Is(err, errStopped) {
		t.Errorf("before: %v", err)
	}
	if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("between: %v", err)
	}
	if err := c.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := ask(); !errors.Is(err, errStopped) || next.LogRecordCount() != 1 {
		t.Errorf("after: %v, %d records", err, next.LogRecordCount())
	}
}

func oneLog(text string) plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(text)
	return ld
}

// Two hundred lives in one process, each with requests from several goroutines, leave
// no goroutine and no memory behind.
func TestRestarts(t *testing.T) {
	cfg := small()
	life := func() {
		next := new(consumertest.LogsSink)
		list := all(t, cfg, next)
		for _, c := range list {
			if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				consume := list[0].(interface {
					ConsumeLogs(context.Context, plog.Logs) error
				})
				if err := consume.ConsumeLogs(context.Background(), oneLog("code_verifier="+randomVerifier())); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, c := range list {
			if err := c.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if next.LogRecordCount() != 4 {
			t.Errorf("%d records", next.LogRecordCount())
		}
	}
	for range 20 { // what is made once is made
		life()
	}
	goroutines, memory := runtime.NumGoroutine(), resident(t)
	for range 200 {
		life()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, before %d", n, goroutines)
	}
	if grown := resident(t) - memory; grown > 24<<20 {
		t.Errorf("memory grew by %s", fmt.Sprint(grown>>20, " MiB"))
	}
}

// receiver takes detections in a test.
type receiver struct {
	taken []event.Detection
	err   error
}

func (r *receiver) Receive(_ context.Context, d []event.Detection) error {
	r.taken = append(r.taken, d...)
	return r.err
}

func TestDetectionsAreDelivered(t *testing.T) {
	id := component.NewIDWithName(metadata.Type, "told")
	r := &receiver{}
	cancel := hub.Subscribe(id, r)
	set := processortest.NewNopSettings(metadata.Type)
	set.ID = id
	next := new(consumertest.LogsSink)
	c, err := NewFactory().CreateLogs(context.Background(), set, small(), next)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	defer c.Shutdown(context.Background())
	if err := c.ConsumeLogs(context.Background(), oneLog("client_id=web&code_verifier="+randomVerifier())); err != nil {
		t.Fatal(err)
	}
	if len(r.taken) != 1 || r.taken[0].Client.ID != "web" || r.taken[0].Where.Signal != "logs" {
		t.Errorf("%+v", r.taken)
	}
	r.err = errors.New("full")
	if err := c.ConsumeLogs(context.Background(), oneLog("code_verifier="+randomVerifier())); !errors.Is(err, r.err) || next.LogRecordCount() != 1 {
		t.Errorf("passed on without its detections: %v, %d records", err, next.LogRecordCount())
	}
	cancel()
	if len(hub.Of(id)) != 0 {
		t.Error("still subscribed")
	}
}
