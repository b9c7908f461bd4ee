package notify

import (
	"cmp"
	"slices"
	"time"
)

// Over says which bound held an alert back.
type Over string

// The bounds.
const (
	OverClient Over = "client_rate"
	OverGlobal Over = "global_rate"
	OverList   Over = "too_many_alerts" // in one notification
)

// Digest is one notification for all that was held back: it says what it holds.
type Digest struct {
	From, Until time.Time
	// Alerts is the number of states of alerts held back, Detections that of the
	// detections that were new in them.
	Alerts, Detections int64
	// Severity is the highest of them.
	Severity string
	// By, Kinds and Severities count states by bound, kind and severity.
	By                map[Over]int64
	Kinds, Severities map[string]int64
	// Clients are those with the most, at most 50; Others is the number of states of
	// all the rest.
	Clients []Count
	Others  int64
	// IDs are the first 100 alerts, to be looked up.
	IDs []string
}

// Count is a number of states of alerts of a client.
type Count struct {
	Client string
	Alerts int64
}

// Bounds on what a digest lists and remembers.
const (
	maxDigestClients = 50
	maxDigestIDs     = 100
	maxDigestKnown   = 1_000
)

// Held gathers what is held back until a digest tells it. It can be written as
// JSON and read again.
type Held struct {
	Digest
	Known map[string]int64 // states by client
}

// Add takes up the state of an alert.
func (h *Held) Add(a *Alert, over Over, now time.Time) {
	if h.Alerts == 0 {
		*h = Held{Digest{
			From: now, By: map[Over]int64{}, Kinds: map[string]int64{}, Severities: map[string]int64{},
		}, map[string]int64{}}
	}
	h.Alerts++
	h.Detections += a.Sequence - a.Told
	h.By[over]++
	h.Kinds[a.Kind]++
	h.Severities[a.Severity]++
	if slices.Index(severities, a.Severity) > slices.Index(severities, h.Severity) {
		h.Severity = a.Severity
	}
	if _, known := h.Known[a.Client]; known || len(h.Known) < maxDigestKnown {
		h.Known[a.Client]++
	} else {
		h.Others++
	}
	if len(h.IDs) < maxDigestIDs && !slices.Contains(h.IDs, a.ID) {
		h.IDs = append(h.IDs, a.ID)
	}
}

// Due returns when the digest is to be told that begins with the first alert
// held back, now or later; zero: nothing is held. One that should have been told before a
// window of maintenance, and was not, waits for its end as well.
func (h *Held) Due(every time.Duration, windows []Window, now time.Time) time.Time {
	if h.Alerts == 0 {
		return time.Time{}
	}
	at := h.From.Add(every)
	if at.Before(now) {
		at = now
	}
	if end := maintained(windows, at); !end.IsZero() {
		return end
	}
	return at
}

// Take returns the digest and begins a new one.
func (h *Held) Take(now time.Time) Digest {
	out := h.Digest
	out.Until = now
	for client, n := range h.Known {
		out.Clients = append(out.Clients, Count{client, n})
	}
	slices.SortFunc(out.Clients, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Client, b.Client))
	})
	for len(out.Clients) > maxDigestClients {
		last := len(out.Clients) - 1
		out.Others += out.Clients[last].Alerts
		out.Clients = out.Clients[:last]
	}
	*h = Held{}
	return out
}
