// Package event holds what leaves a record besides its masked bytes: the
// detection and the client, as plain data. Every stage behind detection speaks
// these types. It must never hold a byte of a secret: there is no field for one,
// and the one that holds a record's bytes is of masked text that was scanned again.
package event

import "time"

// How says how a client was found. The list is closed.
type How string

// The ways in which a client is found.
const (
	SameRecord  How = "same_record"
	JWTClaim    How = "jwt_claim"
	BasicUser   How = "basic_user"
	Assertion   How = "assertion"
	IdPEvent    How = "idp_event"
	PKCELink    How = "pkce_link"
	ByCode      How = "code"
	ByTrace     How = "trace"
	BySession   How = "session"
	RedirectURI How = "redirect_uri"
	ServiceMap  How = "service_map"
	Ambiguous   How = "ambiguous"
	Unknown     How = "unknown"
)

// Client names the OAuth client that a finding affects.
type Client struct {
	// ID is the client identifier, empty when How is Ambiguous or Unknown.
	ID string
	// How says where ID was found.
	How How
	// Confidence is "certain", "likely" or "possible"; empty when unknown.
	Confidence string
	// Candidates lists every client identifier that the record names, sorted,
	// without duplicates. It has two or more entries when How is Ambiguous.
	Candidates []string
}

// Where is the place of a finding. Kafka places have a topic, files a file, those in
// OpenTelemetry's data a signal, and a topic besides when a record of Kafka holds it.
type Where struct {
	Topic     string
	Partition int32
	Offset    int64
	// Field is the part of the record: "value", "key", "header", or "header_name"; in JSON
	// that is masked by its structure "value.<member>"; in OpenTelemetry's data "body",
	// "attributes.<name>" and so on.
	Field string
	// Signal is "logs", "traces" or "metrics"; TraceID and SpanID are those of the
	// record, in hexadecimal, or "".
	Signal, TraceID, SpanID string
	// File is empty for standard input.
	File string
	// Line counts from 0.
	Line int64
	// Start and End are byte offsets in the field (Kafka) or line (files).
	Start, End int
}

// Detection is one finding with its client and its place.
type Detection struct {
	// ID is stable: HMAC-SHA-256 over place, rule and start, 22 base64url characters.
	ID string
	// Time is the event time: the record's own timestamp, else when it was read.
	Time     time.Time
	Kind     string
	Rule     string
	Severity string
	// Reasons say why Severity is not that of the rule; see package notify.
	Reasons    []string
	Confidence string
	// Expires is when the value ends by itself; zero: not known, or never.
	Expires     time.Time
	Client      Client
	Fingerprint string // 22 base64url characters
	KeyID       string // of the key that made Fingerprint
	Where       Where
	Service     string // "" when the record names none
	Region      string // "" when unknown
	// Action is what was done: mask, hash, partial, remove, drop_record, report.
	Action string
	// Traffic is Synthetic for traffic of tests, empty for all else.
	Traffic string
	// Excerpt is masked text around the value that was scanned again, at most 200
	// bytes; empty unless asked for.
	Excerpt string
}

// Traffic that is marked.
const (
	Synthetic = "synthetic"
	TestAlert = "test" // of an alert that tries a sink
)
