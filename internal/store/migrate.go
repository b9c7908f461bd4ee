package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a database from version n to n+1, the version being SQLite's
// user_version. A released one is never changed: a database that has run it would
// differ from one that runs it now.
var migrations = []string{
	// 1: the outbox.
	`CREATE TABLE counter (seq INTEGER NOT NULL);
	INSERT INTO counter VALUES (0);
	CREATE TABLE outbox (
		seq INTEGER PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		added INTEGER NOT NULL,
		document BLOB NOT NULL
	) STRICT;
	CREATE TABLE readers (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE dead (
		reader TEXT NOT NULL,
		id TEXT NOT NULL,
		reason TEXT NOT NULL,
		at INTEGER NOT NULL,
		document BLOB NOT NULL,
		PRIMARY KEY (reader, id)
	) STRICT;`,
	// 2: the last state of each alert, for searches.
	`CREATE TABLE alerts (
		id TEXT PRIMARY KEY,
		sequence INTEGER NOT NULL,
		client TEXT NOT NULL,
		kind TEXT NOT NULL,
		severity INTEGER NOT NULL,
		first_seen INTEGER NOT NULL,
		last_seen INTEGER NOT NULL,
		document BLOB NOT NULL
	) STRICT;
	CREATE INDEX alerts_last_seen ON alerts (last_seen);
	CREATE INDEX alerts_client ON alerts (client, last_seen);`,
}

// migrate runs what a database lacks, each step in a transaction. A database of
// a newer version is refused: it may say things that this version would lose.
func migrate(ctx context.Context, db *sql.DB) error {
	for {
		done, err := migrateOne(ctx, db)
		if done || err != nil {
			return err
		}
	}
}

func migrateOne(ctx context.Context, db *sql.DB) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil || done {
			_ = tx.Rollback()
		}
	}()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return false, err
	}
	if version == len(migrations) {
		return true, nil
	}
	if version > len(migrations) {
		return false, fmt.Errorf("is of version %d, and this leakveil knows %d: use a newer one", version, len(migrations))
	}
	if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return false, err
	}
	return false, tx.Commit()
}
