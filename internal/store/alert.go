package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
)

// kept is what the store reads of an alert's document.
type kept struct {
	notify.Alert
	clientID         string // "" when it is not known
	score            int    // of severity, from 0 to 100
	firstSeen, last  time.Time
	ends             time.Time // zero: not by itself
	traffic          string
	fingerprints     []string
	fingerprintCount int64
	document         []byte
}

// parse reads a document. It reports false for one that is no alert's state.
func parse(document []byte) (*kept, bool) {
	var doc struct {
		Event struct {
			Severity   int
			Start, End time.Time
		}
		Rule     struct{ ID string }
		Service  struct{ Name any }
		Cloud    struct{ Region string }
		Leakveil struct {
			Kind, Severity, Traffic string
			Client                  struct {
				ID         string
				Candidates []string
			}
			Fingerprints []string
			Count        int64     `json:"fingerprint_count"`
			Expires      time.Time `json:"expires_at"`
			Alert        struct {
				ID       string
				Sequence int64
			}
		}
	}
	l := &doc.Leakveil
	if json.Unmarshal(document, &doc) != nil || l.Alert.ID == "" {
		return nil, false
	}
	a := &kept{
		Alert: notify.Alert{
			ID: l.Alert.ID, Sequence: l.Alert.Sequence, Client: l.Client.ID, Region: doc.Cloud.Region, Kind: l.Kind, Rule: doc.Rule.ID,
			Severity: l.Severity, Services: names(doc.Service.Name),
		},
		clientID: l.Client.ID, score: doc.Event.Severity, firstSeen: doc.Event.Start, last: doc.Event.End, ends: l.Expires,
		traffic: l.Traffic, fingerprints: l.Fingerprints, fingerprintCount: l.Count, document: document,
	}
	if a.Client == "" {
		a.Client = "unknown"
		if len(l.Client.Candidates) > 0 {
			a.Client = "one of " + strings.Join(l.Client.Candidates, ", ")
		}
	}
	return a, true
}

// names are the texts of a member that is one or a list of them.
func names(value any) (out []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// separator stands around each service in the column; no text of a document has it.
const separator = "\x1f"

func joined(services []string) string {
	if len(services) == 0 {
		return ""
	}
	return separator + strings.Join(services, separator) + separator
}

// keep stores an alert's state unless a later one is there, and returns how many
// detections are new in it. A closed alert that grows is open again, and so is a
// revoked one that has a value more.
func (w *writer) keep(ctx context.Context, a *kept) (grown int64, err error) {
	var before int64
	var state string
	var old []byte
	err = w.tx.QueryRowContext(ctx, `SELECT sequence, settled, state, CASE state WHEN 'revoked' THEN document ELSE x'' END FROM alerts WHERE id = ?`, a.ID).
		Scan(&before, &a.Told, &state, &old)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		state = StateOpen
	case err != nil:
		return 0, err
	case before >= a.Sequence:
		return 0, nil
	}
	if state == StateClosed || state == StateRevoked && a.hasNewValue(old) {
		state = StateOpen
	}
	settled := a.Told
	if a.traffic != "" || w.o.Notify == nil {
		settled = a.Sequence
	}
	var by []string
	if w.o.Notify != nil {
		by = w.o.Notify.GroupBy
	}
	_, err = w.tx.ExecContext(ctx, `INSERT INTO alerts (id, sequence, client, kind, severity, first_seen, last_seen, document, services, traffic, ends, state, grouped, settled, rule)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, client = excluded.client, kind = excluded.kind, severity = excluded.severity,
			first_seen = excluded.first_seen, last_seen = excluded.last_seen, document = excluded.document, services = excluded.services,
			traffic = excluded.traffic, ends = excluded.ends, state = excluded.state, grouped = excluded.grouped, settled = excluded.settled,
			rule = excluded.rule`,
		a.ID, a.Sequence, a.clientID, a.Kind, a.score, a.firstSeen.UnixMilli(), a.last.UnixMilli(), a.document, joined(a.Services), a.traffic,
		millis(a.ends), state, notify.GroupOf(&a.Alert, by), settled, a.Rule)
	return a.Sequence - before, err
}

// hasNewValue reports whether the alert has a value that an older state had not.
func (a *kept) hasNewValue(old []byte) bool {
	before, ok := parse(old)
	return !ok || a.fingerprintCount > before.fingerprintCount ||
		slices.ContainsFunc(a.fingerprints, func(f string) bool { return !slices.Contains(before.fingerprints, f) })
}

// millis is NULL for the zero time.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// clock is the reverse of UnixMilli, with 0 for the zero time.
func clock(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
