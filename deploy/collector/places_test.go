package collector_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/otlpnet"
)

// everyPlace sends requests with a secret in each place that OTLP has, also those that no
// SDK fills, by the Collector's own exporter.
func (p *plan) everyPlace(address string, http bool) {
	p.t.Helper()
	o := otlpnet.ExporterOptions{Endpoint: address, HTTP: http, Compression: "gzip", Version: "test", Log: slog.New(slog.DiscardHandler)}
	if http {
		o.Endpoint = "http://" + address
	}
	e, err := otlpnet.Dial(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx := p.t.Context()
	err = errors.Join(e.Logs(ctx, p.logs()), e.Traces(ctx, p.traces()), e.Metrics(ctx, p.metrics()))
	if err := errors.Join(err, e.Shutdown(context.Background())); err != nil {
		p.t.Fatal(err)
	}
}

// maps plants in an attribute's value, a name, a list and a map.
func (p *plan) maps(m pcommon.Map, place, client, trace, span string) {
	m.PutStr("url.full", "https://app.example/cb?code="+p.add(place+", URL", client, trace, span)+"&state=af0ifjsldkj")
	m.PutInt("/cb?code_verifier="+p.add(place+", name", client, trace, span), 1)
	m.PutEmptySlice("http.request.header.authorization").AppendEmpty().SetStr("Bearer " + p.add(place+", list", client, trace, span))
	m.PutEmptyMap("oauth").PutEmptyMap("refresh_token").PutStr("value", p.add(place+", map", client, trace, span))
	m.PutEmptyBytes("payload").FromRaw([]byte(`{"client_secret":"` + p.add(place+", bytes", client, trace, span) + `"}`))
}

// shared plants in a resource and a scope.
func (p *plan) shared(signal string, r pcommon.Resource, s pcommon.InstrumentationScope) {
	p.maps(r.Attributes(), signal+" resource", "", "", "")
	r.Attributes().PutStr("service.name", "places")
	s.SetName("scope code_verifier=" + p.add(signal+" scope name", "", "", ""))
	s.SetVersion("1?code_verifier=" + p.add(signal+" scope version", "", "", ""))
	p.maps(s.Attributes(), signal+" scope", "", "", "")
}

func (p *plan) schema(place string) string {
	return "https://schema.example/1?access_token=" + p.add(place+" schema URL", "", "", "")
}

func ids() (t pcommon.TraceID, s pcommon.SpanID) {
	_, _ = rand.Read(t[:])
	_, _ = rand.Read(s[:])
	return t, s
}

func (p *plan) logs() plog.Logs {
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	s := r.ScopeLogs().AppendEmpty()
	p.shared("logs", r.Resource(), s.Scope())
	r.SetSchemaUrl(p.schema("logs resource"))
	s.SetSchemaUrl(p.schema("logs scope"))
	for i, write := range []func(l plog.LogRecord, secret func(place string) string){
		func(l plog.LogRecord, secret func(string) string) {
			l.Body().SetStr(`{"grant":"x","code_verifier":"` + secret("body text") + `"}`)
		},
		func(l plog.LogRecord, secret func(string) string) {
			l.Body().SetEmptyBytes().FromRaw([]byte("refresh_token=" + secret("body bytes")))
		},
		func(l plog.LogRecord, secret func(string) string) {
			l.Body().SetEmptyMap().PutEmptyMap("form").PutStr("code_verifier", secret("body map"))
		},
		func(l plog.LogRecord, secret func(string) string) {
			pair := l.Body().SetEmptySlice().AppendEmpty().SetEmptyMap()
			pair.PutStr("name", "client_secret")
			pair.PutStr("value", secret("body list"))
		},
		func(l plog.LogRecord, secret func(string) string) {
			l.SetSeverityText("code_verifier=" + secret("severity"))
			l.SetEventName("refused access_token=" + secret("event name"))
		},
	} {
		l := s.LogRecords().AppendEmpty()
		client := fmt.Sprintf("log-client-%d", i)
		trace, span := ids()
		l.SetTraceID(trace)
		l.SetSpanID(span)
		l.Attributes().PutStr("client_id", client)
		write(l, func(place string) string { return p.add(place, client, trace.String(), span.String()) })
		p.maps(l.Attributes(), fmt.Sprintf("log %d", i), client, trace.String(), span.String())
	}
	return ld
}

func (p *plan) traces() ptrace.Traces {
	td := ptrace.NewTraces()
	r := td.ResourceSpans().AppendEmpty()
	ss := r.ScopeSpans().AppendEmpty()
	p.shared("traces", r.Resource(), ss.Scope())
	r.SetSchemaUrl(p.schema("traces resource"))
	ss.SetSchemaUrl(p.schema("traces scope"))
	s := ss.Spans().AppendEmpty()
	trace, span := ids()
	s.SetTraceID(trace)
	s.SetSpanID(span)
	client := "span-client"
	add := func(place string) string { return p.add(place, client, trace.String(), span.String()) }
	s.Attributes().PutStr("oauth.client_id", client)
	s.SetName("GET /cb?code_verifier=" + add("span name"))
	s.Status().SetMessage("401: client_secret=" + add("status message"))
	s.TraceState().FromRaw("v=code_verifier=" + add("trace state"))
	p.maps(s.Attributes(), "span", client, trace.String(), span.String())
	e := s.Events().AppendEmpty()
	e.SetName("sent code_verifier=" + add("event name"))
	e.Attributes().PutStr("exception.stacktrace", "X: boom\n\tat a.b(C.java:1)\nCaused by: refresh_token="+add("stack trace"))
	p.maps(e.Attributes(), "span event", client, trace.String(), span.String())
	k := s.Links().AppendEmpty()
	k.TraceState().FromRaw("v=code_verifier=" + add("link's trace state"))
	p.maps(k.Attributes(), "link", client, trace.String(), span.String())
	return td
}

func (p *plan) metrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	r := md.ResourceMetrics().AppendEmpty()
	s := r.ScopeMetrics().AppendEmpty()
	p.shared("metrics", r.Resource(), s.Scope())
	r.SetSchemaUrl(p.schema("metrics resource"))
	s.SetSchemaUrl(p.schema("metrics scope"))
	exemplar := func(e pmetric.Exemplar, place string) {
		trace, span := ids()
		e.SetTraceID(trace)
		e.SetSpanID(span)
		p.maps(e.FilteredAttributes(), place+" exemplar", "", "", "")
	}
	m := s.Metrics().AppendEmpty()
	m.SetName("code_verifier=" + p.add("metric name", "", "", ""))
	m.SetDescription("calls of /cb?code_verifier=" + p.add("description", "", "", ""))
	m.SetUnit("access_token=" + p.add("unit", "", "", ""))
	p.maps(m.Metadata(), "metadata", "", "", "")
	gauge := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.maps(gauge.Attributes(), "gauge", "", "", "")
	exemplar(gauge.Exemplars().AppendEmpty(), "gauge")
	sum := s.Metrics().AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
	p.maps(sum.Attributes(), "sum", "", "", "")
	exemplar(sum.Exemplars().AppendEmpty(), "sum")
	histogram := s.Metrics().AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	p.maps(histogram.Attributes(), "histogram", "", "", "")
	exemplar(histogram.Exemplars().AppendEmpty(), "histogram")
	exponential := s.Metrics().AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	p.maps(exponential.Attributes(), "exponential histogram", "", "", "")
	exemplar(exponential.Exemplars().AppendEmpty(), "exponential histogram")
	p.maps(s.Metrics().AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty().Attributes(), "summary", "", "", "")
	return md
}
