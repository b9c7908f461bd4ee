// Package detect finds secrets in text: rules become a Database of triggers,
// a Scanner runs it over a Batch and gives Findings.
//
// A trigger is a short expression of fixed shape that ends just behind a key
// and the first byte of its glue, or behind a prefix and the first bytes of a
// value. The engine (Hyperscan) runs all triggers over a whole Batch in one
// call and only says where they end. Everything else is plain Go on the bytes
// around: the glue is parsed, the value is walked along its alphabet and through
// its escapes, named checks confirm or refute, overlaps are resolved.
//
// The package is a small library: no network, no logging, no metrics. It must
// never return without an error when a byte was not scanned, and a Finding must
// never hold a byte of what was found.
package detect
