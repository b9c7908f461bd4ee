package store

import (
	"context"
	"strings"
	"time"
)

// Filter says which alerts are looked for; what is empty does not matter.
type Filter struct {
	Client, Kind string
	// MinSeverity is a number from 0 to 100.
	MinSeverity int
	// Since and Until bound the event time of the last detection, Until excluded.
	Since, Until time.Time
	// Limit is the most that is returned; 0: 1000.
	Limit int
}

// Alerts returns the last state of each alert that fits, as documents, the latest
// first.
func (s *Store) Alerts(ctx context.Context, f Filter) (documents [][]byte, err error) {
	where, args := []string{"severity >= ?"}, []any{f.MinSeverity}
	add := func(condition string, value any) { where, args = append(where, condition), append(args, value) }
	if f.Client != "" {
		add("client = ?", f.Client)
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if !f.Since.IsZero() {
		add("last_seen >= ?", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		add("last_seen < ?", f.Until.UnixMilli())
	}
	if f.Limit <= 0 {
		f.Limit = 1000
	}
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM alerts WHERE `+strings.Join(where, " AND ")+` ORDER BY last_seen DESC, id LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var document []byte
		if err := rows.Scan(&document); err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, rows.Err()
}
