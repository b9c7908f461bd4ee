// Package requests makes OpenTelemetry requests of the corpora's lines: what the
// benchmarks of the Collector's processor are fed with. It must never measure anything.
package requests

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// Records is the number of records or spans in a request.
const Records = 1000

// Shape says what a line of a corpus is in a record.
type Shape string

// The shapes that figures are given for.
const (
	Bodies     Shape = "logs, the line as body"
	Attributes Shape = "logs, body and 10 attributes"
	Spans      Shape = "spans, 10 attributes and the line as one"
)

// Shapes are all of them.
var Shapes = []Shape{Bodies, Attributes, Spans}

// Corpora are the streams by their names, in order.
var Corpora = []struct {
	Name    string
	Options corpus.Options
}{{"clean", corpus.Clean}, {"mixed", corpus.Mixed}, {"auth", corpus.Auth}}

// Request is one request of Records records: logs, or traces of the shape Spans.
type Request struct {
	Logs    plog.Logs
	Traces  ptrace.Traces
	Text    int      // bytes of all texts, without names of resources
	Secrets []string // what was planted, as it stands in the lines
}

// New returns n requests of a corpus.
func New(s Shape, o corpus.Options, n int) []Request {
	g := corpus.New(o)
	out := make([]Request, n)
	for i := range out {
		out[i].fill(s, g)
	}
	return out
}

func (r *Request) fill(s Shape, g *corpus.Generator) {
	r.Logs, r.Traces = plog.NewLogs(), ptrace.NewTraces()
	rl, rs := r.Logs.ResourceLogs().AppendEmpty(), r.Traces.ResourceSpans().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().Attributes().PutStr("service.name", "shop")
	records, spans := rl.ScopeLogs().AppendEmpty().LogRecords(), rs.ScopeSpans().AppendEmpty().Spans()
	for i := range Records {
		line := g.Next()
		r.Text += len(line.Text)
		for _, secret := range line.Secrets {
			r.Secrets = append(r.Secrets, string(line.Text[secret.Start:secret.End]))
		}
		if s == Spans {
			span := spans.AppendEmpty()
			span.SetName("GET /cb")
			r.Text += attributes(span.Attributes(), i)
			span.Attributes().PutStr("url.full", string(line.Text))
			continue
		}
		l := records.AppendEmpty()
		l.Body().SetStr(string(line.Text))
		if s == Attributes {
			r.Text += attributes(l.Attributes(), i)
		}
	}
}

// attributes adds what instrumentation adds to every record, and returns its size.
func attributes(a pcommon.Map, i int) (size int) {
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
