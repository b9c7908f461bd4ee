// Package leakveilprocessor is the OpenTelemetry Collector processor that masks OAuth
// secrets in logs, traces and metrics: authorization codes, PKCE verifiers, tokens,
// client secrets, session cookies and whatever else leakveil's rules know, in every
// place of a record and inside every encoding.
//
// A whole request is scanned at once and masked in place; one without a finding is
// passed on untouched. The processor must never pass on a text that was not scanned,
// and no byte of a secret may stand in its errors, logs, metrics or detections.
//
// What it declares is in metadata.yaml; internal/metadata is kept in step with it by a
// test.
package leakveilprocessor
