package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
)

// The names of rates: one of all, and each client's behind a prefix.
const (
	rateOfAll    = "all"
	rateOfClient = "client:"
)

// take asks the rates for one alert of a client.
func (r *round) take(ctx context.Context, client string) (notify.Over, error) {
	n := r.o.Notify
	own, global := &notify.Bucket{}, &notify.Bucket{}
	var err error
	if n.Global.Count > 0 {
		if global, err = r.bucket(ctx, rateOfAll); err != nil {
			return "", err
		}
	}
	if n.Client.Count > 0 {
		if own, err = r.bucket(ctx, rateOfClient+client); err != nil {
			return "", err
		}
	}
	return notify.Take(n.Client, n.Global, own, global, r.now), nil
}

// bucket returns what is left of a rate.
func (r *round) bucket(ctx context.Context, name string) (*notify.Bucket, error) {
	if b := r.buckets[name]; b != nil {
		return b, nil
	}
	b := &notify.Bucket{}
	err := r.tx.QueryRowContext(ctx, `SELECT left, at FROM rates WHERE client = ?`, name).Scan(&b.Left, scanTime{&b.At})
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
		if name != rateOfAll && name != rateOfClient {
			room := false
			if room, err = r.roomForRates(ctx); err == nil && !room {
				return r.bucket(ctx, rateOfClient) // no client has this name
			}
		}
	}
	if err != nil {
		return nil, err
	}
	r.buckets[name] = b
	return b, nil
}

// roomForRates reports whether one more rate may be remembered. It forgets those
// that are full again when there are too many.
func (r *round) roomForRates(ctx context.Context) (bool, error) {
	count := func() (n int, err error) {
		err = r.tx.QueryRowContext(ctx, `SELECT count(*) FROM rates`).Scan(&n)
		return n + len(r.buckets), err
	}
	n, err := count()
	if err != nil || n < maxRates {
		return err == nil, err
	}
	per := max(r.o.Notify.Client.Per, r.o.Notify.Global.Per)
	if _, err := r.tx.ExecContext(ctx, `DELETE FROM rates WHERE at < ?`, r.now.Add(-per).UnixMilli()); err != nil {
		return false, err
	}
	n, err = count()
	return n < maxRates, err
}

func (r *round) saveRates(ctx context.Context) error {
	for name, b := range r.buckets {
		if _, err := r.tx.ExecContext(ctx, `INSERT OR REPLACE INTO rates (client, left, at) VALUES (?, ?, ?)`, name, b.Left, stored(b.At)); err != nil {
			return err
		}
	}
	return nil
}

// stored is a time as the tables have it, 0 for the zero time.
func stored(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// scanTime reads what stored wrote.
type scanTime struct{ to *time.Time }

// Scan implements sql.Scanner.
func (s scanTime) Scan(value any) error {
	ms, ok := value.(int64)
	if !ok && value != nil {
		return fmt.Errorf("store: a time is %T", value)
	}
	*s.to = clock(ms)
	return nil
}
