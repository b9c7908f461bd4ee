package leakveilconnector

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	leakveilprocessor "github.com/leakveil/leakveil/processor"
)

// Two hundred lives of a processor and the connector that takes its detections, and of a
// connector that scans by itself, leave no goroutine and no memory behind.
func TestRestarts(t *testing.T) {
	pf, cf := leakveilprocessor.NewFactory(), NewFactory()
	pcfg, from, scanning := small(), &Config{From: "leakveil/restarts"}, &Config{Scan: small()}
	life := func() {
		told := new(consumertest.LogsSink)
		set := processortest.NewNopSettings(pf.Type())
		set.ID = component.MustNewIDWithName("leakveil", "restarts")
		taking, err1 := cf.CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(typ), from, told)
		alone, err2 := cf.CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(typ), scanning, told)
		p, err3 := pf.CreateLogs(context.Background(), set, pcfg, consumertest.NewNop())
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		list := []component.Component{taking, alone, p}
		for _, c := range list {
			if err := c.Start(context.Background(), componenttest.NewNopHost()); err != nil {
				t.Fatal(err)
			}
		}
		for _, consume := range []func(context.Context, plog.Logs) error{p.ConsumeLogs, alone.ConsumeLogs} {
			ld := plog.NewLogs()
			ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("code_verifier=" + randomVerifier())
			if err := consume(context.Background(), ld); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range list {
			if err := c.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if n := told.LogRecordCount(); n != 2 {
			t.Fatalf("%d alerts", n)
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
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
}

// resident is the memory of the process, that of the engine included; where the system does
// not tell it, that of Go.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if errors.Is(err, fs.ErrNotExist) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.Sys - m.HeapReleased)
	}
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
