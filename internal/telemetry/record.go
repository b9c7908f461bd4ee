package telemetry

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// bounded is a label whose value is from the label's list, else "other".
func (m *Metrics) bounded(name, value string) attribute.KeyValue {
	if !slices.Contains(m.table.Labels[name].Values, value) {
		value = "other"
	}
	return attribute.String(name, value)
}

func add(c metric.Int64Counter, n int64, labels ...attribute.KeyValue) {
	c.Add(context.Background(), n, metric.WithAttributes(labels...))
}

func (m *Metrics) moved(direction, topic string, records, bytes int64) {
	if m == nil {
		return
	}
	labels := []attribute.KeyValue{attribute.String("direction", direction), attribute.String("topic", topic)}
	add(m.records, records, labels...)
	add(m.bytes, bytes, labels...)
}

// RecordsIn counts records read from an input topic, and their bytes.
func (m *Metrics) RecordsIn(topic string, records, bytes int64) {
	m.moved("in", topic, records, bytes)
}

// RecordsOut counts acknowledged records under the input topic they came from.
func (m *Metrics) RecordsOut(topic string, records, bytes int64) {
	m.moved("out", topic, records, bytes)
}

// Findings counts n findings of a kind and what was done with them.
func (m *Metrics) Findings(kind, action string, n int64) {
	if m != nil {
		add(m.findings, n, m.bounded("kind", kind), m.bounded("action", action))
	}
}

// Withheld counts records that were replaced by a stub.
func (m *Metrics) Withheld(reason string, n int64) {
	if m != nil {
		add(m.withheld, n, m.bounded("reason", reason))
	}
}

// Dropped counts records left out by policy.
func (m *Metrics) Dropped(n int64) {
	if m != nil {
		add(m.dropped, n)
	}
}

// DeadLetters counts acknowledged dead letters.
func (m *Metrics) DeadLetters(reason string, n int64) {
	if m != nil {
		add(m.deadLetters, n, m.bounded("reason", reason))
	}
}

// Detections counts acknowledged detections by confidence and by how the client
// was found.
func (m *Metrics) Detections(confidence, how string, n int64) {
	if m != nil {
		add(m.detections, n, m.bounded("confidence", confidence), m.bounded("how", how))
	}
}

// Payloads counts values of records that were read as an encoding, by what became of
// them.
func (m *Metrics) Payloads(encoding, became string, n int64) {
	if m != nil {
		add(m.payloads, n, m.bounded("encoding", encoding), m.bounded("became", became))
	}
}

// Alerts counts emitted alerts, updates included.
func (m *Metrics) Alerts(kind, severity string, n int64) {
	if m != nil {
		add(m.alerts, n, m.bounded("kind", kind), m.bounded("severity", severity))
	}
}

// SinkDocuments counts what became of documents that a sink was sent; name is
// that of the configuration.
func (m *Metrics) SinkDocuments(name, outcome string, n int64) {
	if m != nil && n > 0 {
		add(m.sinkDocuments, n, attribute.String("sink", name), m.bounded("taken", outcome))
	}
}

// Notified counts alerts that were told, left to a digest, or digests.
func (m *Metrics) Notified(how string, n int64) {
	if m != nil && n > 0 {
		add(m.notified, n, m.bounded("told", how))
	}
}

// Suppressed counts detections of synthetic traffic, which nobody is told of.
func (m *Metrics) Suppressed(n int64) {
	if m != nil && n > 0 {
		add(m.suppressed, n)
	}
}

// BatchDone notes the time of scanning and masking one batch.
func (m *Metrics) BatchDone(d time.Duration) {
	if m != nil {
		m.batch.Record(context.Background(), d.Seconds())
	}
}

// ProduceRetry counts one failure that was tried again.
func (m *Metrics) ProduceRetry() {
	if m != nil {
		add(m.retries, 1)
	}
}

// BadBatch counts one unreadable batch; outcome is skip or halt.
func (m *Metrics) BadBatch(outcome string) {
	if m != nil {
		add(m.badBatches, 1, m.bounded("outcome", outcome))
	}
}

// RetentionGap counts one gap of offsets that were deleted before they were read.
func (m *Metrics) RetentionGap(topic string, offsets int64) {
	if m != nil {
		add(m.gaps, 1, attribute.String("topic", topic))
		add(m.lost, offsets, attribute.String("topic", topic))
	}
}

// Rebalance counts one generation that this member joined.
func (m *Metrics) Rebalance() {
	if m != nil {
		add(m.rebalances, 1)
	}
}

// Requests counts one OTLP request and what its sender was told.
func (m *Metrics) Requests(signal, result string) {
	if m != nil {
		add(m.requests, 1, m.bounded("signal", signal), m.bounded("result", result))
	}
}

// SetPosition notes where a partition's work stands.
func (m *Metrics) SetPosition(topic string, number int32, p Position) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.partitions[partition{topic, number}] = p
}

// ForgetPosition ends the series of a partition that moved to another member.
func (m *Metrics) ForgetPosition(topic string, number int32) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.partitions, partition{topic, number})
}

// WatchMemory has the memory gauges ask f, in bytes, at each scrape. f must not
// call Metrics.
func (m *Metrics) WatchMemory(f func() (used, limit int64)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory = f
}

// WatchSinks has the gauges of store and sinks ask f at each scrape. f must not call
// Metrics.
func (m *Metrics) WatchSinks(f func() Sinks) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sinks = f
}
