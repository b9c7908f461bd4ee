// Package kafka reads topics as a consumer group, hands decoded batches to a plain
// function, writes what it gives back, and commits. kafka-go carries connections,
// metadata and groups; fetch and produce are our own bytes over it, because its
// Reader, Writer and Client.Fetch lose order, tombstones and offsets
// (docs/design).
//
// Source is the reading half: one goroutine a partition fetches, decodes,
// processes, delivers and marks, in that order. A Deliverer is the only way to
// write. Offsets are committed under the generation that read them, and only
// behind what the Deliverer has acknowledged.
//
// It must never commit an offset whose records are not delivered, skip a record
// without telling a hook, deliver a record that was not processed, hold more
// bytes than its budget, or put a record's bytes into an error.
package kafka
