package telemetry

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// maker makes instruments by the table and notes where the two differ.
type maker struct {
	meter metric.Meter
	table *table
	made  map[string]bool
	errs  []error
}

// row finds the table's row for an instrument of the given type.
func (k *maker) row(name, kind string) metricRow {
	row, ok := k.table.row(name)
	switch {
	case !ok:
		k.errs = append(k.errs, fmt.Errorf("metrics.yaml has no %s", name))
	case row.Type != kind:
		k.errs = append(k.errs, fmt.Errorf("metrics.yaml calls %s a %s, it is a %s", name, row.Type, kind))
	case k.made[name]:
		k.errs = append(k.errs, fmt.Errorf("metric %s is made twice", name))
	}
	k.made[name] = true
	return row
}

func (k *maker) note(err error) {
	if err != nil {
		k.errs = append(k.errs, err)
	}
}

func (k *maker) counter(name string) metric.Int64Counter {
	row := k.row(name, "counter")
	c, err := k.meter.Int64Counter(name, metric.WithUnit(row.Unit), metric.WithDescription(row.Help))
	k.note(err)
	return c
}

func (k *maker) gauge(name string) metric.Float64ObservableGauge {
	row := k.row(name, "gauge")
	g, err := k.meter.Float64ObservableGauge(name, metric.WithUnit(row.Unit), metric.WithDescription(row.Help))
	k.note(err)
	return g
}

func (k *maker) histogram(name string, bounds ...float64) metric.Float64Histogram {
	row := k.row(name, "histogram")
	h, err := k.meter.Float64Histogram(name, metric.WithUnit(row.Unit), metric.WithDescription(row.Help), metric.WithExplicitBucketBoundaries(bounds...))
	k.note(err)
	return h
}

func (k *maker) observe(f metric.Callback, of ...metric.Observable) {
	_, err := k.meter.RegisterCallback(f, of...)
	k.note(err)
}

// finish reports rows that no instrument was made for, and all other errors.
func (k *maker) finish() error {
	for _, row := range k.table.Metrics {
		if !k.made[row.Name] {
			k.errs = append(k.errs, fmt.Errorf("metrics.yaml has %s, which is never made", row.Name))
		}
	}
	return errors.Join(k.errs...)
}
