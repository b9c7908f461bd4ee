package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Letter is a dead letter.
type Letter struct {
	outbox.Dead
	Reader string
	At     time.Time
}

// Dead returns the dead letters, oldest first, at most limit. They are kept until
// ReplayDead or ForgetDead: somebody has to look at them.
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

// ForgetDead deletes the dead letters of one reader, also of one that is no longer
// there, and returns how many.
func (s *Store) ForgetDead(ctx context.Context, reader string) (n int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		n, err = remove(ctx, tx, `DELETE FROM dead WHERE reader = ?`, reader)
		return err
	})
	return n, err
}
