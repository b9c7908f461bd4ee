// Package otlpnet is OTLP over the network: the OpenTelemetry Collector's own receiver and
// exporters, run inside this process, with their TLS, authentication, compression, limits
// and retries. It knows nothing of secrets and never holds a request back: who calls an
// Exporter waits until the other side has answered, and who sends to a Server gets the
// answer of its Consumer. It must never queue: what is queued is not delivered.
package otlpnet
