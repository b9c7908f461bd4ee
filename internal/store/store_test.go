package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/outbox/outboxtest"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStoreIsAnOutbox(t *testing.T) {
	outboxtest.Run(t, func(t testing.TB, dir string, readers []string, max int64) outbox.Outbox {
		return open(t, Options{Path: filepath.Join(dir, "a b?#%.db"), Readers: readers, MaxBytes: max})
	})
}

func document(id string, sequence, severity int, client string, last time.Time) outbox.Entry {
	return outbox.Entry{ID: fmt.Sprint(id, "-", sequence), Data: fmt.Appendf(nil,
		`{"event":{"severity":%d,"start":"2026-01-01T00:00:00.000Z","end":%q},"leakveil":{"kind":"jwt","client":{"id":%q},"alert":{"id":%q,"sequence":%d}}}`,
		severity, last.Format(time.RFC3339Nano), client, id, sequence)}
}

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func TestRepeatsAreLeftOut(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db"), Readers: []string{"a"}})
	for range 3 {
		if err := s.Append(t.Context(), outboxtest.Entries(1, 5)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Read(t.Context(), 0, 100, 1<<20)
	if err != nil || len(got) != 5 {
		t.Fatal(len(got), err)
	}
}

func TestTheLastStateOfAnAlertIsFound(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db")})
	entries := []outbox.Entry{
		document("a", 1, 21, "shop", day), document("a", 3, 99, "shop", day.Add(time.Hour)), document("a", 2, 47, "shop", day.Add(time.Minute)),
		document("b", 1, 47, "bank' OR 1=1 --", day.Add(2*time.Hour)), {ID: "skipped", Data: []byte(`{"event":{"module":"leakveil"}}`)}, {ID: "no JSON", Data: []byte(`x`)},
	}
	if err := s.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    Filter
		want string
	}{
		"all":      {Filter{}, "b-1 a-3"},
		"client":   {Filter{Client: "shop"}, "a-3"},
		"quotes":   {Filter{Client: "bank' OR 1=1 --"}, "b-1"},
		"nobody":   {Filter{Client: "x' OR '1'='1"}, ""},
		"severity": {Filter{MinSeverity: 50}, "a-3"},
		"since":    {Filter{Since: day.Add(2 * time.Hour)}, "b-1"},
		"until":    {Filter{Until: day.Add(2 * time.Hour)}, "a-3"},
		"kind":     {Filter{Kind: "password"}, ""},
		"limit":    {Filter{Limit: 1}, "b-1"},
	} {
		documents, err := s.Alerts(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range documents {
			for _, e := range entries {
				if bytes.Equal(d.Document, e.Data) {
					got = append(got, e.ID)
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, not %s", name, got, c.want)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db"), Readers: []string{"a"}, Now: func() time.Time { return day }})
	entry := outboxtest.Entries(1, 1)[0]
	dead := []outbox.Dead{{Entry: entry, Reason: "refused"}}
	for range 2 {
		if err := s.Advance(t.Context(), "a", 0, dead); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Dead(t.Context(), 10)
	if err != nil || len(got) != 1 || got[0].Reader != "a" || got[0].ID != entry.ID || got[0].Reason != "refused" || !got[0].At.Equal(day) || !bytes.Equal(got[0].Data, entry.Data) {
		t.Fatalf("%+v %v", got, err)
	}
	if n, err := s.ForgetDead(t.Context(), "a"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if got, err := s.Dead(t.Context(), 10); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
}

func TestDeadLettersOfASinkThatIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path, Readers: []string{"a", "b"}})
	d := outbox.Dead{Entry: outbox.Entry{ID: "x-1", Data: []byte("{}")}, Reason: "refused"}
	for _, reader := range []string{"a", "b"} {
		if err := s.Advance(t.Context(), reader, 0, []outbox.Dead{d}); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, Options{Path: path, Readers: []string{"b"}})
	if n, err := s.ForgetDead(t.Context(), "a"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if all, err := s.Dead(t.Context(), 10); err != nil || len(all) != 1 || all[0].Reader != "b" {
		t.Fatal(all, err)
	}
}

func TestOldDocumentsGoWhenEverySinkHasThem(t *testing.T) {
	now := day
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db"), Readers: []string{"a", "b"}, Keep: time.Hour, Now: func() time.Time { return now }})
	if err := s.Append(t.Context(), outboxtest.Entries(1, 10)); err != nil {
		t.Fatal(err)
	}
	advance := func(reader string, to int64) {
		if err := s.Advance(t.Context(), reader, to, nil); err != nil {
			t.Fatal(err)
		}
	}
	left := func() int {
		now = now.Add(2 * time.Hour)
		if err := s.Append(t.Context(), outboxtest.Entries(int(now.Unix()), int(now.Unix()))); err != nil {
			t.Fatal(err)
		}
		got, err := s.Read(t.Context(), 0, 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	advance("a", 10)
	if n := left(); n != 11 {
		t.Fatalf("%d are left of what b has not passed", n)
	}
	advance("b", 7)
	if n := left(); n != 5 {
		t.Fatalf("%d are left", n)
	}
}

func TestTheFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	if err := s.Append(t.Context(), outboxtest.Entries(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(name, info, err)
		}
	}
	if err := os.Symlink(path, path+".link"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Path: path + ".link"}); err == nil {
		t.Error("a symbolic link was followed")
	}
}

// What Append returned for is there after kill -9.
func TestKilled(t *testing.T) {
	if path := os.Getenv("LEAKVEIL_TEST_STORE"); path != "" {
		s := open(t, Options{Path: path, Readers: []string{"a"}})
		for i := 1; ; i++ {
			if err := s.Append(t.Context(), outboxtest.Entries(i, i)); err != nil {
				t.Fatal(err)
			}
			fmt.Println(i)
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "LEAKVEIL_TEST_STORE="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for acknowledged < 50 {
		if _, err := fmt.Fscanln(out, &acknowledged); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Process.Kill()
	for {
		if _, err := fmt.Fscanln(out, &acknowledged); err != nil {
			break
		}
	}
	_ = cmd.Wait()
	got, err := open(t, Options{Path: path}).Read(t.Context(), 0, 1<<20, 1<<30)
	if err != nil || len(got) < acknowledged {
		t.Fatalf("%d of %d acknowledged entries are there (%v)", len(got), acknowledged, err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db"), Readers: []string{"a"}})
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.Exec("PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		err := s.Append(t.Context(), []outbox.Entry{{ID: fmt.Sprint(i), Data: bytes.Repeat([]byte("x"), 4000)}})
		if errors.Is(err, outbox.ErrFull) {
			got, err := s.Read(t.Context(), 0, 1<<20, 1<<30)
			if err != nil || len(got) != i {
				t.Fatalf("%d of %d entries (%v)", len(got), i, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("never full")
}

func TestSizeGrowsWithWhatIsStored(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "a.db"), Readers: []string{"r"}, MaxBytes: 64 << 20})
	before, limit := s.Size()
	document := bytes.Repeat([]byte("x"), 1<<20)
	for i := range 4 {
		if err := s.Append(t.Context(), []outbox.Entry{{ID: fmt.Sprint(i), Data: document}}); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := s.Size()
	if limit != 64<<20 || before <= 0 || after-before < 4<<20 || after > 6<<20 {
		t.Errorf("%d, then %d of %d", before, after, limit)
	}
}
