package alert

import (
	"slices"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

// Bounds on what one alert lists.
const (
	maxFingerprints = 100
	maxServices     = 16
)

// Alert is the state of one fold of detections. Two alerts with the same ID and
// Sequence are equal in every field, whoever folded them and when.
type Alert struct {
	// ID is HMAC-SHA-256 over GroupID and the detection that opened the alert with
	// its position in the log, 22 base64url characters.
	ID string
	// GroupID is HMAC-SHA-256 over group and window start. Alerts share it when
	// a group closed and opened again within one window.
	GroupID string
	// Sequence is the number of distinct detections folded, from 1.
	Sequence int64
	// Count is the same number, for people.
	Count int64
	// WindowStart and WindowEnd bound the event times, the end excluded.
	WindowStart, WindowEnd time.Time
	// FirstSeen and LastSeen are the smallest and largest event time.
	FirstSeen, LastSeen time.Time
	// Written is when the last folded detection was written to the log.
	Written    time.Time
	Kind, Rule string
	// Severity and Confidence are the highest of the detections'.
	Severity, Confidence string
	// Reasons are those of the detections with the highest severity, sorted.
	Reasons []string
	// Expires is when the last of the values ends by itself; zero: not known of all,
	// or never.
	Expires time.Time
	// Traffic is event.Synthetic for traffic of tests.
	Traffic string
	// Excerpt is that of the first detection that has one.
	Excerpt string
	Client  event.Client
	// Fingerprints are the first 100 different ones, in the order of the log.
	Fingerprints []string
	// FingerprintCount is the number of different fingerprints as long as all
	// are listed; after that it also counts every detection with one that is not.
	FingerprintCount int64
	KeyID            string
	// First and Last are the places of the first and last detection in the log.
	First, Last event.Where
	// Services are the first 16 different ones, sorted.
	Services []string
	Region   string
	// Actions are what was done with the values, sorted.
	Actions []string
}

// Opening names the detection that opened an alert. Unlike the id it is the same
// when the key has changed.
type Opening struct {
	KeyID, Rule string
	First       event.Where
}

// Opening returns the alert's own.
func (a *Alert) Opening() Opening { return Opening{a.KeyID, a.Rule, a.First} }

// copy returns an alert that shares no slice with a.
func (a Alert) copy() Alert {
	a.Client.Candidates = slices.Clone(a.Client.Candidates)
	a.Fingerprints = slices.Clone(a.Fingerprints)
	a.Services = slices.Clone(a.Services)
	a.Actions = slices.Clone(a.Actions)
	a.Reasons = slices.Clone(a.Reasons)
	return a
}

// include folds one more distinct, cleaned detection into a.
func (a *Alert) include(d event.Detection, written time.Time) {
	a.Sequence++
	a.Count++
	if a.Count == 1 {
		a.Kind, a.Rule, a.Client, a.KeyID, a.Region = d.Kind, d.Rule, d.Client, d.KeyID, d.Region
		a.Severity, a.Confidence = d.Severity, d.Confidence
		a.First, a.FirstSeen, a.LastSeen = d.Where, d.Time, d.Time
		a.Expires, a.Traffic = d.Expires, d.Traffic
	}
	if a.Excerpt == "" {
		a.Excerpt = d.Excerpt
	}
	switch {
	case a.Expires.IsZero() || d.Expires.IsZero():
		a.Expires = time.Time{}
	case d.Expires.After(a.Expires):
		a.Expires = d.Expires
	}
	a.includeReasons(d)
	if d.Time.Before(a.FirstSeen) {
		a.FirstSeen = d.Time
	}
	if d.Time.After(a.LastSeen) {
		a.LastSeen = d.Time
	}
	a.Last, a.Written = d.Where, written
	a.Severity = higher(severities, a.Severity, d.Severity)
	a.Confidence = higher(confidences, a.Confidence, d.Confidence)
	a.includeClient(d.Client)
	a.includeFingerprint(d.Fingerprint)
	a.Services = insert(a.Services, d.Service, maxServices)
	a.Actions = insert(a.Actions, d.Action, maxServices)
}

// includeReasons keeps those of what is gravest. It comes before the severity.
func (a *Alert) includeReasons(d event.Detection) {
	if rank(severities, d.Severity) < rank(severities, a.Severity) {
		return
	}
	if rank(severities, d.Severity) > rank(severities, a.Severity) {
		a.Reasons = nil
	}
	for _, reason := range d.Reasons {
		a.Reasons = insert(a.Reasons, reason, len(reasons))
	}
}

// includeClient keeps the surest way in which the client was found; the first
// one when two are as sure.
func (a *Alert) includeClient(c event.Client) {
	if rank(confidences, c.Confidence) > rank(confidences, a.Client.Confidence) {
		a.Client.How, a.Client.Confidence = c.How, c.Confidence
	}
	for _, candidate := range c.Candidates {
		a.Client.Candidates = insert(a.Client.Candidates, candidate, maxCandidates)
	}
}

func (a *Alert) includeFingerprint(fingerprint string) {
	if fingerprint == "" || slices.Contains(a.Fingerprints, fingerprint) {
		return
	}
	a.FingerprintCount++
	if len(a.Fingerprints) < maxFingerprints {
		a.Fingerprints = append(a.Fingerprints, fingerprint)
	}
}

// insert adds name to the sorted set unless it is empty, present, or set is full.
func insert(set []string, name string, limit int) []string {
	at, found := slices.BinarySearch(set, name)
	if found || name == "" || len(set) >= limit {
		return set
	}
	return slices.Insert(slices.Clone(set), at, name)
}
