package otlp

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// collector is a receiver in the process, for answers that a real one is not
// easily made to give.
type collector struct {
	plogotlp.UnimplementedGRPCServer
	answer func() (plogotlp.ExportResponse, error)
	got    []plog.LogRecord
	md     metadata.MD
}

func (c *collector) Export(ctx context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	c.md, _ = metadata.FromIncomingContext(ctx)
	logs := r.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range logs.Len() {
		c.got = append(c.got, logs.At(i))
	}
	return c.answer()
}

func accept() (plogotlp.ExportResponse, error) { return plogotlp.NewExportResponse(), nil }

func open(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func overGRPC(t *testing.T, c *collector, o Options) *Sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, c)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	o.HTTP.URL = "http://" + l.Addr().String()
	return open(t, o)
}

func TestRecords(t *testing.T) {
	c := &collector{answer: accept}
	items := sinktest.Hostile(t)
	t.Setenv("LEAKVEIL_TEST_TOKEN", "abc")
	s := overGRPC(t, c, Options{HTTP: transport.HTTPOptions{Gzip: true, Token: transport.Secret{Env: "LEAKVEIL_TEST_TOKEN"}}})
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("item %d: %+v", i, o)
		}
	}
	if c.md.Get("authorization")[0] != "Bearer abc" || len(c.got) != len(items) {
		t.Fatal(c.md, len(c.got))
	}
	for i, got := range c.got {
		checkRecord(t, items[i], got)
	}
}

// checkRecord holds a record against the document by the table.
func checkRecord(t *testing.T, item sink.Item, got plog.LogRecord) {
	t.Helper()
	r, err := field.Parse(item.Document)
	if err != nil {
		t.Fatal(err)
	}
	attributes := got.Attributes().AsRaw()
	if attributes["log.record.uid"] != item.ID || got.Body().Str() != r.Summary() || got.Timestamp().AsTime() != r.Time("@timestamp") ||
		got.SeverityNumber() < plog.SeverityNumberInfo || got.SeverityText() != r.Severity() || got.EventName() == "" {
		t.Errorf("%v %s", attributes, got.Body().AsString())
	}
	n := 1
	for _, f := range field.Fields() {
		if f.OTLP == "-" || !r.Has(f.Path) {
			continue
		}
		n++
		if _, ok := attributes[f.OTLP]; !ok {
			t.Errorf("no attribute %s", f.OTLP)
		}
	}
	if len(attributes) != n {
		t.Errorf("%d attributes, not %d", len(attributes), n)
	}
	if _, ok := attributes["log.record.original"]; ok {
		t.Error("the original record is sent")
	}
}

func failing(code codes.Code, details ...*errdetails.RetryInfo) func() (plogotlp.ExportResponse, error) {
	return func() (plogotlp.ExportResponse, error) {
		s := status.New(code, sinktest.Secret())
		for _, d := range details {
			s, _ = s.WithDetails(d)
		}
		return plogotlp.NewExportResponse(), s.Err()
	}
}

func TestGRPCAnswers(t *testing.T) {
	wait := &errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)}
	rejected := func() (plogotlp.ExportResponse, error) {
		r := plogotlp.NewExportResponse()
		r.PartialSuccess().SetRejectedLogRecords(1)
		return r, nil
	}
	for name, c := range map[string]struct {
		answer func() (plogotlp.ExportResponse, error)
		n      int
		want   sink.Outcome
		after  time.Duration
	}{
		"unavailable":       {failing(codes.Unavailable), 2, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork}, 0},
		"unavailable, wait": {failing(codes.Unavailable, wait), 2, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}, 7 * time.Second},
		"exhausted, wait":   {failing(codes.ResourceExhausted, wait), 2, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}, 7 * time.Second},
		"too large":         {failing(codes.ResourceExhausted), 2, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonTooLarge}, 0},
		"exhausted alone":   {failing(codes.ResourceExhausted), 1, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}, 0},
		"bad data":          {failing(codes.InvalidArgument), 2, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}, 0},
		"credentials":       {failing(codes.Unauthenticated), 1, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}, 0},
		"no such service":   {failing(codes.Unimplemented), 1, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound}, 0},
		"internal":          {failing(codes.Internal), 1, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonServer}, 0},
		"partial success":   {rejected, 2, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}, 0},
		"accepted":          {accept, 2, sink.Outcome{Verdict: sink.Delivered}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			report := overGRPC(t, &collector{answer: c.answer}, Options{}).Send(t.Context(), sinktest.Items(t, c.n))
			for _, o := range report.Outcomes {
				if o != c.want || report.RetryAfter != c.after {
					t.Errorf("%+v, after %v", o, report.RetryAfter)
				}
			}
		})
	}
}

func TestHTTPAnswers(t *testing.T) {
	partialProto := plogotlp.NewExportResponse()
	partialProto.PartialSuccess().SetRejectedLogRecords(1)
	binary, err := partialProto.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       sink.Outcome
	}{
		"accepted":      {200, "application/x-protobuf", "", sink.Outcome{Verdict: sink.Delivered}},
		"accepted JSON": {200, "application/json", `{"partialSuccess":{}}`, sink.Outcome{Verdict: sink.Delivered}},
		"no content":    {204, "", "", sink.Outcome{Verdict: sink.Delivered}},
		"partial":       {200, "application/x-protobuf", string(binary), sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}},
		"partial JSON":  {200, "application/json", `{"partialSuccess":{"rejectedLogRecords":"1"}}`, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}},
		"a web page":    {200, "text/html", "<html>", sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}},
		"busy":          {503, "", "", sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}},
		"bad":           {400, "", "", sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}},
	} {
		t.Run(name, func(t *testing.T) {
			var got plogotlp.ExportRequest
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = plogotlp.NewExportRequest()
				if r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" || got.UnmarshalProto(body) != nil {
					w.WriteHeader(404)
					return
				}
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			items := sinktest.Items(t, 2)
			report := open(t, Options{Protocol: "http", HTTP: transport.HTTPOptions{URL: server.URL}}).Send(t.Context(), items)
			if report.Outcomes[0] != c.want || report.Outcomes[1] != c.want {
				t.Errorf("%+v", report.Outcomes)
			}
			if got.Logs().LogRecordCount() != 2 {
				t.Error("records:", got.Logs().LogRecordCount())
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	for _, protocol := range []string{"grpc", "http"} {
		s := open(t, Options{Protocol: protocol, HTTP: transport.HTTPOptions{URL: "http://" + address}})
		o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]
		if o.Verdict != sink.Retry || o.Reason != sink.ReasonNetwork {
			t.Errorf("%s: %+v", protocol, o)
		}
	}
}

func TestMalformedDocument(t *testing.T) {
	c := &collector{answer: accept}
	items := sinktest.Items(t, 3)
	items[1].Document = []byte("{}")
	o := overGRPC(t, c, Options{}).Send(t.Context(), items).Outcomes
	if o[0].Verdict != sink.Delivered || o[1].Verdict != sink.Reject || o[2].Verdict != sink.Delivered || len(c.got) != 2 {
		t.Error(o)
	}
	if o := overGRPC(t, c, Options{}).Send(t.Context(), items[1:2]).Outcomes[0]; o.Verdict != sink.Reject {
		t.Error(o)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{{}, {Protocol: "x", HTTP: transport.HTTPOptions{URL: "http://h"}}, {HTTP: transport.HTTPOptions{URL: "h:4317"}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
