package store

import (
	"context"
	"database/sql"
	"errors"
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
	// 3: what people do with alerts, and when they hear of them. Alerts of before
	// count as told: they went to the outbox.
	`CREATE TABLE documents (
		seq INTEGER PRIMARY KEY,
		id TEXT NOT NULL,
		audience TEXT NOT NULL,
		added INTEGER NOT NULL,
		document BLOB NOT NULL,
		UNIQUE (id, audience)
	) STRICT;
	INSERT INTO documents SELECT seq, id, '', added, document FROM outbox;
	DROP TABLE outbox;
	ALTER TABLE documents RENAME TO outbox;
	ALTER TABLE readers ADD COLUMN audience TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN services TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN traffic TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN ends INTEGER;
	ALTER TABLE alerts ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
	ALTER TABLE alerts ADD COLUMN state_at INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE alerts ADD COLUMN state_by TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN note TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN grouped TEXT NOT NULL DEFAULT '';
	ALTER TABLE alerts ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE alerts ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
	UPDATE alerts SET settled = sequence, services = coalesce((SELECT char(31) || group_concat(value, char(31)) || char(31)
		FROM json_each(CAST(document AS TEXT), '$.service.name')), '');
	CREATE INDEX alerts_fresh ON alerts (grouped) WHERE settled < sequence;
	CREATE INDEX alerts_told ON alerts (grouped, told_at) WHERE told_at > 0;
	CREATE TABLE groups (
		name TEXT PRIMARY KEY,
		client TEXT NOT NULL,
		opened INTEGER NOT NULL,
		looked INTEGER NOT NULL,
		notified INTEGER NOT NULL,
		changed INTEGER NOT NULL,
		fresh INTEGER NOT NULL,
		due INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE INDEX groups_due ON groups (due);
	CREATE TABLE rates (client TEXT PRIMARY KEY, left REAL NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE held (one INTEGER PRIMARY KEY CHECK (one = 1), digest BLOB NOT NULL) STRICT;`,
	// 4: the rule, which names the vendor whose call ends the value.
	`ALTER TABLE alerts ADD COLUMN rule TEXT NOT NULL DEFAULT '';
	UPDATE alerts SET rule = coalesce(json_extract(CAST(document AS TEXT), '$.rule.id'), '');`,
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
	if version == 0 {
		if err := empty(ctx, tx); err != nil {
			return false, err
		}
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

// empty refuses a database that something else has made.
func empty(ctx context.Context, tx *sql.Tx) error {
	var tables int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return errors.New("is the database of another program")
	}
	return nil
}
