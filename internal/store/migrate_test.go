package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/outbox/outboxtest"
)

// filled is what a program of each version may have left: two documents, of which
// the sink has the first, and from version 2 on an alert.
var filled = []string{
	1: `UPDATE counter SET seq = 7; INSERT INTO readers VALUES ('a', 6);
		INSERT INTO outbox VALUES (6, 'x-1', 1, x'7b7d'), (7, 'x-2', 1, x'7b7d')`,
	2: `INSERT INTO alerts VALUES ('x', 2, 'shop', 'jwt', 73, 5, 4000000000000, CAST(? AS BLOB))`,
	3: `INSERT INTO groups VALUES ('["shop"]', 'shop', 1, 2, 3, 4, 0, 5); INSERT INTO rates VALUES ('all', 2.5, 7)`,
	4: ``,
}

const oldAlert = `{"event":{"severity":73},"rule":{"id":"github-oauth-token"},"service":{"name":["login","web"]},
	"leakveil":{"kind":"jwt","severity":"high","client":{"id":"shop"},"alert":{"id":"x","sequence":2}}}`

// old makes a database as the program of a version did.
func old(t *testing.T, path string, version int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for n := 1; n <= version; n++ {
		if _, err := db.Exec(migrations[n-1] + fmt.Sprintf(";PRAGMA user_version = %d", n)); err != nil {
			t.Fatal(err)
		}
		var args []any
		if strings.Contains(filled[n], "?") {
			args = []any{oldAlert}
		}
		if _, err := db.Exec(filled[n], args...); err != nil {
			t.Fatal(n, err)
		}
	}
}

// A database of each version that was ever written is brought up to date with
// what is in it: no cursor moves, nothing is told twice, alerts are found.
func TestMigrationsFromEveryVersion(t *testing.T) {
	if len(filled) != len(migrations)+1 {
		t.Fatal("say what a database of the new version holds")
	}
	for version := range len(migrations) + 1 {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			old(t, path, version)
			s := open(t, Options{Path: path, Readers: []string{"a"}, Notify: &Notifying{Timing: notify.Timing{Interval: time.Hour}, GroupBy: []string{"client"}}})
			if err := s.Append(t.Context(), outboxtest.Entries(1, 1)); err != nil {
				t.Fatal(err)
			}
			at, err := s.Cursor(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Notify(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := s.View("a").Read(t.Context(), at, 10, 1<<20)
			want := "x-2 id-1"
			if version == 0 {
				want = "id-1"
			}
			var ids []string
			for _, e := range got {
				ids = append(ids, e.ID)
			}
			if err != nil || strings.Join(ids, " ") != want {
				t.Fatalf("%v, not %s (%v)", ids, want, err)
			}
			all, err := s.Alerts(t.Context(), Filter{Client: "shop", Service: "web", States: []string{StateOpen}})
			if err != nil || version >= 2 && (len(all) != 1 || all[0].Rule != "github-oauth-token" || all[0].Told != 2 || len(all[0].Services) != 2) {
				t.Fatalf("%+v %v", all, err)
			}
			if version >= 2 { // the next state of an old alert is news, the old one is not
				if err := s.Append(t.Context(), []outbox.Entry{state("x", 2, "shop", "high", ""), state("x", 3, "shop", "high", "")}); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Notify(t.Context()); err != nil {
					t.Fatal(err)
				}
				got, err = s.View("a").Read(t.Context(), got[len(got)-1].Seq, 10, 1<<20)
				if err != nil || len(got) != 1 || got[0].ID != "x-3" {
					t.Fatalf("%v %v", got, err)
				}
			}
		})
	}
}

func TestANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	if _, err := s.db.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations)+1)); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := Open(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), "use a newer one") {
		t.Fatal(err)
	}
}

// What is no database of leakveil is left alone, and the error says what to do.
func TestDamageIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	text := []byte(strings.Repeat("alerts are not here ", 1000))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Path: path})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "move it away") || !strings.Contains(err.Error(), path) {
		t.Fatal(err)
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != string(text) {
		t.Fatal("the file was changed", err)
	}
}

func TestTheDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE theirs (x)`); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if _, err := Open(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Fatal(err)
	}
}

// Pages that were overwritten in the middle of a good database.
func TestADamagedPageIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path, Readers: []string{"a"}})
	for i := range 20 {
		if err := s.Append(t.Context(), outboxtest.Entries(100*i, 100*i+99)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(4096); at < info.Size(); at += 4096 {
		if _, err := file.WriteAt([]byte(strings.Repeat("\xff", 64)), at); err != nil {
			t.Fatal(err)
		}
	}
	_ = file.Close()
	s, err = Open(t.Context(), Options{Path: path, Readers: []string{"a"}})
	if err == nil {
		_, err = s.Read(t.Context(), 0, 1<<20, 1<<30)
		_ = s.Close()
	}
	if !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}
