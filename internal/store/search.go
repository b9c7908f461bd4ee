package store

import (
	"context"
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
	// Fingerprint is one that the alert lists.
	Fingerprint string
	States      []string
	// MinSeverity is a number from 0 to 100.
	MinSeverity int
	// Since and Until bound the event time of the last detection, Until excluded.
	Since, Until time.Time
	// Synthetic finds traffic of tests alone; without it that is left out.
	Synthetic bool
	// Limit is the most that is returned; 0: 1000.
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
	if f.Fingerprint != "" {
		add(`EXISTS (SELECT 1 FROM json_each(CAST(document AS TEXT), '$.leakveil.fingerprints') WHERE value = ?)`, f.Fingerprint)
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

const columns = `id, sequence, client, kind, rule, severity, services, traffic, first_seen, last_seen, coalesce(ends, 0), ` + stateNow + `, state_at, state_by, note, settled, told_at, document`

// Alerts returns the last state of each alert that fits, the latest first.
func (s *Store) Alerts(ctx context.Context, f Filter) ([]Alert, error) {
	where, args := s.conditions(f)
	if f.Limit <= 0 {
		f.Limit = 1000
	}
	return s.alerts(ctx, where+` ORDER BY last_seen DESC, id LIMIT ?`, append(args, f.Limit))
}

// page is how many alerts Each reads at once.
const page = 500

// Each calls fn with the last state of each alert that fits, in the order of their
// ids, whatever the filter's limit. It holds no lock while fn runs. An error of fn
// ends it and is returned.
func (s *Store) Each(ctx context.Context, f Filter, fn func(*Alert) error) error {
	where, args := s.conditions(f)
	for last := ""; ; {
		all, err := s.alerts(ctx, where+` AND id > ? ORDER BY id LIMIT ?`, append(args[:len(args):len(args)], last, page))
		if err != nil {
			return err
		}
		for i := range all {
			if err := fn(&all[i]); err != nil {
				return err
			}
		}
		if len(all) < page {
			return nil
		}
		last = all[len(all)-1].ID
	}
}

// alerts reads rows.
func (s *Store) alerts(ctx context.Context, where string, args []any) (all []Alert, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM alerts WHERE `+where, append([]any{s.o.Now().UnixMilli()}, args...)...)
	if err != nil {
		return nil, broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Alert
		var score int
		var services string
		if err := rows.Scan(&a.ID, &a.Sequence, &a.Client, &a.Kind, &a.Rule, &score, &services, &a.Traffic, scanTime{&a.FirstSeen}, scanTime{&a.LastSeen},
			scanTime{&a.Ends}, &a.State, scanTime{&a.StateAt}, &a.StateBy, &a.Note, &a.Told, scanTime{&a.ToldAt}, &a.Document); err != nil {
			return nil, broken(err)
		}
		a.Severity = severityOf(score)
		if services != "" {
			a.Services = strings.Split(strings.Trim(services, separator), separator)
		}
		all = append(all, a)
	}
	return all, broken(rows.Err())
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
