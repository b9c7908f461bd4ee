package gateway

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/otlp"
)

// halves returns the request in two parts, in order, each with its resources and scopes;
// false when it has but one record, span or metric. The request stays as it is.
func (r *Request) halves() (first, second *Request, ok bool) {
	n := 0
	switch r.Signal {
	case otlp.Logs:
		n = r.Logs.LogRecordCount()
	case otlp.Traces:
		n = r.Traces.SpanCount()
	default:
		n = r.Metrics.MetricCount()
	}
	if n < 2 {
		return nil, nil, false
	}
	return r.part(0, n/2), r.part(n/2, n), true
}

// part is the request with only the records from lo on and before hi.
func (r *Request) part(lo, hi int) *Request {
	i := -1
	out := func() bool { i++; return i < lo || i >= hi }
	p := &Request{Signal: r.Signal}
	switch r.Signal {
	case otlp.Logs:
		p.Logs = plog.NewLogs()
		r.Logs.CopyTo(p.Logs)
		p.Logs.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool {
			r.ScopeLogs().RemoveIf(func(s plog.ScopeLogs) bool {
				s.LogRecords().RemoveIf(func(plog.LogRecord) bool { return out() })
				return s.LogRecords().Len() == 0
			})
			return r.ScopeLogs().Len() == 0
		})
	case otlp.Traces:
		p.Traces = ptrace.NewTraces()
		r.Traces.CopyTo(p.Traces)
		p.Traces.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool {
			r.ScopeSpans().RemoveIf(func(s ptrace.ScopeSpans) bool {
				s.Spans().RemoveIf(func(ptrace.Span) bool { return out() })
				return s.Spans().Len() == 0
			})
			return r.ScopeSpans().Len() == 0
		})
	default:
		p.Metrics = pmetric.NewMetrics()
		r.Metrics.CopyTo(p.Metrics)
		p.Metrics.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool {
			r.ScopeMetrics().RemoveIf(func(s pmetric.ScopeMetrics) bool {
				s.Metrics().RemoveIf(func(pmetric.Metric) bool { return out() })
				return s.Metrics().Len() == 0
			})
			return r.ScopeMetrics().Len() == 0
		})
	}
	return p
}
