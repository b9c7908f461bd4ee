package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Traces masks a request of spans in place. After an error nothing of it may be passed on.
func (m *Masker) Traces(td ptrace.Traces) (Outcome, error) { return m.mask(traces{td}) }

type traces struct{ ptrace.Traces }

func (t traces) signal() string { return "traces" }

func (t traces) records() int { return t.SpanCount() }

func (t traces) empty() bool { return t.ResourceSpans().Len() == 0 }

func (t traces) gather(m *Masker) error {
	resources := t.ResourceSpans()
	for i := range resources.Len() {
		r := resources.At(i)
		if err := m.enter(ofResource, i, 0, 0, 0); err != nil {
			return err
		}
		visitResource(m, r.Resource(), r)
		scopes := r.ScopeSpans()
		for j := range scopes.Len() {
			s := scopes.At(j)
			if err := m.enter(ofScope, i, j, 0, 0); err != nil {
				return err
			}
			visitScope(m, s.Scope(), s)
			spans := s.Spans()
			for k := range spans.Len() {
				if err := m.enter(ofRecord, i, j, k, 0); err != nil {
					return err
				}
				m.span(spans.At(k))
			}
		}
	}
	return nil
}

func (m *Masker) span(s ptrace.Span) {
	if name, changed := m.plain(spanName, s.Name()); changed {
		s.SetName(name)
	}
	m.attributes(ofAttributes, s.Attributes())
	m.events(s.Events())
	m.links(s.Links())
	status := s.Status()
	if text, changed := m.plain(statusMessage, status.Message()); changed {
		status.SetMessage(text)
	}
	m.state(traceState, s.TraceState())
}

// events visits each event as a scope of its own: what stands in one, such as a client,
// is said about what stands in the same one first.
func (m *Masker) events(events ptrace.SpanEventSlice) {
	for i := range events.Len() {
		e := events.At(i)
		scoped := e.Attributes().Len() > 0
		if scoped {
			m.openScope()
		}
		if name, changed := m.plain(spanEventName, e.Name()); changed {
			e.SetName(name)
		}
		m.attributes(ofSpanEvents, e.Attributes())
		if scoped {
			m.closeScope()
		}
	}
}

func (m *Masker) links(links ptrace.SpanLinkSlice) {
	for i := range links.Len() {
		link := links.At(i)
		m.state(linkTraceState, link.TraceState())
		if link.Attributes().Len() > 0 {
			m.openScope()
			m.attributes(ofLinks, link.Attributes())
			m.closeScope()
		}
	}
}

func (t traces) visit(m *Masker, u *unit) {
	r := t.ResourceSpans().At(int(u.resource))
	switch u.kind {
	case ofResource:
		visitResource(m, r.Resource(), r)
	case ofScope:
		s := r.ScopeSpans().At(int(u.scope))
		visitScope(m, s.Scope(), s)
	default:
		m.span(t.record(u))
	}
}

func (t traces) record(u *unit) ptrace.Span {
	return t.ResourceSpans().At(int(u.resource)).ScopeSpans().At(int(u.scope)).Spans().At(int(u.item))
}

func (t traces) about(u *unit) about {
	s := t.record(u)
	return about{time: s.StartTimestamp(), trace: s.TraceID(), span: s.SpanID()}
}

func (t traces) attributes(u *unit) (pcommon.Map, bool) {
	switch u.kind {
	case ofResource:
		return t.resourceOf(u).Attributes(), true
	case ofScope:
		return t.ResourceSpans().At(int(u.resource)).ScopeSpans().At(int(u.scope)).Scope().Attributes(), true
	}
	return t.record(u).Attributes(), true
}

func (t traces) resourceOf(u *unit) pcommon.Resource {
	return t.ResourceSpans().At(int(u.resource)).Resource()
}

func (t traces) leaveOut(units []unit) {
	out := leaver{units}
	i := -1
	t.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool {
		i++
		j := -1
		before := len(out.units)
		r.ScopeSpans().RemoveIf(func(s ptrace.ScopeSpans) bool {
			j++
			k := -1
			before := len(out.units)
			s.Spans().RemoveIf(func(ptrace.Span) bool {
				k++
				return out.gone(i, j, k, 0)
			})
			return s.Spans().Len() == 0 && len(out.units) < before
		})
		return r.ScopeSpans().Len() == 0 && len(out.units) < before
	})
}
