package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
)

// pruneEvery is how often documents that are too old are looked for.
const pruneEvery = 10 * time.Minute

// Append implements outbox.Outbox. The state of an alert is for its group to be
// notified of (Notify); any other document, and all without Options.Notify, are
// for the readers at once. What is there already is left out, so that what is
// handed over again after a crash is not sent again.
func (s *Store) Append(ctx context.Context, entries []outbox.Entry) error {
	if err := outbox.Check(entries); err != nil || len(entries) == 0 {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var did Report
	err := s.tx(ctx, func(tx *sql.Tx) error {
		did = Report{}
		need := int64(0)
		for i := range entries {
			need += 2*int64(len(entries[i].Data)) + 1024 // the document stands in two tables
		}
		limit := s.o.MaxBytes
		if s.o.Notify != nil {
			limit -= limit / 8 // notifying needs room, and frees it
		}
		if err := s.makeRoom(ctx, tx, need, limit, &did); err != nil {
			return err
		}
		w, err := s.writer(ctx, tx)
		if err != nil {
			return err
		}
		for i := range entries {
			if err := w.take(ctx, &entries[i], &did); err != nil {
				return err
			}
		}
		return w.done(ctx)
	})
	if err == nil {
		s.o.Report(did)
	}
	return err
}

// writer adds documents to the outbox in one transaction.
type writer struct {
	*Store
	tx     *sql.Tx
	before int64 // position of the last document before
	last   int64
	now    time.Time
}

func (s *Store) writer(ctx context.Context, tx *sql.Tx) (*writer, error) {
	w := &writer{Store: s, tx: tx, now: s.o.Now()}
	err := tx.QueryRowContext(ctx, `SELECT seq FROM counter`).Scan(&w.last)
	w.before = w.last
	return w, err
}

// done notes the last position. Nothing is written where nothing was added: Notify
// looks every second.
func (w *writer) done(ctx context.Context) error {
	if w.last == w.before {
		return nil
	}
	_, err := w.tx.ExecContext(ctx, `UPDATE counter SET seq = ?`, w.last)
	return err
}

// take stores one entry of Append.
func (w *writer) take(ctx context.Context, e *outbox.Entry, did *Report) error {
	a, isAlert := parse(e.Data)
	if !isAlert || w.o.Notify == nil {
		added, err := w.add(ctx, forNotified, e)
		if err == nil && added {
			err = w.addEvery(ctx, e)
		}
		if err == nil && added && isAlert {
			_, err = w.keep(ctx, a)
		}
		return err
	}
	changed, err := w.keep(ctx, a)
	if err != nil || changed == 0 {
		return err
	}
	if a.traffic != "" {
		did.Suppressed += changed
	} else if err := w.touch(ctx, a); err != nil {
		return err
	}
	return w.addEvery(ctx, e)
}

// addEvery adds an entry for the readers of every state, where there are any.
func (w *writer) addEvery(ctx context.Context, e *outbox.Entry) error {
	if len(w.o.EveryState) == 0 {
		return nil
	}
	_, err := w.add(ctx, forEveryState, e)
	return err
}

// add adds an entry for an audience, and reports whether it was not there.
func (w *writer) add(ctx context.Context, audience string, e *outbox.Entry) (bool, error) {
	result, err := w.tx.ExecContext(ctx, `INSERT INTO outbox (seq, id, audience, added, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		w.last+1, e.ID, audience, w.now.UnixMilli(), blob(e.Data))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	w.last += n
	return n > 0, err
}

// blob is never NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// passed is what every reader that a document is for has passed.
const passed = `seq <= (SELECT coalesce(min(at), (SELECT seq FROM counter)) FROM readers
	WHERE readers.audience = outbox.audience OR outbox.audience = 'sink:' || readers.name)`

// oldAlerts deletes alerts that nothing happened to for long. The event time alone
// does not say so: the logs of last year may have been read today.
const oldAlerts = `DELETE FROM alerts WHERE last_seen < ?1 AND settled >= sequence AND state_at < ?1
	AND coalesce(unixepoch(json_extract(CAST(document AS TEXT), '$.event.created')), 0) * 1000 < ?1`

// makeRoom deletes what every reader has passed: what is older than it is kept
// and, when there is no room below limit for need bytes more, the oldest of all.
func (s *Store) makeRoom(ctx context.Context, tx *sql.Tx, need, limit int64, did *Report) error {
	now := s.o.Now()
	if now.Sub(s.pruned) >= pruneEvery {
		old := now.Add(-s.o.Keep).UnixMilli()
		for _, statement := range []string{
			`DELETE FROM outbox WHERE added < ? AND ` + passed,
			oldAlerts,
			`DELETE FROM rates WHERE at < ?`,
		} {
			if _, err := tx.ExecContext(ctx, statement, old); err != nil {
				return err
			}
		}
		s.pruned = now
	}
	for {
		used, err := s.used(ctx, tx)
		if err != nil || used+need <= limit {
			return err
		}
		freed, err := remove(ctx, tx, `DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE `+passed+` ORDER BY seq LIMIT 1000)`)
		if err == nil && freed == 0 { // searches lose their oldest alerts before sinks lose anything
			freed, err = remove(ctx, tx, `DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE settled >= sequence ORDER BY last_seen LIMIT 1000)`)
			did.Forgotten += freed
		}
		if err != nil {
			return err
		}
		if freed == 0 {
			return outbox.ErrFull
		}
	}
}

func remove(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// used is the size of the pages that hold something.
func (s *Store) used(ctx context.Context, tx *sql.Tx) (int64, error) {
	var pages, free, size int64
	for pragma, to := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(to); err != nil {
			return 0, err
		}
	}
	return (pages - free) * size, nil
}

// Size returns how many bytes of the database hold something, and how many may; -1
// when the database does not say.
func (s *Store) Size() (used, limit int64) {
	var pages, free, size int64
	row := s.db.QueryRow("SELECT * FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()")
	if row.Scan(&pages, &free, &size) != nil {
		return -1, s.o.MaxBytes
	}
	return (pages - free) * size, s.o.MaxBytes
}

// Read implements outbox.Outbox, for a reader of what is notified. Other readers
// have a View.
func (s *Store) Read(ctx context.Context, after int64, limit, maxBytes int) ([]outbox.Entry, error) {
	return s.read(ctx, after, limit, maxBytes, forNotified)
}

func (s *Store) read(ctx context.Context, after int64, limit, maxBytes int, audiences ...any) (out []outbox.Entry, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, id, document FROM outbox WHERE seq > ? AND audience IN (?`+strings.Repeat(`, ?`, len(audiences)-1)+`)
		ORDER BY seq LIMIT ?`, append(append([]any{after}, audiences...), limit)...)
	if err != nil {
		return nil, broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e outbox.Entry
		if err := rows.Scan(&e.Seq, &e.ID, &e.Data); err != nil {
			return nil, broken(err)
		}
		if maxBytes -= len(e.Data); maxBytes < 0 && len(out) > 0 {
			return out, nil
		}
		out = append(out, e)
	}
	return out, broken(rows.Err())
}

// ErrNoReader means that the database knows no reader, that is sink, of the name.
var ErrNoReader = errors.New("the database knows no sink of this name; run makes it known")

// Cursor implements outbox.Outbox.
func (s *Store) Cursor(ctx context.Context, reader string) (at int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT at FROM readers WHERE name = ?`, reader).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%q: %w", reader, ErrNoReader)
	}
	return at, err
}

// Advance implements outbox.Outbox, both in one transaction.
func (s *Store) Advance(ctx context.Context, reader string, to int64, dead []outbox.Dead) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE readers SET at = max(at, min(?, (SELECT seq FROM counter))) WHERE name = ?`, to, reader)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("%q: %w", reader, ErrNoReader))
		}
		for i := range dead {
			d := &dead[i]
			if _, err := tx.ExecContext(ctx, `INSERT INTO dead (reader, id, reason, at, document) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at`,
				reader, d.ID, d.Reason, s.o.Now().UnixMilli(), blob(d.Data)); err != nil {
				return err
			}
		}
		return nil
	})
}
