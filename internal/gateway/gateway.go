package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/otlp"
)

// Request is a masked request on its way out: one of Logs, Traces and Metrics is set, by
// Signal.
type Request struct {
	Signal  otlp.Signal
	Logs    plog.Logs
	Traces  ptrace.Traces
	Metrics pmetric.Metrics
}

// Output is where requests go.
type Output interface {
	// Deliver returns nil when the request is durable. It does not change it.
	Deliver(ctx context.Context, r *Request) error
}

// Counts is what the metrics are told.
type Counts interface {
	RecordsIn(topic string, records, bytes int64)
	RecordsOut(topic string, records, bytes int64)
	Findings(kind, action string, n int64)
	Withheld(reason string, n int64)
	Dropped(n int64)
	Detections(confidence, how string, n int64)
	Requests(signal, result string)
	BatchDone(d time.Duration)
}

// Results of requests, in Counts.Requests.
const (
	delivered   = "delivered"
	refused     = "refused"     // not to be tried again
	unavailable = "unavailable" // to be tried again
)

// Options is what a Gateway is made of.
type Options struct {
	Pool *otlp.Pool
	// Tell keeps detections where they are durable.
	Tell func(ctx context.Context, detections []event.Detection) error
	// Outputs each get every request. One that fails is told to the sender, whose next
	// try goes to all of them again.
	Outputs []Output
	// Budget is how many bytes of requests, as they are on the wire, may be in work at
	// once; what comes beyond is told to come again.
	Budget int64
	Counts Counts
	Log    *slog.Logger
	Now    func() time.Time
}

// Gateway takes requests. It is an otlpnet.Consumer and safe for concurrent use.
type Gateway struct {
	Options
	used   atomic.Int64
	told   told
	health health
	over   context.Context // ends when nothing is waited for any more
	end    context.CancelFunc
}

// New returns a gateway.
func New(o Options) *Gateway {
	g := &Gateway{Options: o}
	g.over, g.end = context.WithCancel(context.Background())
	return g
}

// Abandon has the requests under way answered with an error that tells to come again.
func (g *Gateway) Abandon() { g.end() }

// Memory is how much of the budget is in use.
func (g *Gateway) Memory() (used, limit int64) { return g.used.Load(), g.Budget }

// What the senders of requests are told. A plain error and Unavailable are tried again by
// all clients of OTLP, over gRPC and HTTP.
var (
	errBusy = status.Error(codes.Unavailable, "leakveil: too much is in work, try again")
	errOver = status.Error(codes.Unavailable, "leakveil: stopping, try again")
	errTell = status.Error(codes.Unavailable, "leakveil: detections cannot be kept, try again")
	errOut  = status.Error(codes.Unavailable, "leakveil: the output does not take the request, try again")
	errData = status.Error(codes.InvalidArgument, "leakveil: the output refuses the request for what it is")
	errScan = status.Error(codes.InvalidArgument, "leakveil: the request holds what cannot be scanned")
)

// ErrData is a failure of an output that lies in the request, so that trying again does
// not help.
var ErrData = errors.New("the request cannot be delivered as it is")

// Logs answers a request, as do the others.
func (g *Gateway) Logs(ctx context.Context, ld plog.Logs) error {
	var sizer plog.ProtoMarshaler
	r := &Request{Signal: otlp.Logs, Logs: ld}
	return g.take(ctx, r, work{
		size: sizer.LogsSize(ld), count: ld.LogRecordCount,
		mask: func(m *otlp.Masker) (otlp.Outcome, error) { return m.Logs(ld) },
	})
}

// Traces see Logs.
func (g *Gateway) Traces(ctx context.Context, td ptrace.Traces) error {
	var sizer ptrace.ProtoMarshaler
	r := &Request{Signal: otlp.Traces, Traces: td}
	return g.take(ctx, r, work{
		size: sizer.TracesSize(td), count: td.SpanCount,
		mask: func(m *otlp.Masker) (otlp.Outcome, error) { return m.Traces(td) },
	})
}

// Metrics see Logs.
func (g *Gateway) Metrics(ctx context.Context, md pmetric.Metrics) error {
	var sizer pmetric.ProtoMarshaler
	r := &Request{Signal: otlp.Metrics, Metrics: md}
	return g.take(ctx, r, work{
		size: sizer.MetricsSize(md), count: md.DataPointCount,
		mask: func(m *otlp.Masker) (otlp.Outcome, error) { return m.Metrics(md) },
	})
}

// work is what the signals differ in.
type work struct {
	size  int        // bytes
	count func() int // of records
	mask  func(*otlp.Masker) (otlp.Outcome, error)
}

