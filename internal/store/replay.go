package store

import (
	"context"
	"database/sql"
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
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT seq FROM counter`).Scan(&last); err != nil {
			return err
		}
		audience := "sink:" + reader
		result, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO outbox (seq, id, audience, added, document)
			SELECT ? + row_number() OVER (), id, ?, ?, document FROM (`+query+`)`,
			append([]any{last, audience, s.o.Now().UnixMilli()}, args...)...)
		if err != nil {
			return err
		}
		added, err := result.RowsAffected()
		if err != nil {
			return err
		}
		for _, statement := range then {
			if _, err := tx.ExecContext(ctx, statement, reader); err != nil {
				return err
			}
		}
		*n = int(added)
		_, err = tx.ExecContext(ctx, `UPDATE counter SET seq = ?`, last+added)
		return err
	})
}
