// Package otlpnettest has what tests of OTLP over the network need: a back end that keeps
// every request it gets, made of the Collector's own receiver, an authority of certificates,
// and clients of the OpenTelemetry SDK. It must never be part of the program.
package otlpnettest
