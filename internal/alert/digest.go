package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strconv"
	"time"
)

// Digest is what a rate has held back, to be told at once.
type Digest struct {
	// ID is DigestID.
	ID          string
	From, Until time.Time
	// Alerts is the number of states held back, Detections that of the detections
	// that were new in them.
	Alerts, Detections int64
	Severity           string // the highest
	// Reasons, Kinds and Severities count states by name.
	Reasons, Kinds, Severities map[string]int64
	// Clients are those with the most, Others the states of all the rest.
	Clients []ClientCount
	Others  int64
	// AlertIDs are the first ones.
	AlertIDs []string
}

// ClientCount is a number of states of a client's alerts.
type ClientCount struct {
	Client string
	Alerts int64
}

// DigestID returns the stable id of the digest of a time: 22 base64url characters.
func DigestID(key []byte, from, until time.Time) string {
	mac := hmac.New(sha256.New, key)
	write(mac, "leakveil.digest", num(from.UnixMilli()), num(until.UnixMilli()))
	return encodeID(mac)
}

// digestDocument is the JSON of a Digest.
type digestDocument struct {
	Timestamp string        `json:"@timestamp"`
	ECS       version       `json:"ecs"`
	Event     eventFields   `json:"event"`
	Observer  observer      `json:"observer"`
	Leakveil  digestDetails `json:"leakveil"`
}

type digestDetails struct {
	Schema struct {
		Version int `json:"version"`
	} `json:"schema"`
	Severity string       `json:"severity"`
	Digest   digestFields `json:"digest"`
}

type digestFields struct {
	Alerts     int64    `json:"alerts"`
	Detections int64    `json:"detections"`
	Reasons    []string `json:"reasons"`
	Kinds      []string `json:"kinds"`
	Severities []string `json:"severities"`
	Clients    []string `json:"clients"`
	Others     int64    `json:"other_clients"`
	AlertIDs   []string `json:"alert_ids"`
}

// MarshalDigest returns d as one line of JSON without a newline at its end
// (docs/schema/digest-v1.json).
func MarshalDigest(d Digest) []byte {
	doc := digestDocument{
		Timestamp: d.Until.UTC().Format(timeFormat), ECS: version{ecsVersion},
		Event: eventFields{
			Kind: "alert", Category: []string{"iam"}, Type: []string{"info"}, Action: "alerts-held-back", ID: d.ID, Module: "leakveil",
			Dataset: "leakveil.digest", Severity: SeverityScore(d.Severity),
			Created: d.Until.UTC().Format(timeFormat), Start: d.From.UTC().Format(timeFormat), End: d.Until.UTC().Format(timeFormat),
		},
		Observer: observer{"leakveil", "leakveil", "dlp"},
	}
	doc.Leakveil.Schema.Version, doc.Leakveil.Severity = SchemaVersion, d.Severity
	clients := make([]string, len(d.Clients))
	for i, c := range d.Clients {
		clients[i] = cleanText(c.Client, maxText) + "=" + num(c.Alerts)
	}
	doc.Leakveil.Digest = digestFields{
		d.Alerts, d.Detections, counted(d.Reasons), counted(d.Kinds), counted(d.Severities), clients, d.Others, append([]string{}, d.AlertIDs...),
	}
	return encode(doc)
}

// counted are names with their numbers, sorted.
func counted(counts map[string]int64) []string {
	out := []string{}
	for name, n := range counts {
		out = append(out, cleanText(name, maxText)+"="+strconv.FormatInt(n, 10))
	}
	slices.Sort(out)
	return out
}
