package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/benchmarks/requests"
)

// batchSize is the number of records in a request.
const batchSize = requests.Records

// input is batches of one corpus.
type input struct {
	shape   requests.Shape
	batches []requests.Request
	secrets []string
	text    int // bytes of one batch, on average
}

const batches = 8

func newInput(s requests.Shape, o corpus.Options) *input {
	in := &input{shape: s, batches: requests.New(s, o, batches)}
	for _, b := range in.batches {
		in.text += b.Text / batches
		in.secrets = append(in.secrets, b.Secrets...)
	}
	return in
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
	if in.shape == requests.Spans {
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
		if in.shape == requests.Spans {
			td := ptrace.NewTraces()
			in.batches[i%batches].Traces.CopyTo(td)
			traces = append(traces, td)
			continue
		}
		ld := plog.NewLogs()
		in.batches[i%batches].Logs.CopyTo(ld)
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
