// Package telemetry shows how leakveil itself is doing: metrics through the
// OpenTelemetry metric API with a Prometheus exporter, and an HTTP server with
// /livez, /readyz and /metrics.
//
// metrics.yaml is the one table of metrics: [New] makes its instruments from it,
// and fails when the two differ; docs/metrics.md is made from it.
//
// It must never put a client id or record data into a label, a check's name or
// its reason. Label values come from closed lists or from topic names; anything
// else becomes "other", and a metric has at most [MaxSeries] series.
package telemetry
