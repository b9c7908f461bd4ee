package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
)

// Notifying says when alerts are notified. Where a group stands, what is held
// back and what is left of the rates are in the database, each changed in the
// transaction that adds the documents: a crash neither loses nor repeats one.
type Notifying struct {
	Timing  notify.Timing
	Windows []notify.Window
	// GroupBy are names of notify.GroupBy.
	GroupBy []string
	// Client and Global bound the alerts that are told; Every is how often what was
	// held back is told.
	Client, Global notify.Rate
	Every          time.Duration
	// Digest makes the document of what was held back.
	Digest func(notify.Digest) outbox.Entry
}

// Bounds of one Notify.
const (
	maxDue    = 100 // groups
	maxTold   = 50  // alerts of one group that are told at once
	maxListed = 1000
	// forget is how long a group is kept that nothing new comes to; it is said again
	// no longer than that.
	forget = 24 * time.Hour
	// maxRates bounds the rates that are remembered: clients beyond share one, so
	// that invented client ids fill no disk, and use up nobody's rate.
	maxRates = 10_000
)

// group is a row of groups.
type group struct {
	notify.Group
	name, client string
	changed      time.Time
}

// touch opens the alert's group or says that something is new in it.
func (w *writer) touch(ctx context.Context, a *kept) error {
	g := group{name: notify.GroupOf(&a.Alert, w.o.Notify.GroupBy), client: a.Client}
	err := w.tx.QueryRowContext(ctx, `SELECT opened, looked, notified, fresh FROM groups WHERE name = ?`, g.name).
		Scan(scanTime{&g.Opened}, scanTime{&g.Looked}, scanTime{&g.Notified}, &g.New)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		g.Opened = w.now
	case err != nil:
		return err
	case g.New:
		return nil
	}
	g.New, g.changed = true, w.now
	d := notify.Decide(w.o.Notify.Timing, g.Group, w.o.Notify.Windows, w.now)
	if d.Send {
		d.Next = w.now
	}
	return w.saveGroup(ctx, &g, d.Next)
}

