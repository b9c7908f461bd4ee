// Package gateway is the way of one OTLP request through leakveil run: it is admitted,
// masked, its detections are kept, its output is delivered, and only then is it answered.
// It must never answer with success before both are durable, never pass on what was not
// scanned, and never put a byte of a request into an error: errors go to the sender.
package gateway
