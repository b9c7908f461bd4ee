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
	OverGroups Over = "too_many_groups"
	OverItems  Over = "too_many_alerts" // in one group
)

// Digest is one notification for all that was held back: it says what it holds.
type Digest struct {
	From, Until time.Time
	// Alerts is the number of states of alerts held back.
	Alerts int
	// Severity is the highest of them.
	Severity string
	// By counts by bound, kind and severity.
	By map[Over]int
	// Kinds and Severities count by name.
	Kinds, Severities map[string]int
	// Clients are those with the most, at most 50; Others is the number of alerts of
	// all the rest.
	Clients []Count
	Others  int
	// IDs are the first 100 alerts, to be looked up.
	IDs []string
}

// Count is a number of alerts of a client.
type Count struct {
	Client string
	Alerts int
}

// Bounds on what a digest lists and remembers.
const (
	maxDigestClients = 50
	maxDigestIDs     = 100
	maxDigestKnown   = 10_000
)

// digest gathers what is held back.
type digest struct {
	Digest
	clients map[string]int
}

func (d *digest) add(a Alert, over Over, now time.Time) {
	if d.Alerts == 0 {
		d.From, d.clients = now, map[string]int{}
		d.By, d.Kinds, d.Severities = map[Over]int{}, map[string]int{}, map[string]int{}
	}
	d.Alerts++
	d.By[over]++
	d.Kinds[a.Kind]++
	d.Severities[a.Severity]++
	if slices.Index(severities, a.Severity) > slices.Index(severities, d.Severity) {
		d.Severity = a.Severity
	}
	if _, known := d.clients[a.Client]; known || len(d.clients) < maxDigestKnown {
		d.clients[a.Client]++
	} else {
		d.Others++
	}
	if len(d.IDs) < maxDigestIDs && !slices.Contains(d.IDs, a.ID) {
		d.IDs = append(d.IDs, a.ID)
	}
}

// take returns the digest and begins a new one.
func (d *digest) take(now time.Time) Digest {
	out := d.Digest
	out.Until = now
	for client, n := range d.clients {
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
	*d = digest{}
	return out
}
