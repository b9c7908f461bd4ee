package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// batchSize is the number of records in a request.
const batchSize = 1000

// shape says what a line of the corpus is in a record.
type shape string

const (
	bodies     shape = "logs, the line as body"
	attributes shape = "logs, body and 10 attributes"
	spans      shape = "spans, 10 attributes and the line as one"
)

// input is batches of one corpus.
type input struct {
	shape   shape
	logs    []plog.Logs
	traces  []ptrace.Traces
	secrets []string
	text    int // bytes of one batch, on average
}

const batches = 8

func newInput(s shape, o corpus.Options) *input {
	in := &input{shape: s}
	g := corpus.New(o)
	for range batches {
		ld, td := plog.NewLogs(), ptrace.NewTraces()
		rl, rs := ld.ResourceLogs().AppendEmpty(), td.ResourceSpans().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", "shop")
		rs.Resource().Attributes().PutStr("service.name", "shop")
		records, list := rl.ScopeLogs().AppendEmpty().LogRecords(), rs.ScopeSpans().AppendEmpty().Spans()
		for i := range batchSize {
			line := g.Next()
			in.text += len(line.Text)
			for _, secret := range line.Secrets {
				in.secrets = append(in.secrets, string(line.Text[secret.Start:secret.End]))
			}
			if s == spans {
				span := list.AppendEmpty()
				span.SetName("GET /cb")
				in.text += in.fill(span.Attributes(), i)
				span.Attributes().PutStr("url.full", string(line.Text))
				continue
			}
			l := records.AppendEmpty()
			l.Body().SetStr(string(line.Text))
			if s == attributes {
				in.text += in.fill(l.Attributes(), i)
			}
		}
		in.logs, in.traces = append(in.logs, ld), append(in.traces, td)
	}
	in.text /= batches
	return in
}

// fill adds what instrumentation adds to every record, and returns its size.
func (in *input) fill(a pcommon.Map, i int) (size int) {
	put := func(name, value string) {
		a.PutStr(name, value)
		size += len(name) + len(value)
	}
	put("http.request.method", "GET")
	put("url.path", "/api/orders/list")
	put("url.scheme", "https")
	put("server.address", "shop.internal.example")
	put("client.address", fmt.Sprintf("10.0.%d.%d", i/250, i%250))
	put("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
	put("network.protocol.version", "1.1")
	put("http.route", "/api/orders/{id}")
	a.PutInt("http.response.status_code", 200)
	put("thread.name", fmt.Sprintf("http-nio-8080-exec-%d", i%20))
	return size
}

// counting is the consumer behind the processor.
type counting struct{ records int }

func (c *counting) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *counting) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	c.records += ld.LogRecordCount()
	return nil
}

func (c *counting) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	c.records += td.SpanCount()
	return nil
}

// work is a processor and what it gives to.
type work struct {
	component component.Component
	logs      processor.Logs
	traces    processor.Traces
	next      *counting
}

func (in *input) make(c contender, set processor.Settings) (w *work, err error) {
	w = &work{next: &counting{}}
	if in.shape == spans {
		w.traces, err = c.factory.CreateTraces(context.Background(), set, c.config, w.next)
		w.component = w.traces
		return w, err
	}
	w.logs, err = c.factory.CreateLogs(context.Background(), set, c.config, w.next)
	w.component = w.logs
	return w, err
}

// fresh copies n batches: what is masked once is not masked again.
func (in *input) fresh(n int) (logs []plog.Logs, traces []ptrace.Traces) {
	for i := range n {
		if in.shape == spans {
			td := ptrace.NewTraces()
			in.traces[i%batches].CopyTo(td)
			traces = append(traces, td)
			continue
		}
		ld := plog.NewLogs()
		in.logs[i%batches].CopyTo(ld)
		logs = append(logs, ld)
	}
	return logs, traces
}

// consume gives the processor all of them.
func (w *work) consume(logs []plog.Logs, traces []ptrace.Traces) error {
	var errs []error
	for _, ld := range logs {
		errs = append(errs, w.logs.ConsumeLogs(context.Background(), ld))
	}
	for _, td := range traces {
		errs = append(errs, w.traces.ConsumeTraces(context.Background(), td))
	}
	return errors.Join(errs...)
}

// check fails when a planted secret comes out.
func (in *input) check(w *work) error {
	logs, traces := in.fresh(batches)
	if err := w.consume(logs, traces); err != nil {
		return err
	}
	left := 0
	look := func(text string) {
		if contains(text, in.secrets) != "" {
			left++
		}
	}
	for _, ld := range logs {
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := range records.Len() {
			look(records.At(i).Body().Str())
		}
	}
	for _, td := range traces {
		list := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
		for i := range list.Len() {
			v, _ := list.At(i).Attributes().Get("url.full")
			look(v.Str())
		}
	}
	if left > 0 {
		return fmt.Errorf("%d records still hold a secret", left)
	}
	if w.next.records != batches*batchSize {
		return fmt.Errorf("%d records came out", w.next.records)
	}
	return nil
}

// speed measures until least CPU time is spent: MB of text per CPU-second, and allocations
// a record.
func (in *input) speed(w *work, least time.Duration, share int) (mb, allocations float64, err error) {
	var spent time.Duration
	var allocs uint64
	done := 0
	// Few at a time: in a Collector what comes to a processor was just decoded, and
	// stands in the caches.
	for n := max(1, batches/2/share); spent < least; {
		logs, traces := in.fresh(n)
		runtime.GC() // of the copying, not of the work
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		from := cpu()
		if err := w.consume(logs, traces); err != nil {
			return 0, 0, err
		}
		spent += cpu() - from
		runtime.ReadMemStats(&after)
		allocs += after.Mallocs - before.Mallocs
		done += n
	}
	return float64(done) * float64(in.text) / 1e6 / spent.Seconds(), float64(allocs) / float64(done) / batchSize, nil
}
