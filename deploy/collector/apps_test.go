package collector_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/sink/backend"
)

// goApplication logs and traces as a program in Go does that uses the SDK and an
// instrumented HTTP client, which calls a callback URL with a code.
func (p *plan) goApplication(address string, overHTTP bool) {
	p.t.Helper()
	client := fmt.Sprintf("go-shop-%v", overHTTP)
	sdk := otlpnettest.NewSDK(p.t, otlpnettest.Client{Address: address, HTTP: overHTTP, Gzip: true, Retry: true},
		resource.NewSchemaless(attribute.String("service.name", "go-shop")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	ctx, span := sdk.Traces.Tracer("shop").Start(p.t.Context(), "login")
	id, spanID := span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()
	add := func(place string) string { return p.add("Go: "+place, client, id, spanID) }
	span.SetAttributes(attribute.String("oauth.client_id", client), attribute.String("code_verifier", add("attribute")),
		attribute.StringSlice("http.request.header.authorization", []string{"Bearer " + add("header")}))
	span.SetName("login code_verifier=" + add("span name"))
	span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.message", "token refused: refresh_token="+add("event"))))
	span.AddLink(trace.Link{Attributes: []attribute.KeyValue{attribute.String("access_token", add("link"))}})
	span.SetStatus(codes.Error, "client_secret="+add("status"))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/callback?code="+p.add("Go: instrumented client", client, id, "")+"&state=abc", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := (&http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(sdk.Traces))}).Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	span.End()
	emit := func(body attribute.Value, attributes ...attribute.KeyValue) {
		var r otellog.Record
		r.SetBody(body)
		r.AddAttributes(append(attributes, attribute.String("client_id", client))...)
		sdk.Logs.Logger("shop").Emit(ctx, r)
	}
	emit(attribute.StringValue("POST /token grant_type=authorization_code&code_verifier=" + add("body")))
	emit(attribute.StringValue(`{"level":"debug","body":"{\"refresh_token\":\"` + add("JSON in JSON") + `\"}"}`))
	emit(attribute.ByteSliceValue([]byte("client_secret=" + add("bytes"))))
	emit(attribute.MapValue(attribute.Map("request", attribute.Map("headers", attribute.Slice("authorization", attribute.SliceValue(attribute.StringValue("Bearer "+add("structured body"))))))))
	emit(attribute.StringValue("nothing to see"), attribute.String("client_secret", add("log attribute")), attribute.Int("n", 7))
	for i := range 50 {
		emit(attribute.StringValue(fmt.Sprintf("order %d shipped in 12 ms", i)))
	}
	sdk.Flush(p.t)
}

// pythonPlaces are where testdata/app.py puts the secrets it is given, in this order.
var pythonPlaces = []string{
	"span name", "attribute", "list attribute", "event", "exception", "status", "link", "requests", "urllib",
	"log line", "log arguments", "log extra", "log exception", "structured body", "bytes body", "metric attribute",
}

// pythonApplication is the same in Python: testdata/app.py with the SDK of PyPI and
// instrumented requests and urllib.
func (p *plan) pythonApplication(address string, overHTTP bool) {
	p.t.Helper()
	client := fmt.Sprintf("py-shop-%v", overHTTP)
	from := len(p.all)
	in := map[string]any{"protocol": "grpc", "endpoint": "http://" + address, "client": client}
	if overHTTP {
		in["protocol"] = "http"
	}
	secrets := map[string]string{}
	for _, place := range pythonPlaces {
		secrets[place] = p.add("Python: "+place, client, "", "")
	}
	in["secrets"] = secrets
	stdin, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(backend.Python(p.t), "testdata/app.py")
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		p.t.Fatalf("%v: %s", err, errs.Bytes())
	}
	var ids struct{ Trace, Span string }
	if err := json.Unmarshal(out, &ids); err != nil || len(ids.Trace) != 32 || len(ids.Span) != 16 {
		p.t.Fatalf("%v: %s", err, out)
	}
	for i, place := range pythonPlaces {
		s := p.all[from+i]
		switch place {
		case "metric attribute": // of no trace, and with nothing that names a client
			s.client = ""
		case "requests", "urllib": // in a span of their own
			s.trace = ids.Trace
		default:
			s.trace, s.span = ids.Trace, ids.Span
		}
	}
}
