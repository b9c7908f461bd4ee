package otlp

import (
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// source draws pdata of all types, with empty and nil values. Its texts hold no secret
// unless plant says so.
type source struct {
	*rand.Rand
	plant float64  // share of texts that hold a secret
	drawn []string // those secrets
}

var cleanTexts = []string{
	"", "", "user logged in", "GET /index.html HTTP/1.1", `{"status":200,"path":"/health"}`, "grpc.code=OK", "é ü 漢字 🙂",
	"a\nb\tc", `quoted "words" here`, "error_code=404", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x",
	"d290f1ee-6c54-4b01-90e6-d288748bca69", "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbQjBQ1uE_cM&code_challenge_method=S256", "invalid \xff utf-8", "nul \x00 byte",
	"response_type=code", "REDACTED.code_verifier.test-1.AAAAAAAAAAAAAAAAAAAAAA", "=", "{", `"`, `\`,
}

var cleanNames = []string{
	"http.method", "cookies", "http.response.status_code", "service.name", "k8s.pod.uid", "user.id", "value", "name", "key", "a.b.value", "list[0]", "", "x",
	"status_code", "client_id", "token_type", "error.message", "url.full", "message", "étage", `"q"`, "count.0", "db.query.text", "grant_type", "id",
}

func pick[T any](r *source, list []T) T { return list[r.IntN(len(list))] }

func (r *source) text() string {
	if r.Float64() < r.plant {
		v := secret()
		r.drawn = append(r.drawn, v)
		return pick(r, []string{"code_verifier=" + v, `{"code_verifier":"` + v + `"}`, "Authorization: Bearer " + v, "GET /?access_token=" + v + "&x=1"})
	}
	return pick(r, cleanTexts)
}

// name is unique among the names that it is asked for with different i.
func (r *source) name(i int) string {
	if r.Float64() < r.plant/4 {
		v := secret()
		r.drawn = append(r.drawn, v)
		return "code_verifier=" + v
	}
	return fmt.Sprint(pick(r, cleanNames), pick(r, []string{"", ".", "_"}), i)
}

func (r *source) value(v pcommon.Value, depth int) {
	switch n := r.IntN(11); {
	case n == 0: // nil
	case n == 1:
		v.SetBool(r.IntN(2) == 0)
	case n == 2:
		v.SetInt(r.Int64())
	case n == 3:
		v.SetDouble(r.NormFloat64())
	case n == 4:
		v.SetEmptyBytes().FromRaw([]byte(r.text()))
	case n == 5 && depth > 0:
		r.members(v.SetEmptyMap(), depth-1)
	case n == 6 && depth > 0:
		s := v.SetEmptySlice()
		for range r.IntN(4) {
			r.value(s.AppendEmpty(), depth-1)
		}
	default:
		v.SetStr(r.text())
	}
}

func (r *source) members(m pcommon.Map, depth int) {
	for i := range r.IntN(5) {
		r.value(m.PutEmpty(r.name(i)), depth)
	}
}

func (r *source) scope(s pcommon.InstrumentationScope) {
	s.SetName(r.text())
	s.SetVersion(r.text())
	r.members(s.Attributes(), 1)
}

func (r *source) trace() (id pcommon.TraceID) {
	if n := r.IntN(4); n > 0 {
		id[0], id[15] = byte(n), 1
	}
	return id
}

func (r *source) logs() plog.Logs {
	ld := plog.NewLogs()
	for range r.IntN(3) {
		rl := ld.ResourceLogs().AppendEmpty()
		r.members(rl.Resource().Attributes(), 2)
		rl.SetSchemaUrl(r.text())
		for range r.IntN(3) {
			sl := rl.ScopeLogs().AppendEmpty()
			r.scope(sl.Scope())
			sl.SetSchemaUrl(r.text())
			for range r.IntN(6) {
				l := sl.LogRecords().AppendEmpty()
				l.SetTimestamp(pcommon.Timestamp(r.Uint64() >> 2))
				l.SetTraceID(r.trace())
				l.SetSeverityText(r.text())
				l.SetEventName(r.text())
				r.value(l.Body(), 4)
				r.members(l.Attributes(), 3)
			}
		}
	}
	return ld
}

func (r *source) traces() ptrace.Traces {
	td := ptrace.NewTraces()
	for range r.IntN(3) {
		rs := td.ResourceSpans().AppendEmpty()
		r.members(rs.Resource().Attributes(), 2)
		for range r.IntN(3) {
			ss := rs.ScopeSpans().AppendEmpty()
			r.scope(ss.Scope())
			for range r.IntN(5) {
				s := ss.Spans().AppendEmpty()
				s.SetName(r.text())
				s.SetTraceID(r.trace())
				s.TraceState().FromRaw(r.text())
				s.Status().SetMessage(r.text())
				r.members(s.Attributes(), 3)
				for range r.IntN(3) {
					e := s.Events().AppendEmpty()
					e.SetName(r.text())
					r.members(e.Attributes(), 2)
				}
				for range r.IntN(3) {
					k := s.Links().AppendEmpty()
					k.TraceState().FromRaw(r.text())
					r.members(k.Attributes(), 2)
				}
			}
		}
	}
	return td
}

func (r *source) exemplars(list pmetric.ExemplarSlice) {
	for range r.IntN(2) {
		e := list.AppendEmpty()
		e.SetIntValue(r.Int64())
		r.members(e.FilteredAttributes(), 1)
	}
}

func (r *source) metric(m pmetric.Metric) {
	m.SetName(r.text())
	m.SetDescription(r.text())
	m.SetUnit(r.text())
	r.members(m.Metadata(), 1)
	n := r.IntN(3)
	switch r.IntN(6) {
	case 0: // no data
	case 1:
		for range n {
			p := m.Gauge().DataPoints
			if m.Type() != pmetric.MetricTypeGauge {
				p = m.SetEmptyGauge().DataPoints
			}
			d := p().AppendEmpty()
			d.SetIntValue(r.Int64())
			r.members(d.Attributes(), 2)
			r.exemplars(d.Exemplars())
		}
	case 2:
		points := m.SetEmptySum().DataPoints()
		for range n {
			d := points.AppendEmpty()
			d.SetDoubleValue(r.Float64())
			r.members(d.Attributes(), 2)
			r.exemplars(d.Exemplars())
		}
	case 3:
		points := m.SetEmptyHistogram().DataPoints()
		for range n {
			d := points.AppendEmpty()
			d.BucketCounts().FromRaw([]uint64{1, r.Uint64()})
			r.members(d.Attributes(), 2)
			r.exemplars(d.Exemplars())
		}
	case 4:
		points := m.SetEmptyExponentialHistogram().DataPoints()
		for range n {
			d := points.AppendEmpty()
			d.Positive().BucketCounts().FromRaw([]uint64{3})
			r.members(d.Attributes(), 2)
			r.exemplars(d.Exemplars())
		}
	case 5:
		points := m.SetEmptySummary().DataPoints()
		for range n {
			d := points.AppendEmpty()
			d.QuantileValues().AppendEmpty().SetQuantile(0.5)
			r.members(d.Attributes(), 2)
		}
	}
}

func (r *source) metrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range r.IntN(3) {
		rm := md.ResourceMetrics().AppendEmpty()
		r.members(rm.Resource().Attributes(), 2)
		for range r.IntN(3) {
			sm := rm.ScopeMetrics().AppendEmpty()
			r.scope(sm.Scope())
			for range r.IntN(5) {
				r.metric(sm.Metrics().AppendEmpty())
			}
		}
	}
	return md
}
