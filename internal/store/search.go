package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Filter says which alerts are looked for; what is empty does not matter.
type Filter struct {
	// IDs are those of alerts, or how they begin.
	IDs []string
	// Client is an id; "unknown" finds alerts that name none.
	Client, Kind, Service string
	States                []string
	// MinSeverity is a number from 0 to 100.
	MinSeverity int
	// Since and Until bound the event time of the last detection, Until excluded.
	Since, Until time.Time
	// Synthetic finds traffic of tests alone; without it that is left out.
	Synthetic bool
	// Limit is the most that is returned; 0: 1000; below 0: no limit.
	Limit int
}

// UnknownClient stands for alerts whose client is not known.
const UnknownClient = "unknown"

// conditions are the filter's as SQL.
func (s *Store) conditions(f Filter) (where string, args []any) {
	all := []string{"severity >= ?", "(traffic = 'synthetic') = ?"}
	args = []any{f.MinSeverity, f.Synthetic}
	add := func(condition string, values ...any) { all, args = append(all, condition), append(args, values...) }
	switch f.Client {
	case "":
	case UnknownClient:
		add("client = ''")
	default:
		add("client = ?", f.Client)
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if f.Service != "" {
		add("instr(services, ?) > 0", separator+f.Service+separator)
	}
	if !f.Since.IsZero() {
		add("last_seen >= ?", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		add("last_seen < ?", f.Until.UnixMilli())
	}
	if len(f.States) > 0 {
		values := []any{s.o.Now().UnixMilli()}
		for _, state := range f.States {
			values = append(values, state)
		}
		add(stateNow+" IN (?"+strings.Repeat(", ?", len(f.States)-1)+")", values...)
	}
	if len(f.IDs) > 0 {
		var any []string
		for _, id := range f.IDs {
			any, args = append(any, "substr(id, 1, length(?)) = ?"), append(args, id, id)
		}
		all = append(all, "("+strings.Join(any, " OR ")+")")
	}
	return strings.Join(all, " AND "), args
}

const columns = `id, sequence, client, kind, severity, services, traffic, first_seen, last_seen, coalesce(ends, 0), ` + stateNow + `, state_at, state_by, note, settled, document`

// Each calls fn with the last state of each alert that fits, the latest first. fn
// must not use the store. An error of fn ends it and is returned.
func (s *Store) Each(ctx context.Context, f Filter, fn func(*Alert) error) error {
	where, args := s.conditions(f)
	switch {
	case f.Limit == 0:
		f.Limit = 1000
	case f.Limit < 0:
		f.Limit = -1 // SQLite's word for none
	}
	args = append(append([]any{s.o.Now().UnixMilli()}, args...), f.Limit)
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM alerts WHERE `+where+` ORDER BY last_seen DESC, id LIMIT ?`, args...)
	if err != nil {
		return broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Alert
		var score int
		var services string
		if err := rows.Scan(&a.ID, &a.Sequence, &a.Client, &a.Kind, &score, &services, &a.Traffic, scanTime{&a.FirstSeen}, scanTime{&a.LastSeen},
			scanTime{&a.Ends}, &a.State, scanTime{&a.StateAt}, &a.StateBy, &a.Note, &a.Told, &a.Document); err != nil {
			return broken(err)
		}
		a.Severity = severityOf(score)
		if services != "" {
			a.Services = strings.Split(strings.Trim(services, separator), separator)
		}
		if err := fn(&a); err != nil {
			return err
		}
	}
	return broken(rows.Err())
}

// Alerts returns what Each finds.
func (s *Store) Alerts(ctx context.Context, f Filter) (all []Alert, err error) {
	err = s.Each(ctx, f, func(a *Alert) error { all = append(all, *a); return nil })
	return all, err
}

// Alert returns one alert by its id, or by how the id begins where one alone does.
func (s *Store) Alert(ctx context.Context, id string) (*Alert, error) {
	if id == "" {
		return nil, ErrNoAlert
	}
	var found []Alert
	for _, synthetic := range []bool{false, true} {
		some, err := s.Alerts(ctx, Filter{IDs: []string{id}, Synthetic: synthetic, Limit: 2})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%s: %w", id, ErrNoAlert)
	case 1:
		return &found[0], nil
	}
	for i := range found {
		if found[i].ID == id {
			return &found[i], nil
		}
	}
	return nil, fmt.Errorf("%s: %w", id, ErrSeveral)
}

// ErrSeveral means that more than one id begins so.
var ErrSeveral = errors.New("more than one alert has an id that begins so")

// Counts are numbers of the whole store.
type Counts struct {
	// Alerts and Detections are those that are stored, synthetic ones left out.
	Alerts, Detections int64
	// Synthetic is the number of detections of traffic of tests.
	Synthetic int64
	// Waiting is the number of alerts with a state that nobody was told of yet.
	Waiting int64
}

// Counts counts what is stored.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(sum(traffic <> 'synthetic'), 0), coalesce(sum(CASE traffic WHEN 'synthetic' THEN 0 ELSE sequence END), 0),
		coalesce(sum(CASE traffic WHEN 'synthetic' THEN sequence ELSE 0 END), 0), coalesce(sum(settled < sequence), 0) FROM alerts`).
		Scan(&c.Alerts, &c.Detections, &c.Synthetic, &c.Waiting)
	return c, broken(err)
}

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
