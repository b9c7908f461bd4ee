package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Client is what the alerts of one client that fit a filter come to.
type Client struct {
	ID string // empty: alerts whose client is not known
	Leaks
	Services []string
	// By are the kinds and rules that leaked.
	By []Leak
}

// Leaks are numbers of alerts.
type Leaks struct {
	Alerts, Detections  int64
	Severity            string // the highest
	FirstSeen, LastSeen time.Time
	score               int
}

// Leak is what leaked of a kind, found by a rule.
type Leak struct {
	Kind, Rule string
	Leaks
}

func (l *Leaks) add(m Leaks) {
	l.Alerts += m.Alerts
	l.Detections += m.Detections
	if m.score >= l.score {
		l.score, l.Severity = m.score, severityOf(m.score)
	}
	if l.FirstSeen.IsZero() || m.FirstSeen.Before(l.FirstSeen) {
		l.FirstSeen = m.FirstSeen
	}
	if m.LastSeen.After(l.LastSeen) {
		l.LastSeen = m.LastSeen
	}
}

// Clients sums up the alerts that fit by client, the gravest first, and the latest
// first among those. The filter's limit is that of clients.
func (s *Store) Clients(ctx context.Context, f Filter) (all []Client, err error) {
	where, args := s.conditions(f)
	rows, err := s.db.QueryContext(ctx, `SELECT client, kind, rule, services, count(*), sum(sequence), max(severity), min(first_seen), max(last_seen)
		FROM alerts WHERE `+where+` GROUP BY client, kind, rule, services ORDER BY client, kind, rule`, args...)
	if err != nil {
		return nil, broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, services string
		var l Leak
		if err := rows.Scan(&id, &l.Kind, &l.Rule, &services, &l.Alerts, &l.Detections, &l.score, scanTime{&l.FirstSeen}, scanTime{&l.LastSeen}); err != nil {
			return nil, broken(err)
		}
		l.Severity = severityOf(l.score)
		if len(all) == 0 || all[len(all)-1].ID != id {
			all = append(all, Client{ID: id})
		}
		all[len(all)-1].add(l, services)
	}
	if err := rows.Err(); err != nil {
		return nil, broken(err)
	}
	slices.SortStableFunc(all, func(a, b Client) int {
		return cmp.Or(cmp.Compare(b.score, a.score), b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	if f.Limit > 0 && len(all) > f.Limit {
		all = all[:f.Limit]
	}
	return all, nil
}

func (c *Client) add(l Leak, services string) {
	c.Leaks.add(l.Leaks)
	if last := len(c.By) - 1; last >= 0 && c.By[last].Kind == l.Kind && c.By[last].Rule == l.Rule {
		c.By[last].add(l.Leaks)
	} else {
		c.By = append(c.By, l)
	}
	for name := range strings.SplitSeq(strings.Trim(services, separator), separator) {
		if at, found := slices.BinarySearch(c.Services, name); !found && name != "" {
			c.Services = slices.Insert(c.Services, at, name)
		}
	}
}
