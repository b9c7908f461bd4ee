// Package store keeps alerts in SQLite: an outbox.Outbox with a cursor for each
// sink, the last state of every alert, to be searched and worked with, and when
// people are to hear of it. What Append returned for is on disk (WAL, synchronous
// FULL). The package must never drop what was not notified or what a sink has not
// passed: when there is no room, Append fails and its caller waits.
//
// No column holds a byte of a secret: the documents have none. Times are UTC in
// milliseconds since 1970.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Defaults of Options.
const (
	DefaultMaxBytes = 4 << 30
	DefaultKeep     = 90 * 24 * time.Hour
)

// Options configure a Store.
type Options struct {
	// Path of the database; beside it SQLite keeps Path-wal and Path-shm.
	Path string
	// Readers are the sinks' names. A new one begins behind the last document; one
	// that is no longer listed is forgotten. Nil leaves the readers as they are.
	Readers []string
	// EveryState are those of the Readers that get every state of every alert; the
	// others get what is notified.
	EveryState []string
	// Notify says when alerts are notified; nil: every state is, at once.
	Notify *Notifying
	// Report is told what Append and Notify did besides; may be nil.
	Report func(Report)
	// MaxBytes bounds the database; 0: DefaultMaxBytes.
	MaxBytes int64
	// Keep is how long documents stay that every sink has passed, for searches; 0:
	// DefaultKeep. When MaxBytes is reached the oldest of them go earlier.
	Keep time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Report is what happened to alerts besides being stored and sent.
type Report struct {
	// Suppressed is the number of detections of traffic that nobody is told of.
	Suppressed int64
	// Forgotten is the number of alerts deleted before their time, for want of room.
	// Their readers had them.
	Forgotten int64
	// Notified, Held and Digests are the numbers of alerts that were told, of those
	// left to a digest, and of digests.
	Notified, Held, Digests int64
}

// Store is safe for concurrent use, and several processes may open one file.
type Store struct {
	o  Options
	db *sql.DB

	mu sync.Mutex
	// pruned is when what is too old was last looked for.
	pruned time.Time
	// noticed is the time of the last Notify; zero: none yet.
	noticed time.Time
}

var _ outbox.Outbox = (*Store)(nil)

// Open opens or makes the database, and brings an older one up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(Report) {}
	}
	if err := private(o.Path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(o.Path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	s := &Store{o: o, db: db}
	if err := s.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("store: %s: %w", o.Path, broken(err))
	}
	return s, nil
}

// private makes the file, readable by its owner alone, before SQLite would with
// the rights of the umask. A symbolic link is refused.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// synchronous is what makes Append durable. Tests of the logic alone do without.
var synchronous = "FULL"

func dsn(path string) string {
	v := url.Values{"_txlock": {"immediate"}}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(" + synchronous + ")", "foreign_keys(1)", "journal_size_limit(67108864)"} {
		v.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

func (s *Store) prepare(ctx context.Context) error {
	if err := migrate(ctx, s.db); err != nil {
		return err
	}
	if s.o.Readers == nil {
		return nil
	}
	return s.settleReaders(ctx)
}

// settleReaders gives new readers a cursor and forgets those no longer listed.
func (s *Store) settleReaders(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		listed := map[string]bool{}
		for _, reader := range s.o.Readers {
			listed[reader] = true
			if err := s.catchUp(ctx, tx, reader); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO readers (name, at, audience) VALUES (?, (SELECT coalesce(max(seq), 0) FROM counter), ?)
				ON CONFLICT DO UPDATE SET audience = excluded.audience`, reader, s.audienceOf(reader)); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, `SELECT name FROM readers`)
		if err != nil {
			return err
		}
		names, err := texts(rows)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !listed[name] {
				if _, err := tx.ExecContext(ctx, `DELETE FROM readers WHERE name = ?`, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func texts(rows *sql.Rows) (all []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// tx runs fn in a transaction that takes the write lock at once.
func (s *Store) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return broken(err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(broken(err), ignoreDone(tx.Rollback()))
	}
	return broken(tx.Commit())
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// ErrDamaged means that the file is no database of leakveil, or is damaged.
var ErrDamaged = errors.New("the database is damaged, or the file is none: move it away, " +
	"with its -wal and -shm, and begin with a new one (sqlite3 FILE .recover may save what sinks had not taken)")

// broken adds outbox.ErrFull to SQLite's error of a full disk, and ErrDamaged to
// those of a file that cannot be understood.
func broken(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: SQLite code %d", outbox.ErrFull, e.Code())
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w (SQLite code %d)", ErrDamaged, e.Code())
	}
	return err
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }
