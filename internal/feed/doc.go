// Package feed is the way from detections to sinks where there is no topic: it keeps
// detections in an outbox of their own, folds them to alerts, and appends the alerts to
// the outbox that sinks read. What Tell returned for is durable; everything behind it
// happens beside the data, however slow a receiver is.
//
// The package must never drop a detection: when there is no room, Tell fails and its
// caller holds the data back. It must never hand an alert's state out again that its log
// says is handed out.
package feed
