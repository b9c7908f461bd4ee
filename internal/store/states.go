package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
)

// The states of an alert. Expired is never stored: it is what an open or
// acknowledged alert is when the last of its values has ended.
const (
	StateOpen         = "open"
	StateAcknowledged = "acknowledged"
	StateRevoked      = "revoked"
	StateExpired      = "expired"
	StateClosed       = "closed"
)

// States are all of them, as alerts go through them.
var States = []string{StateOpen, StateAcknowledged, StateRevoked, StateExpired, StateClosed}

// stateNow is the state at the time that is its one parameter.
const stateNow = `(CASE WHEN state IN ('open', 'acknowledged') AND ends <= ? THEN 'expired' ELSE state END)`

// ErrNoAlert means that no alert has the id.
var ErrNoAlert = errors.New("no alert has this id")

// Change is a new state of alerts, and who wants it why.
type Change struct {
	State    string // not StateExpired
	By, Note string
}

// SetState changes the state of one alert, all of them or none.
func (s *Store) SetState(ctx context.Context, ids []string, c Change) error {
	if c.State != StateOpen && c.State != StateAcknowledged && c.State != StateRevoked && c.State != StateClosed {
		return fmt.Errorf("store: %q is no state that can be set", c.State)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			result, err := tx.ExecContext(ctx, `UPDATE alerts SET state = ?, state_at = ?, state_by = ?, note = ? WHERE id = ?`,
				c.State, s.o.Now().UnixMilli(), c.By, c.Note, id)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, fmt.Errorf("%s: %w", id, ErrNoAlert))
			}
		}
		return nil
	})
}

// severityOf is the word of a number from 0 to 100.
func severityOf(score int) string {
	word := "info"
	for _, name := range []string{"low", "medium", "high", "critical"} {
		if score >= alert.SeverityScore(name) {
			word = name
		}
	}
	return word
}

// Alert is the last state of an alert and what people did with it.
type Alert struct {
	ID       string
	Sequence int64
	// Client is empty when it is not known.
	Client, Kind, Rule, Severity string
	Services                     []string
	// Traffic is "synthetic" for traffic of tests, empty for all else.
	Traffic             string
	FirstSeen, LastSeen time.Time
	// Ends is when the last of the values ends by itself; zero: not known, or never.
	Ends  time.Time
	State string
	// StateAt, StateBy and Note are of the last change by people; zero: none.
	StateAt       time.Time
	StateBy, Note string
	// Told is the highest sequence that was notified, or left to a digest; ToldAt is
	// when it was notified, zero when it was left.
	Told     int64
	ToldAt   time.Time
	Document []byte
}
