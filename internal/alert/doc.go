// Package alert folds detections into alerts and writes both as JSON with ECS
// field names, for a topic, a file or a SIEM. Fold is a pure function of a log
// of detections (their order, positions and writing times): it does no I/O, and
// its clock decides only when an update is handed out, never what it says.
// FileLog is that log where there is no topic.
//
// The package must never hold or write a byte of a secret or of a raw record:
// a Detection has no field for one, and the JSON schemas in docs/schema allow
// no further member. Text that comes from records (client ids, service names,
// topics) is attacker-controlled and goes through Clean before it is kept.
package alert
