// Package redact turns found secrets into masks: policy and spans in, bytes
// out. It also makes fingerprints: keyed hashes by which a value is recognised
// in alerts without being told.
//
// The package is pure but for reading and writing key files. It must never
// change a byte outside a span, never keep a value, and never print a key.
package redact
