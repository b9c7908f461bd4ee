// Package store keeps alerts in SQLite: an outbox.Outbox with a cursor for each
// sink, and the last state of every alert, to be searched. What Append returned
// for is on disk (WAL, synchronous FULL). The package must never drop what a sink
// has not passed: when there is no room, Append fails and its caller waits.
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
	"strconv"
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
	// MaxBytes bounds the database; 0: DefaultMaxBytes.
	MaxBytes int64
	// Keep is how long documents stay that every sink has passed, for searches; 0:
	// DefaultKeep. When MaxBytes is reached the oldest of them go earlier.
	Keep time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Store is safe for concurrent use, and several processes may open one file.
type Store struct {
	o  Options
	db *sql.DB

	mu sync.Mutex
	// pruned is when what is too old was last looked for.
	pruned time.Time
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
		return nil, fmt.Errorf("store: %s: %w", o.Path, err)
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

func dsn(path string) string {
	v := url.Values{"_txlock": {"immediate"}}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)"} {
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
			if _, err := tx.ExecContext(ctx, `INSERT INTO readers (name, at) VALUES (?, (SELECT coalesce(max(seq), 0) FROM counter)) ON CONFLICT DO NOTHING`, reader); err != nil {
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
		return full(err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(full(err), ignoreDone(tx.Rollback()))
	}
	return full(tx.Commit())
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// full adds outbox.ErrFull to SQLite's error of a full disk.
func full(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w: SQLite code %s", outbox.ErrFull, strconv.Itoa(e.Code()))
	}
	return err
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }
