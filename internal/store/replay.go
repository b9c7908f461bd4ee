package store

import (
	"context"
	"database/sql"
	"errors"
)

// Replay gives one reader the last state of each alert that fits once more, and
// returns how many.
func (s *Store) Replay(ctx context.Context, reader string, f Filter) (n int, err error) {
	where, args := s.conditions(f)
	err = s.again(ctx, reader, `SELECT id || '-' || sequence AS id, document FROM alerts WHERE `+where+` ORDER BY last_seen, id`, args, &n)
	return n, err
}

// ReplayDead gives one reader its dead letters once more, and forgets them.
func (s *Store) ReplayDead(ctx context.Context, reader string) (n int, err error) {
	err = s.again(ctx, reader, `SELECT id, document FROM dead WHERE reader = ? ORDER BY at, id`, []any{reader}, &n,
		`DELETE FROM dead WHERE reader = ?`)
	return n, err
}

// again adds what a query finds to the outbox, for one reader, all or nothing.
func (s *Store) again(ctx context.Context, reader, query string, args []any, n *int, then ...string) error {
	if _, err := s.Cursor(ctx, reader); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		added, err := s.addFor(ctx, tx, reader, query, args...)
		if err != nil {
			return err
		}
		for _, statement := range then {
			if _, err := tx.ExecContext(ctx, statement, reader); err != nil {
				return err
			}
		}
		*n = int(added)
		return nil
	})
}

// addFor adds the ids and documents that a query finds to the outbox, for one reader.
func (s *Store) addFor(ctx context.Context, tx *sql.Tx, reader, query string, args ...any) (added int64, err error) {
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT seq FROM counter`).Scan(&last); err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO outbox (seq, id, audience, added, document)
		SELECT ? + row_number() OVER (), id, ?, ?, document FROM (`+query+`)`,
		append([]any{last, "sink:" + reader, s.o.Now().UnixMilli()}, args...)...)
	if err != nil {
		return 0, err
	}
	if added, err = result.RowsAffected(); err != nil || added == 0 {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE counter SET seq = ?`, last+added)
	return added, err
}

// catchUp gives a reader of what is notified, which is to get every state from now
// on, what it would get no more: what waits for it, and what is not notified yet.
// For a reader of another kind, or one that is not there, it does nothing.
func (s *Store) catchUp(ctx context.Context, tx *sql.Tx, reader string) error {
	if s.audienceOf(reader) != forEveryState {
		return nil
	}
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT at FROM readers WHERE name = ? AND audience = ?`, reader, forNotified).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.addFor(ctx, tx, reader, `SELECT id, document FROM (
			SELECT seq, id, document FROM outbox WHERE audience = ? AND seq > ?
			UNION ALL SELECT 1 << 62, id || '-' || sequence, document FROM alerts WHERE settled < sequence
		) AS missed WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = missed.id AND audience = ? AND outbox.seq > ?) ORDER BY seq`,
		forNotified, at, forEveryState, at)
	return err
}