func (w *writer) saveGroup(ctx context.Context, g *group, next time.Time) error {
	if over := g.changed.Add(forget); !g.New && (next.IsZero() || over.Before(next)) {
		next = over
	}
	_, err := w.tx.ExecContext(ctx, `INSERT OR REPLACE INTO groups (name, client, opened, looked, notified, changed, fresh, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		g.name, g.client, stored(g.Opened), stored(g.Looked), stored(g.Notified), stored(g.changed), g.New, stored(next))
	return err
}

// Notify decides for the groups that are due, at most 100 of them, and adds what is
// to be told to the outbox. It reports whether more are due.
func (s *Store) Notify(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var did Report
	var at time.Time
	err = s.tx(ctx, func(tx *sql.Tx) error {
		did = Report{}
		w, err := s.writer(ctx, tx)
		if err != nil {
			return err
		}
		at = w.now
		r := &round{writer: w, did: &did, buckets: map[string]*notify.Bucket{}}
		if err := r.mendClock(ctx); err != nil {
			return err
		}
		if more, err = r.groups(ctx); err != nil {
			return err
		}
		if err := r.digest(ctx); err != nil {
			return err
		}
		if err := r.saveRates(ctx); err != nil {
			return err
		}
		return w.done(ctx)
	})
	if err != nil {
		return false, err
	}
	s.noticed = at
	s.o.Report(did)
	return more, nil
}

// round is one Notify.
type round struct {
	*writer
	did     *Report
	held    *notify.Held // nil: not read yet
	changed bool         // held is not as stored
	buckets map[string]*notify.Bucket
}

func (r *round) groups(ctx context.Context) (more bool, err error) {
	due, err := r.due(ctx)
	if err != nil {
		return false, err
	}
	for i := range due {
		if err := r.group(ctx, &due[i]); err != nil {
			return false, err
		}
	}
	return len(due) == maxDue, nil
}

func (r *round) due(ctx context.Context) (all []group, err error) {
	rows, err := r.tx.QueryContext(ctx, `SELECT name, client, opened, looked, notified, changed, fresh FROM groups WHERE due <= ? ORDER BY due, name LIMIT ?`,
		r.now.UnixMilli(), maxDue)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var g group
		if err := rows.Scan(&g.name, &g.client, scanTime{&g.Opened}, scanTime{&g.Looked}, scanTime{&g.Notified}, scanTime{&g.changed}, &g.New); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, rows.Err()
}

// group decides for one group.
func (r *round) group(ctx context.Context, g *group) error {
	if !g.New && r.now.Sub(g.changed) >= forget {
		_, err := r.tx.ExecContext(ctx, `DELETE FROM groups WHERE name = ?`, g.name)
		return err
	}
	n := r.o.Notify
	d := notify.Decide(n.Timing, g.Group, n.Windows, r.now)
	if !d.Send {
		return r.saveGroup(ctx, g, d.Next)
	}
	left := false
	var err error
	if d.Reason == notify.Repeat {
		err = r.repeat(ctx, g)
	} else {
		left, err = r.tell(ctx, g)
	}
	if err != nil {
		return err
	}
	if left { // more than one round lists: at once
		return r.saveGroup(ctx, g, r.now)
	}
	g.Looked, g.Notified, g.New = r.now, r.now, false
	return r.saveGroup(ctx, g, notify.Decide(n.Timing, g.Group, n.Windows, r.now).Next)
}

// tell adds what is new in a group to the outbox, or to the digest where a rate is
// used up. Either way it is settled.
func (r *round) tell(ctx context.Context, g *group) (left bool, err error) {
	fresh, err := r.fresh(ctx, g)
	if err != nil {
		return false, err
	}
	for i := range fresh {
		a := &fresh[i]
		over := notify.OverList
		if i < maxTold {
			if over, err = r.take(ctx, a.Client); err != nil {
				return false, err
			}
		}
		told := int64(0)
		if over == "" {
			told = r.now.UnixMilli()
			err = r.send(ctx, a.ID, fmt.Sprintf("%s-%d", a.ID, a.Sequence))
		} else {
			err = r.hold(ctx, &a.Alert, over)
		}
		if err == nil {
			_, err = r.tx.ExecContext(ctx, `UPDATE alerts SET settled = sequence, told_at = ? WHERE id = ?`, told, a.ID)
		}
		if err != nil {
			return false, err
		}
	}
	return len(fresh) == maxListed, nil
}

// fresh are the alerts of a group with a state that is not settled, gravest first.
func (r *round) fresh(ctx context.Context, g *group) (all []kept, err error) {
	rows, err := r.tx.QueryContext(ctx, `SELECT id, sequence, settled, kind, severity FROM alerts WHERE grouped = ? AND settled < sequence
		ORDER BY severity DESC, first_seen, id LIMIT ?`, g.name, maxListed)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		a := kept{Alert: notify.Alert{Client: g.client}}
		if err := rows.Scan(&a.ID, &a.Sequence, &a.Told, &a.Kind, &a.score); err != nil {
			return nil, err
		}
		a.Severity = severityOf(a.score)
		all = append(all, a)
	}
	return all, rows.Err()
}

// send adds the last state of an alert to the outbox.
func (r *round) send(ctx context.Context, alert, id string) error {
	e := outbox.Entry{ID: id}
	if err := r.tx.QueryRowContext(ctx, `SELECT document FROM alerts WHERE id = ?`, alert).Scan(&e.Data); err != nil {
		return err
	}
	if err := r.makeRoom(ctx, r.tx, int64(len(e.Data))+1024, r.o.MaxBytes, r.did); err != nil {
		return err
	}
	added, err := r.add(ctx, forNotified, &e)
	if added {
		r.did.Notified++
	}
	return err
}

// repeat says again what a group's last notification said and what is still open
// of it. The document is the same; its id in the outbox has the time behind it.
func (r *round) repeat(ctx context.Context, g *group) error {
	rows, err := r.tx.QueryContext(ctx, `SELECT id, sequence FROM alerts WHERE grouped = ? AND told_at > 0 AND told_at = ? AND `+stateNow+` = 'open' ORDER BY id LIMIT ?`,
		g.name, stored(g.Notified), r.now.UnixMilli(), maxTold)
	if err != nil {
		return err
	}
	defer rows.Close()
	type row struct {
		id       string
		sequence int64
	}
	var all []row
	for rows.Next() {
		var one row
		if err := rows.Scan(&one.id, &one.sequence); err != nil {
			return err
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, one := range all {
		over, err := r.take(ctx, g.client)
		if err == nil && over == "" { // what is only said again need not be in a digest
			err = r.send(ctx, one.id, fmt.Sprintf("%s-%d~%d", one.id, one.sequence, r.now.Unix()))
		}
		if err == nil {
			_, err = r.tx.ExecContext(ctx, `UPDATE alerts SET told_at = ? WHERE id = ?`, r.now.UnixMilli(), one.id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hold adds an alert to the digest.
func (r *round) hold(ctx context.Context, a *notify.Alert, over notify.Over) error {
	if err := r.readHeld(ctx); err != nil {
		return err
	}
	r.held.Add(a, over, r.now)
	r.did.Held++
	r.changed = true
	return nil
}

func (r *round) readHeld(ctx context.Context) error {
	if r.held != nil {
		return nil
	}
	var text []byte
	err := r.tx.QueryRowContext(ctx, `SELECT digest FROM held`).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	r.held = &notify.Held{}
	if err == nil {
		return json.Unmarshal(text, r.held)
	}
	return nil
}

// digest tells what is held back when it is time, and stores what is not told.
func (r *round) digest(ctx context.Context) error {
	if err := r.readHeld(ctx); err != nil {
		return err
	}
	n := r.o.Notify
	if at := r.held.Due(n.Every, n.Windows, r.now); !at.IsZero() && !r.now.Before(at) {
		e := n.Digest(r.held.Take(r.now))
		if err := r.makeRoom(ctx, r.tx, 2*int64(len(e.Data))+1024, r.o.MaxBytes, r.did); err != nil {
			return err
		}
		if _, err := r.add(ctx, forNotified, &e); err != nil {
			return err
		}
		if err := r.addEvery(ctx, &e); err != nil {
			return err
		}
		r.did.Digests++
		r.changed = true
	}
	if !r.changed {
		return nil
	}
	text, err := json.Marshal(r.held)
	if err != nil {
		return err
	}
	_, err = r.tx.ExecContext(ctx, `INSERT OR REPLACE INTO held (one, digest) VALUES (1, ?)`, text)
	return err
}
