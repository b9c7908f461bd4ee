package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// unitKind says what a unit is.
type unitKind uint8

const (
	ofResource unitKind = iota
	ofScope
	ofMetric // name, description, unit
	ofRecord // a log record, span or data point
)

// unit is what is scanned as one record: a resource, a scope, a metric, a log record,
// a span or a data point, by its indices in the request. What is said in one unit
// belongs together.
type unit struct {
	kind                        unitKind
	resource, scope, item, part int32
	first                       int // its first segment
}

// request is a request of one signal.
type request interface {
	// signal is "logs", "traces" or "metrics".
	signal() string
	// gather calls enter for each unit and then visits its texts, in order.
	gather(*Masker) error
	// visit visits the texts of one unit again, in the same order.
	visit(*Masker, *unit)
	// about says when and in which trace a unit of kind ofRecord was written.
	about(*unit) about
	// attributes are a unit's own; false when a summary has no place in them.
	attributes(*unit) (pcommon.Map, bool)
	// resourceOf is the resource that a unit belongs to.
	resourceOf(*unit) pcommon.Resource
	// leaveOut removes units of kind ofRecord; they are in order.
	leaveOut([]unit)
	// records is how many log records, spans or data points there are.
	records() int
	// empty reports whether there is not even a resource.
	empty() bool
}

// about is what a unit says about itself.
type about struct {
	time  pcommon.Timestamp
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// enter begins a unit. What was gathered before is finished first when it is enough
// for one scan.
func (m *Masker) enter(kind unitKind, resource, scope, item, part int) error {
	u := unit{kind: kind, resource: int32(resource), scope: int32(scope), item: int32(item), part: int32(part)}
	if m.reading != nil {
		m.reading.enter(m, u)
		return nil
	}
	if m.batch.Len() >= m.chunk {
		if err := m.finish(); err != nil {
			return err
		}
	}
	u.first = len(m.batch.Segments())
	m.at = len(m.units)
	m.units = append(m.units, u)
	return nil
}

// gather gathers and masks the whole request.
func (m *Masker) gather() error {
	if err := m.request.gather(m); err != nil {
		return err
	}
	return m.finish()
}

// leaver tells, in order, which units are left out.
type leaver struct {
	units []unit
}

// gone reports whether the element at the given indices is the next to be left out.
func (l *leaver) gone(resource, scope, item, part int) bool {
	if len(l.units) == 0 {
		return false
	}
	u := &l.units[0]
	if u.resource != int32(resource) || u.scope != int32(scope) || u.item != int32(item) || u.part != int32(part) {
		return false
	}
	l.units = l.units[1:]
	return true
}