// take is the whole way of a request. It never panics.
func (g *Gateway) take(ctx context.Context, r *Request, w work) (err error) {
	result := unavailable
	defer func() {
		if p := recover(); p != nil { // the type alone: what is said may hold the text
			g.Log.Error("a request is refused after a panic", "signal", r.Signal, "panic", fmt.Sprintf("%T", p))
			result, err = refused, errScan
		}
		g.Counts.Requests(string(r.Signal), result)
	}()
	size := int64(w.size)
	if used := g.used.Add(size); used > g.Budget && used > size { // one alone may always
		g.used.Add(-size)
		return errBusy
	}
	defer g.used.Add(-size)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.over, cancel)()
	records := w.count()
	detections, counted, err := g.mask(ctx, r, w)
	left := w.count()
	if err == nil {
		err = g.pass(ctx, r, detections, left > 0 || records == 0)
	}
	if status.Code(err) == codes.InvalidArgument {
		result = refused
	}
	if err != nil {
		return err
	}
	result = delivered
	g.Counts.RecordsIn(string(r.Signal), int64(records), size)
	g.Counts.RecordsOut(string(r.Signal), int64(left), int64(w.size))
	counted()
	return nil
}

// mask scans and masks, and returns what was found and what is to be counted when all is
// delivered.
func (g *Gateway) mask(ctx context.Context, r *Request, w work) (found []event.Detection, counted func(), err error) {
	m, err := g.Pool.Get(ctx)
	if err != nil {
		return nil, nil, g.waited()
	}
	defer g.Pool.Put(m)
	start := g.Now()
	out, err := w.mask(m)
	if err != nil { // the masker's words hold no text, see otlp.ErrRefused
		g.Log.Warn("a request is refused, since it cannot be scanned", "signal", r.Signal, "error", err)
		return nil, nil, errScan
	}
	g.Counts.BatchDone(g.Now().Sub(start))
	return out.Detections, g.outcome(&out), nil
}

// waited is the answer to who waited in vain.
func (g *Gateway) waited() error {
	if g.over.Err() != nil {
		return errOver
	}
	return errBusy
}

// outcome keeps what the masker counted, which is valid until its next request.
func (g *Gateway) outcome(out *otlp.Outcome) func() {
	type count struct {
		otlp.Count
		n int64
	}
	var findings []count
	for c, n := range out.Counts {
		findings = append(findings, count{c, int64(n)})
	}
	withheld := map[string]int64{}
	for reason, n := range out.Withheld {
		withheld[reason] = int64(n)
	}
	dropped, detections := int64(out.Dropped), out.Detections
	return func() {
		for _, c := range findings {
			g.Counts.Findings(c.Kind, c.Action, c.n)
		}
		for reason, n := range withheld {
			g.Counts.Withheld(reason, n)
		}
		if dropped > 0 {
			g.Counts.Dropped(dropped)
		}
		for i := range detections {
			g.Counts.Detections(detections[i].Confidence, string(detections[i].Client.How), 1)
		}
	}
}

// pass keeps the detections, then delivers the output: a crash in between repeats a
// detection, with the same id, and never leaves an output without one.
func (g *Gateway) pass(ctx context.Context, r *Request, detections []event.Detection, anything bool) error {
	if fresh := g.told.fresh(detections); len(fresh) > 0 {
		if err := g.Tell(ctx, fresh); err != nil {
			g.health.failed("detections cannot be kept", g.Now())
			g.Log.Warn("detections cannot be kept; the sender is told to try again", "error", err)
			return errTell
		}
		g.told.add(fresh)
	}
	if anything {
		for _, o := range g.Outputs {
			if err := o.Deliver(ctx, r); err != nil {
				return g.undelivered(r, err)
			}
		}
	}
	g.told.forget(detections)
	g.health.succeeded()
	return nil
}

// undelivered is the answer when an output failed. Only what lies in the request itself
// is final: that leakveil's own credentials are wrong, say, must not lose the sender's data.
func (g *Gateway) undelivered(r *Request, err error) error {
	if errors.Is(err, ErrData) || consumererror.IsPermanent(err) && status.Code(permanent(err)) == codes.InvalidArgument {
		g.Log.Warn("the output refuses a request for what it is; so is the sender told", "signal", r.Signal, "error", err)
		return errData
	}
	if g.over.Err() != nil {
		return errOver
	}
	g.health.failed("the output does not take requests", g.Now())
	g.Log.Warn("a request is not delivered; the sender is told to try again", "signal", r.Signal, "error", err)
	return errOut
}

// permanent finds the error with a gRPC status in a chain of errors.
func permanent(err error) error {
	var s interface{ GRPCStatus() *status.Status }
	if errors.As(err, &s) {
		return s.GRPCStatus().Err()
	}
	return err
}
