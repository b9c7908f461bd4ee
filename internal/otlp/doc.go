// Package otlp is the only way between OpenTelemetry's data and a detect.Batch: it
// gathers every text of a request of logs, traces or metrics, has it scanned, says
// whose each finding is, and masks in place. Types and order of all values stay, and
// a request without a finding is not touched. JSON of any form goes the same way.
//
// It must never pass on a text that was not scanned: what cannot be scanned, not even
// alone, is replaced by a stub, or the whole request is refused. It opens no
// connection, writes no log, and knows no component of the Collector.
package otlp
