package store

import (
	"context"
	"time"
)

// turnedBack are what a round of Notify mends when its time is before one that the
// database has.
var turnedBack = []string{
	`UPDATE groups SET opened = min(opened, ?1), looked = min(looked, ?1), notified = min(notified, ?1), changed = min(changed, ?1), due = ?1
		WHERE max(opened, looked, notified, changed) > ?1`,
	`UPDATE alerts SET told_at = ?1 WHERE told_at > 0 AND told_at > ?1`,
	`UPDATE rates SET at = ?1 WHERE at > ?1`,
}

// mendClock makes times that lie ahead the present: a clock that was a year fast
// when leakveil began would else silence groups, rates and digests for a year. It
// looks at the first round, and whenever a round is before the last one.
func (r *round) mendClock(ctx context.Context) error {
	if !r.noticed.IsZero() && !r.now.Before(r.noticed) {
		return nil
	}
	for _, statement := range turnedBack {
		if _, err := r.tx.ExecContext(ctx, statement, r.now.UnixMilli()); err != nil {
			return err
		}
	}
	if err := r.readHeld(ctx); err != nil {
		return err
	}
	if r.held.From.After(r.now.Add(time.Millisecond)) {
		r.held.From, r.changed = r.now, true
	}
	return nil
}
