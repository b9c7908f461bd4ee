package app_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// cpu is the time that a member's process has used so far.
func (m *member) cpu() time.Duration {
	m.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
	if err != nil {
		m.t.Fatal(err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	ticks := 0
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(string(f))
		if err != nil {
			m.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// traffic is a request of 1,000 lines of an access log, some of them with a secret of one
// of a few clients.
func traffic(n int) []byte {
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range 1000 {
		r := list.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_800_000_000, int64(n*1000+i)).UTC()))
		line := fmt.Sprintf(`10.0.%d.%d - - [25/Nov/2026:13:%02d:%02d +0000] "GET /shop/items/%d?page=%d&sort=price HTTP/1.1" 200 %d "https://shop.example/list" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" rt=0.%03d`,
			i%256, n%256, i%60, n%60, i*7919%100000, i%40, 1000+i, i%1000)
		if i%50 == 0 {
			line = fmt.Sprintf("POST /oauth2/token client_id=client-%d grant_type=authorization_code code_verifier=%s", i%20, randomSecret())
		}
		r.Body().SetStr(line)
	}
	body, _ := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	return body
}

// Sinks that are disturbed all the time cost the masking next to nothing: the processor
// time for the same requests, with eight sinks and without any, in turns. Only the long
// job, on a machine of its own, holds it to 5 %.
func TestSinksCostLittle(t *testing.T) {
	rounds, requests := 1, 40
	long := os.Getenv("LEAKVEIL_LONG") != ""
	if long {
		rounds, requests = 3, 2500
	}
	run := func(sinks string) time.Duration {
		m, address := otlpMember(t, "workers: 1\nalerts:\n  interval: 1s\n  store: {path: DIR/alerts.db}\n"+sinks)
		m.start()
		await(t, "getting ready", []*member{m}, m.ready)
		before := m.cpu()
		var answered atomic.Int64
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		sendMade(ctx, address, requests, traffic, &answered).Wait()
		used := m.cpu() - before
		if answered.Load() != int64(requests) {
			t.Fatalf("%d of %d requests are answered", answered.Load(), requests)
		}
		m.kill()
		return used
	}
	var without, with []time.Duration
	for range rounds {
		without = append(without, run(""))
		s := newSOC(t, t.TempDir())
		ctx, calm := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.disturb(ctx, 500*time.Millisecond) }()
		with = append(with, run("  sinks:\n"+s.config))
		calm()
		<-done
	}
	slices.Sort(without)
	slices.Sort(with)
	a, b := without[rounds/2], with[rounds/2]
	t.Logf("%d requests of 1,000 lines: %v of processor time without sinks, %v with eight that are disturbed (%.3f); all %v, %v", requests, a, b, float64(b)/float64(a), without, with)
	if long && float64(b) > 1.05*float64(a) {
		t.Errorf("sinks cost %.1f %%", 100*(float64(b)/float64(a)-1))
	}
}
