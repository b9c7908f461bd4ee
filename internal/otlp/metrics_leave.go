package otlp

import "go.opentelemetry.io/collector/pdata/pmetric"

// leaveOut removes data points, and what holds nothing any more without them.
func (t metrics) leaveOut(units []unit) {
	out := leaver{units}
	i := -1
	t.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool {
		i++
		j := -1
		before := len(out.units)
		r.ScopeMetrics().RemoveIf(func(s pmetric.ScopeMetrics) bool {
			j++
			k := -1
			before := len(out.units)
			s.Metrics().RemoveIf(func(metric pmetric.Metric) bool {
				k++
				before := len(out.units)
				p := pointsOf(metric)
				p.removeIf(func(n int) bool { return out.gone(i, j, k, n) })
				return p.len() == 0 && len(out.units) < before
			})
			return s.Metrics().Len() == 0 && len(out.units) < before
		})
		return r.ScopeMetrics().Len() == 0 && len(out.units) < before
	})
}

// removeIf removes the data points for whose index gone reports true.
func (p *points) removeIf(gone func(n int) bool) {
	n := -1
	next := func() bool { n++; return gone(n) }
	switch p.kind {
	case pmetric.MetricTypeGauge, pmetric.MetricTypeSum:
		p.number.RemoveIf(func(pmetric.NumberDataPoint) bool { return next() })
	case pmetric.MetricTypeHistogram:
		p.histogram.RemoveIf(func(pmetric.HistogramDataPoint) bool { return next() })
	case pmetric.MetricTypeExponentialHistogram:
		p.exponential.RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return next() })
	case pmetric.MetricTypeSummary:
		p.summary.RemoveIf(func(pmetric.SummaryDataPoint) bool { return next() })
	}
}
