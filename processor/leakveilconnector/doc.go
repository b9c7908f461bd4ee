// Package leakveilconnector is the OpenTelemetry Collector connector that makes log records
// of what leakveil found, so that any exporter carries them to any SIEM.
//
// With from it takes the detections of a leakveil processor of the same Collector; without,
// it scans by itself. It must never pass on the data that comes to it, nor a byte of a
// secret.
package leakveilconnector
