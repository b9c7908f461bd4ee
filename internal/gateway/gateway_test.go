package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/gateway"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/telemetry"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func secret() string {
	random := make([]byte, 33)
	_, _ = rand.Read(random) // it never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

func logsOf(texts ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, text := range texts {
		records.AppendEmpty().Body().SetStr(text)
	}
	return ld
}

// world is what stands around a gateway. Each error fails its part.
type world struct {
	mu                sync.Mutex
	told              []event.Detection
	requests          []*gateway.Request
	tellErr, outErr   error
	entered, released chan struct{} // when set, the output waits
	order             []string
	counted           map[string]int // result
	log               bytes.Buffer
	now               time.Time
}

func (w *world) tell(_ context.Context, d []event.Detection) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tellErr != nil {
		return w.tellErr
	}
	w.order = append(w.order, "told")
	w.told = append(w.told, d...)
	return nil
}

func (w *world) Deliver(ctx context.Context, r *gateway.Request) error {
	if w.entered != nil {
		w.entered <- struct{}{}
		select {
		case <-w.released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outErr != nil {
		return w.outErr
	}
	w.order = append(w.order, "delivered")
	w.requests = append(w.requests, r)
	return nil
}

// counts counts results, and leaves the rest to nobody.
type counts struct {
	*telemetry.Metrics
	w *world
}

func (c counts) Requests(_, result string) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.counted[result]++
}

var database = sync.OnceValues(func() (*detect.Database, error) {
	set, err := rules.Default()
	if err != nil {
		return nil, err
	}
	return detect.Compile(set)
})

func newGateway(t *testing.T, w *world, change func(*otlp.Options, *gateway.Options)) *gateway.Gateway {
	t.Helper()
	db, err := database()
	if err != nil {
		t.Fatal(err)
	}
	w.counted, w.now = map[string]int{}, time.Now()
	po := otlp.Options{Pipeline: pipeline.Options{Database: db, Key: redact.RandomKey()}, Detect: true}
	o := gateway.Options{
		Tell: w.tell, Outputs: []gateway.Output{w}, Budget: 64 << 20, Counts: counts{nil, w},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: func() time.Time { return w.now },
	}
	if change != nil {
		change(&po, &o)
	}
	if o.Pool, err = otlp.NewPool(2, po); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return gateway.New(o)
}

func TestRequestsAreMaskedToldAndDelivered(t *testing.T) {
	w := &world{}
	g := newGateway(t, w, nil)
	v := secret()
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr("code_verifier", v)
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetDescription("client_secret=" + v)
	m.SetEmptyGauge().DataPoints().AppendEmpty()
	err := errors.Join(g.Logs(t.Context(), logsOf("clean", "code_verifier="+v)), g.Traces(t.Context(), td), g.Metrics(t.Context(), md))
	if err != nil || len(w.requests) != 3 || len(w.told) != 3 || w.counted["delivered"] != 3 {
		t.Fatalf("%v: %d requests, %d detections, %v", err, len(w.requests), len(w.told), w.counted)
	}
	for _, r := range w.requests {
		for _, as := range []otlp.Encoding{otlp.JSON, otlp.Proto} {
			if text, err := r.Encode(as); err != nil || bytes.Contains(text, []byte(v)) || !bytes.Contains(text, []byte("REDACTED.")) {
				t.Errorf("%s %s: %v %s", r.Signal, as, err, text)
			}
		}
	}
	for i := 0; i < len(w.order); i += 2 {
		if w.order[i] != "told" || w.order[i+1] != "delivered" {
			t.Errorf("order: %v", w.order)
		}
	}
	if used, _ := g.Memory(); used != 0 {
		t.Errorf("%d bytes stay in use", used)
	}
}

func TestFailuresAreToldToTheSender(t *testing.T) {
	v := secret()
	permanent := func(c codes.Code) error { return consumererror.NewPermanent(status.Error(c, "no: "+v)) }
	for _, c := range []struct {
		name         string
		tell, out    error
		want         codes.Code
		wantAtOutput int
	}{
		{"detections cannot be kept", errors.New("disk full"), nil, codes.Unavailable, 0},
		{"output away", nil, errors.New("connection refused"), codes.Unavailable, 0},
		{"output busy", nil, status.Error(codes.ResourceExhausted, "busy"), codes.Unavailable, 0},
		{"own credentials wrong", nil, permanent(codes.Unauthenticated), codes.Unavailable, 0},
		{"data refused", nil, permanent(codes.InvalidArgument), codes.InvalidArgument, 0},
		{"data too large", nil, gateway.ErrData, codes.InvalidArgument, 0},
	} {
		w := &world{tellErr: c.tell, outErr: c.out}
		g := newGateway(t, w, nil)
		err := g.Logs(t.Context(), logsOf("code_verifier="+v))
		if status.Code(err) != c.want || bytes.Contains([]byte(err.Error()), []byte(v)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if (g.Trouble() != "") != (c.want == codes.Unavailable) {
			t.Errorf("%s: trouble %q", c.name, g.Trouble())
		}
		if used, _ := g.Memory(); used != 0 || len(w.requests) != c.wantAtOutput || w.counted["delivered"] != 0 {
			t.Errorf("%s: %d bytes in use, %d requests, %v", c.name, used, len(w.requests), w.counted)
		}
	}
}

// A sender that tries again does not fill the place of detections.
func TestDetectionsAreToldOnceUntilDelivered(t *testing.T) {
	w := &world{outErr: errors.New("away")}
	g := newGateway(t, w, nil)
	text := "code_verifier=" + secret()
	for range 5 {
		if err := g.Logs(t.Context(), logsOf(text)); err == nil {
			t.Fatal("delivered")
		}
	}
	if len(w.told) != 1 {
		t.Errorf("told %d times", len(w.told))
	}
	w.outErr = nil
	for range 2 { // the second is another request
		if err := g.Logs(t.Context(), logsOf(text)); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.told) != 2 {
		t.Errorf("told %d times, want 2", len(w.told))
	}
}

func TestTroubleIsForgotten(t *testing.T) {
	w := &world{outErr: errors.New("away")}
	g := newGateway(t, w, nil)
	_ = g.Logs(t.Context(), logsOf("x"))
	if g.Trouble() == "" {
		t.Error("no trouble")
	}
	w.now = w.now.Add(time.Minute) // or nobody would be sent here again
	if trouble := g.Trouble(); trouble != "" {
		t.Error(trouble)
	}
}

func TestBeyondTheBudgetComeAgain(t *testing.T) {
	w := &world{entered: make(chan struct{}, 8), released: make(chan struct{})}
	g := newGateway(t, w, func(_ *otlp.Options, o *gateway.Options) { o.Budget = 1000 })
	text := string(bytes.Repeat([]byte("a"), 600))
	first := make(chan error, 1)
	go func() { first <- g.Logs(context.Background(), logsOf(text)) }()
	<-w.entered
	if err := g.Logs(t.Context(), logsOf(text)); status.Code(err) != codes.Unavailable {
		t.Errorf("beyond the budget: %v", err)
	}
	close(w.released)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := g.Logs(t.Context(), logsOf(text, text, text)); err != nil { // alone it may
		t.Error(err)
	}
	if used, limit := g.Memory(); used != 0 || limit != 1000 {
		t.Errorf("%d of %d", used, limit)
	}
}

func TestAbandonAnswers(t *testing.T) {
	w := &world{entered: make(chan struct{}, 1)}
	g := newGateway(t, w, nil)
	answer := make(chan error, 1)
	go func() { answer <- g.Logs(context.Background(), logsOf("x")) }()
	<-w.entered
	g.Abandon()
	if err := <-answer; status.Code(err) != codes.Unavailable || len(w.requests) != 0 {
		t.Error(err)
	}
}

func deep(levels int) plog.Logs {
	ld := logsOf("x")
	v := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	for range levels {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetStr("code_verifier=" + secret())
	return ld
}

func TestWhatCannotBeScanned(t *testing.T) {
	w := &world{}
	g := newGateway(t, w, func(o *otlp.Options, _ *gateway.Options) { o.Refuse = true })
	if err := g.Logs(t.Context(), deep(1000)); status.Code(err) != codes.InvalidArgument || len(w.requests) != 0 || w.counted["refused"] != 1 {
		t.Errorf("refused: %v, %v", err, w.counted)
	}
	w = &world{}
	g = newGateway(t, w, nil)
	if err := g.Logs(t.Context(), deep(1000)); err != nil || len(w.requests) != 1 {
		t.Fatal(err)
	}
	text, _ := w.requests[0].Encode(otlp.JSON)
	if bytes.Contains(text, []byte("code_verifier")) || !bytes.Contains(text, []byte("too_deep")) {
		t.Errorf("%.200s", text)
	}
}

// A request that policy leaves nothing of goes nowhere; an empty one is passed on.
func TestDroppedRecords(t *testing.T) {
	w := &world{}
	g := newGateway(t, w, func(o *otlp.Options, _ *gateway.Options) {
		o.Pipeline.Policy = redact.Policy{rules.CodeVerifier: redact.ActionDropRecord}
	})
	if err := g.Logs(t.Context(), logsOf("code_verifier="+secret())); err != nil || len(w.requests) != 0 || len(w.told) != 1 {
		t.Errorf("%v, %d requests, %d detections", err, len(w.requests), len(w.told))
	}
	if err := g.Logs(t.Context(), plog.NewLogs()); err != nil || len(w.requests) != 1 {
		t.Errorf("%v, %d requests", err, len(w.requests))
	}
}

type panics struct{ v string }

func (p panics) Deliver(context.Context, *gateway.Request) error { panic(p.v) }

func TestPanicsStay(t *testing.T) {
	w, v := &world{}, secret()
	g := newGateway(t, w, func(_ *otlp.Options, o *gateway.Options) { o.Outputs = []gateway.Output{panics{v}} })
	err := g.Logs(t.Context(), logsOf("x"))
	if status.Code(err) != codes.InvalidArgument || bytes.Contains(w.log.Bytes(), []byte(v)) || w.counted["refused"] != 1 {
		t.Errorf("%v %s", err, w.log.String())
	}
}

// The deepest nesting that the default size of a request allows does not end the process.
func TestNestedToTheBrim(t *testing.T) {
	w := &world{}
	g := newGateway(t, w, nil)
	for name, payload := range map[string][]byte{"arrays": nested(brim, 5, 1), "maps": nested(brim, 6, 1, 2)} {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(payload)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := g.Logs(t.Context(), ld); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range w.requests {
		if v := r.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body(); v.Type() == pcommon.ValueTypeEmpty {
			t.Error("nothing is left")
		}
	}
}
