package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Metrics masks a request of metrics in place. After an error nothing of it may be
// passed on.
func (m *Masker) Metrics(md pmetric.Metrics) (Outcome, error) { return m.mask(metrics{md}) }

type metrics struct{ pmetric.Metrics }

func (t metrics) signal() string { return "metrics" }

func (t metrics) records() int { return t.DataPointCount() }

func (t metrics) empty() bool { return t.ResourceMetrics().Len() == 0 }

func (t metrics) gather(m *Masker) error {
	resources := t.ResourceMetrics()
	for i := range resources.Len() {
		r := resources.At(i)
		if err := m.enter(ofResource, i, 0, 0, 0); err != nil {
			return err
		}
		visitResource(m, r.Resource(), r)
		scopes := r.ScopeMetrics()
		for j := range scopes.Len() {
			s := scopes.At(j)
			if err := m.enter(ofScope, i, j, 0, 0); err != nil {
				return err
			}
			visitScope(m, s.Scope(), s)
			list := s.Metrics()
			for k := range list.Len() {
				if err := gatherMetric(m, list.At(k), i, j, k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func gatherMetric(m *Masker, metric pmetric.Metric, i, j, k int) error {
	if err := m.enter(ofMetric, i, j, k, 0); err != nil {
		return err
	}
	m.metric(metric)
	p := pointsOf(metric)
	for n := range p.len() {
		if err := m.enter(ofRecord, i, j, k, n); err != nil {
			return err
		}
		m.point(p.at(n))
	}
	return nil
}

func (m *Masker) metric(metric pmetric.Metric) {
	if s, changed := m.plain(metricName, metric.Name()); changed {
		metric.SetName(s)
	}
	if s, changed := m.plain(metricDescription, metric.Description()); changed {
		metric.SetDescription(s)
	}
	if s, changed := m.plain(metricUnit, metric.Unit()); changed {
		metric.SetUnit(s)
	}
	m.attributes(ofMetadata, metric.Metadata())
}

func (m *Masker) point(p point) {
	m.attributes(ofAttributes, p.attributes)
	if !p.sampled {
		return
	}
	for i := range p.exemplars.Len() { // each was measured in a request of its own
		if attrs := p.exemplars.At(i).FilteredAttributes(); attrs.Len() > 0 {
			m.openScope()
			m.attributes(ofExemplars, attrs)
			m.closeScope()
		}
	}
}

// point is a data point of any type.
type point struct {
	attributes pcommon.Map
	time       pcommon.Timestamp
	sampled    bool // it can have exemplars
	exemplars  pmetric.ExemplarSlice
}

// points are the data points of a metric of any type.
type points struct {
	kind        pmetric.MetricType
	number      pmetric.NumberDataPointSlice
	histogram   pmetric.HistogramDataPointSlice
	exponential pmetric.ExponentialHistogramDataPointSlice
	summary     pmetric.SummaryDataPointSlice
}

func pointsOf(metric pmetric.Metric) points {
	p := points{kind: metric.Type()}
	switch p.kind {
	case pmetric.MetricTypeGauge:
		p.number = metric.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		p.number = metric.Sum().DataPoints()
	case pmetric.MetricTypeHistogram:
		p.histogram = metric.Histogram().DataPoints()
	case pmetric.MetricTypeExponentialHistogram:
		p.exponential = metric.ExponentialHistogram().DataPoints()
	case pmetric.MetricTypeSummary:
		p.summary = metric.Summary().DataPoints()
	}
	return p
}

func (p *points) len() int {
	switch p.kind {
	case pmetric.MetricTypeGauge, pmetric.MetricTypeSum:
		return p.number.Len()
	case pmetric.MetricTypeHistogram:
		return p.histogram.Len()
	case pmetric.MetricTypeExponentialHistogram:
		return p.exponential.Len()
	case pmetric.MetricTypeSummary:
		return p.summary.Len()
	}
	return 0
}

func (p *points) at(n int) point {
	switch p.kind {
	case pmetric.MetricTypeHistogram:
		d := p.histogram.At(n)
		return point{d.Attributes(), d.Timestamp(), true, d.Exemplars()}
	case pmetric.MetricTypeExponentialHistogram:
		d := p.exponential.At(n)
		return point{d.Attributes(), d.Timestamp(), true, d.Exemplars()}
	case pmetric.MetricTypeSummary:
		d := p.summary.At(n)
		return point{attributes: d.Attributes(), time: d.Timestamp()}
	}
	d := p.number.At(n)
	return point{d.Attributes(), d.Timestamp(), true, d.Exemplars()}
}

func (t metrics) metricOf(u *unit) pmetric.Metric {
	return t.ResourceMetrics().At(int(u.resource)).ScopeMetrics().At(int(u.scope)).Metrics().At(int(u.item))
}

func (t metrics) pointOf(u *unit) point {
	p := pointsOf(t.metricOf(u))
	return p.at(int(u.part))
}

func (t metrics) visit(m *Masker, u *unit) {
	r := t.ResourceMetrics().At(int(u.resource))
	switch u.kind {
	case ofResource:
		visitResource(m, r.Resource(), r)
	case ofScope:
		s := r.ScopeMetrics().At(int(u.scope))
		visitScope(m, s.Scope(), s)
	case ofMetric:
		m.metric(t.metricOf(u))
	default:
		m.point(t.pointOf(u))
	}
}

func (t metrics) about(u *unit) about { return about{time: t.pointOf(u).time} }

// attributes: a summary in a data point's attributes, or in those around it, would make
// another series of it.
func (t metrics) attributes(*unit) (pcommon.Map, bool) { return pcommon.Map{}, false }

func (t metrics) resourceOf(u *unit) pcommon.Resource {
	return t.ResourceMetrics().At(int(u.resource)).Resource()
}
