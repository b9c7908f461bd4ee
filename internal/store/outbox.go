package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
)

// pruneEvery is how often documents that are too old are looked for.
const pruneEvery = 10 * time.Minute

// Append implements outbox.Outbox. A document whose id is there already is left
// out, so that what is handed over again after a crash is not sent again.
func (s *Store) Append(ctx context.Context, entries []outbox.Entry) error {
	if err := outbox.Check(entries); err != nil || len(entries) == 0 {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.makeRoom(ctx, tx, entries); err != nil {
			return err
		}
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT seq FROM counter`).Scan(&last); err != nil {
			return err
		}
		for i := range entries {
			e := &entries[i]
			result, err := tx.ExecContext(ctx, `INSERT INTO outbox (seq, id, added, document) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				last+1, e.ID, s.o.Now().UnixMilli(), blob(e.Data))
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			last++
			if err := keepAlert(ctx, tx, e.Data); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE counter SET seq = ?`, last)
		return err
	})
}

// blob is never NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// makeRoom deletes documents that every reader has passed: those that are older
// than they are kept and, when there is no room, the oldest of all.
func (s *Store) makeRoom(ctx context.Context, tx *sql.Tx, entries []outbox.Entry) error {
	const passed = `seq <= (SELECT coalesce(min(at), (SELECT seq FROM counter)) FROM readers)`
	now := s.o.Now()
	if now.Sub(s.pruned) >= pruneEvery {
		limit := now.Add(-s.o.Keep).UnixMilli()
		if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE added < ? AND `+passed, limit); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM alerts WHERE last_seen < ?`, limit); err != nil {
			return err
		}
		s.pruned = now
	}
	need := int64(0)
	for i := range entries {
		need += 2*int64(len(entries[i].Data)) + 512 // the document stands in two tables
	}
	for {
		used, err := s.used(ctx, tx)
		if err != nil || used+need <= s.o.MaxBytes {
			return err
		}
		freed, err := remove(ctx, tx,
			`DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE `+passed+` ORDER BY seq LIMIT 1000)`,
			// searches lose their oldest alerts before sinks lose anything
			`DELETE FROM alerts WHERE id IN (SELECT id FROM alerts ORDER BY last_seen LIMIT 1000)`)
		if err != nil {
			return err
		}
		if !freed {
			return outbox.ErrFull
		}
	}
}

// remove runs statements until one deletes something.
func remove(ctx context.Context, tx *sql.Tx, statements ...string) (bool, error) {
	for _, statement := range statements {
		result, err := tx.ExecContext(ctx, statement)
		if err != nil {
			return false, err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
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

// keepAlert notes an alert's state unless a later one is there. Documents that
// are no alerts have none.
func keepAlert(ctx context.Context, tx *sql.Tx, document []byte) error {
	var doc struct {
		Event struct {
			Severity   int
			Start, End time.Time
		}
		Leakveil struct {
			Kind   string
			Client struct{ ID string }
			Alert  struct {
				ID       string
				Sequence int64
			}
		}
	}
	if json.Unmarshal(document, &doc) != nil || doc.Leakveil.Alert.ID == "" {
		return nil
	}
	l := doc.Leakveil
	_, err := tx.ExecContext(ctx, `INSERT INTO alerts (id, sequence, client, kind, severity, first_seen, last_seen, document)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, client = excluded.client, kind = excluded.kind, severity = excluded.severity,
			first_seen = excluded.first_seen, last_seen = excluded.last_seen, document = excluded.document
		WHERE excluded.sequence > alerts.sequence`,
		l.Alert.ID, l.Alert.Sequence, l.Client.ID, l.Kind, doc.Event.Severity, doc.Event.Start.UnixMilli(), doc.Event.End.UnixMilli(), document)
	return err
}

// Read implements outbox.Outbox.
func (s *Store) Read(ctx context.Context, after int64, limit, maxBytes int) (out []outbox.Entry, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, id, document FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e outbox.Entry
		if err := rows.Scan(&e.Seq, &e.ID, &e.Data); err != nil {
			return nil, err
		}
		if maxBytes -= len(e.Data); maxBytes < 0 && len(out) > 0 {
			return out, nil
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// Cursor implements outbox.Outbox.
func (s *Store) Cursor(ctx context.Context, reader string) (at int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT at FROM readers WHERE name = ?`, reader).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("store: no reader of the name %q", reader)
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
			return errors.Join(err, fmt.Errorf("store: no reader of the name %q", reader))
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

// Letter is a dead letter.
type Letter struct {
	outbox.Dead
	Reader string
	At     time.Time
}

// Dead returns the dead letters, oldest first, at most limit. They are kept until
// Forget: somebody has to look at them.
func (s *Store) Dead(ctx context.Context, limit int) (all []Letter, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT reader, id, reason, at, document FROM dead ORDER BY at, reader, id LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l Letter
		var at int64
		if err := rows.Scan(&l.Reader, &l.ID, &l.Reason, &at, &l.Data); err != nil {
			return nil, err
		}
		l.At = time.UnixMilli(at).UTC()
		all = append(all, l)
	}
	return all, rows.Err()
}

// Forget deletes a dead letter.
func (s *Store) Forget(ctx context.Context, reader, id string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM dead WHERE reader = ? AND id = ?`, reader, id)
		return err
	})
}
