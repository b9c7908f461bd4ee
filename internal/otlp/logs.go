package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Logs masks a request of logs in place. After an error nothing of it may be passed on.
func (m *Masker) Logs(ld plog.Logs) (Outcome, error) { return m.mask(logs{ld}) }

type logs struct{ plog.Logs }

func (l logs) signal() string { return "logs" }

func (l logs) records() int { return l.LogRecordCount() }

func (l logs) empty() bool { return l.ResourceLogs().Len() == 0 }

func (l logs) gather(m *Masker) error {
	resources := l.ResourceLogs()
	for i := range resources.Len() {
		r := resources.At(i)
		if err := m.enter(ofResource, i, 0, 0, 0); err != nil {
			return err
		}
		visitResource(m, r.Resource(), r)
		scopes := r.ScopeLogs()
		for j := range scopes.Len() {
			s := scopes.At(j)
			if err := m.enter(ofScope, i, j, 0, 0); err != nil {
				return err
			}
			visitScope(m, s.Scope(), s)
			records := s.LogRecords()
			for k := range records.Len() {
				if err := m.enter(ofRecord, i, j, k, 0); err != nil {
					return err
				}
				m.logRecord(records.At(k))
			}
		}
	}
	return nil
}

func (m *Masker) logRecord(r plog.LogRecord) {
	if s := r.Body().Str(); s != "" && m.mode == gathering {
		m.batch.AddString(m.at, s) // what value does with it, in one step
	} else {
		m.value(ofBody, r.Body(), frameless, 0)
	}
	m.attributes(ofAttributes, r.Attributes())
	if s, changed := m.plain(severityText, r.SeverityText()); changed {
		r.SetSeverityText(s)
	}
	if s, changed := m.plain(eventName, r.EventName()); changed {
		r.SetEventName(s)
	}
}

func (l logs) visit(m *Masker, u *unit) {
	r := l.ResourceLogs().At(int(u.resource))
	switch u.kind {
	case ofResource:
		visitResource(m, r.Resource(), r)
	case ofScope:
		s := r.ScopeLogs().At(int(u.scope))
		visitScope(m, s.Scope(), s)
	default:
		m.logRecord(l.record(u))
	}
}

func (l logs) record(u *unit) plog.LogRecord {
	return l.ResourceLogs().At(int(u.resource)).ScopeLogs().At(int(u.scope)).LogRecords().At(int(u.item))
}

func (l logs) about(u *unit) about {
	r := l.record(u)
	at := r.Timestamp()
	if at == 0 {
		at = r.ObservedTimestamp()
	}
	return about{time: at, trace: r.TraceID(), span: r.SpanID()}
}

func (l logs) attributes(u *unit) (pcommon.Map, bool) {
	switch u.kind {
	case ofResource:
		return l.resourceOf(u).Attributes(), true
	case ofScope:
		return l.ResourceLogs().At(int(u.resource)).ScopeLogs().At(int(u.scope)).Scope().Attributes(), true
	}
	return l.record(u).Attributes(), true
}

func (l logs) resourceOf(u *unit) pcommon.Resource {
	return l.ResourceLogs().At(int(u.resource)).Resource()
}

func (l logs) leaveOut(units []unit) {
	out := leaver{units}
	i := -1
	l.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool {
		i++
		j := -1
		before := len(out.units)
		r.ScopeLogs().RemoveIf(func(s plog.ScopeLogs) bool {
			j++
			k := -1
			before := len(out.units)
			s.LogRecords().RemoveIf(func(plog.LogRecord) bool {
				k++
				return out.gone(i, j, k, 0)
			})
			return s.LogRecords().Len() == 0 && len(out.units) < before
		})
		return r.ScopeLogs().Len() == 0 && len(out.units) < before
	})
}
