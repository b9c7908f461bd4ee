package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
)

func (tb *table) state(id string) string {
	tb.t.Helper()
	a, err := tb.s.Alert(tb.context(), id)
	if err != nil {
		tb.t.Fatal(err)
	}
	return a.State
}

func (tb *table) set(state string, ids ...string) {
	tb.t.Helper()
	if err := tb.s.SetState(tb.context(), ids, Change{State: state, By: "ana"}); err != nil {
		tb.t.Fatal(err)
	}
}

func TestStates(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	one, two := `,"fingerprints":["A"],"fingerprint_count":1`, `,"fingerprints":["A","B"],"fingerprint_count":2`
	ends := fmt.Sprintf(`,"expires_at":%q`, day.Add(time.Hour).Format("2006-01-02T15:04:05.000Z"))
	tb.append(state("a", 1, "shop", "low", one), state("b", 1, "shop", "low", one), state("c", 1, "shop", "low", ends), state("d", 1, "shop", "low", ends))
	tb.set(StateAcknowledged, "a", "d")
	tb.append(state("a", 2, "shop", "low", one))
	if s := tb.state("a"); s != StateAcknowledged {
		t.Error(s, "of an acknowledged alert that grows")
	}
	tb.set(StateClosed, "a")
	tb.append(state("a", 3, "shop", "low", one))
	if s := tb.state("a"); s != StateOpen {
		t.Error(s, "of a closed alert that grows")
	}
	tb.set(StateRevoked, "b")
	tb.append(state("b", 2, "shop", "low", one))
	if s := tb.state("b"); s != StateRevoked {
		t.Error(s, "of a revoked alert, the same value once more")
	}
	tb.append(state("b", 3, "shop", "low", two))
	if s := tb.state("b"); s != StateOpen {
		t.Error(s, "of a revoked alert with another value")
	}
	tb.now = day.Add(time.Hour)
	if c, d := tb.state("c"), tb.state("d"); c != StateExpired || d != StateExpired {
		t.Error(c, d, "of alerts whose values have ended")
	}
	tb.set(StateClosed, "c")
	if s := tb.state("c"); s != StateClosed {
		t.Error(s)
	}
	if err := tb.s.SetState(t.Context(), []string{"a", "nothing"}, Change{State: StateClosed}); !errors.Is(err, ErrNoAlert) || tb.state("a") != StateOpen {
		t.Error(err, tb.state("a"))
	}
	if err := tb.s.SetState(t.Context(), []string{"a"}, Change{State: StateExpired}); err == nil {
		t.Error("expired was set by hand")
	}
	if _, err := tb.s.Alert(t.Context(), ""); !errors.Is(err, ErrNoAlert) {
		t.Error(err)
	}
}

func TestTheBeginningOfAnIDIsEnough(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.append(state("abc", 1, "x", "low", ""), state("abd", 1, "x", "low", ""), state("ab", 1, "x", "low", ""))
	for id, want := range map[string]string{"abc": "abc", "abd": "abd", "ab": "ab"} {
		if a, err := tb.s.Alert(t.Context(), id); err != nil || a.ID != want {
			t.Error(id, a, err)
		}
	}
	if _, err := tb.s.Alert(t.Context(), "a"); !errors.Is(err, ErrSeveral) {
		t.Error(err)
	}
	if _, err := tb.s.Alert(t.Context(), "%"); !errors.Is(err, ErrNoAlert) {
		t.Error(err)
	}
}

// People work on the database while run writes it, from processes of their own.
func TestSeveralAtWork(t *testing.T) {
	dir := t.TempDir()
	tb := newTable(t, dir, Notifying{Timing: notify.Timing{Interval: time.Millisecond}})
	tb.o.Now = nil
	tb.open()
	other := open(t, Options{Path: filepath.Join(dir, "db")})
	const alerts, states = 20, 15
	var all sync.WaitGroup
	var mu sync.Mutex
	var problems []error
	run := func(fn func(i int) error) {
		all.Go(func() {
			for i := range alerts * states {
				if err := fn(i); err != nil {
					mu.Lock()
					problems = append(problems, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	run(func(i int) error {
		e := state(fmt.Sprint("a", i%alerts), i/alerts+1, fmt.Sprint("c", i%3), "high", "")
		e.Data = bytes.ReplaceAll(e.Data, []byte("2026-11-20T00:00:00Z"), []byte(now))
		return tb.s.Append(t.Context(), []outbox.Entry{e})
	})
	run(func(int) error { _, err := tb.s.Notify(t.Context()); return err })
	run(func(i int) error {
		for { // until it has come
			err := other.SetState(t.Context(), []string{fmt.Sprint("a", i%alerts)}, Change{State: StateAcknowledged, By: "ana", Note: fmt.Sprint(i)})
			if !errors.Is(err, ErrNoAlert) {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	})
	run(func(int) error { _, err := other.Alerts(t.Context(), Filter{}); return err })
	run(func(int) error { _, err := other.Clients(t.Context(), Filter{}); return err })
	run(func(i int) error {
		if i%50 != 0 {
			return nil
		}
		_, err := other.Replay(t.Context(), "siem", Filter{Client: "c1"})
		return err
	})
	all.Wait()
	for _, err := range problems {
		t.Error(err)
	}
	if _, err := tb.s.Notify(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := other.Counts(t.Context())
	if err != nil || counts.Alerts != alerts || counts.Detections != alerts*states {
		t.Fatalf("%+v %v", counts, err)
	}
	found, err := other.Alerts(t.Context(), Filter{States: []string{StateAcknowledged}})
	if err != nil || len(found) == 0 {
		t.Fatal(len(found), err)
	}
}

// On a full disk nothing is half done: what was stored is told when there is room.
func TestFullDiskWhileNotifying(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.s.db.SetMaxOpenConns(1)
	pages := func(n int) {
		t.Helper()
		if _, err := tb.s.db.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	pages(60)
	stored := 0
	for ; stored < 1000; stored++ {
		err := tb.s.Append(t.Context(), []outbox.Entry{state(fmt.Sprint("a", stored), 1, "shop", "low", fmt.Sprintf(`,"x":"%01000d"`, 0))})
		if errors.Is(err, outbox.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if stored < 10 || stored == 1000 {
		t.Fatal(stored)
	}
	tb.now = day.Add(time.Minute)
	if _, err := tb.s.Notify(t.Context()); !errors.Is(err, outbox.ErrFull) {
		t.Fatal("not full:", err)
	}
	counts, err := tb.s.Counts(t.Context())
	if err != nil || counts.Waiting != int64(stored) {
		t.Fatalf("%+v %v", counts, err)
	}
	pages(1 << 20)
	told := len(tb.at(time.Minute))
	if want := min(stored, maxTold); told != want || tb.report.Held != int64(stored-want) {
		t.Fatalf("%d of %d are told, %d held", told, stored, tb.report.Held)
	}
}

// Looking whether something is due writes nothing: a quiet store wears no disk.
func TestAQuietStoreWritesNothing(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.append(state("a", 1, "shop", "low", ""))
	tb.want(time.Minute, "a-1")
	size := func() int64 {
		info, err := os.Stat(tb.o.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	for i := range 50 {
		tb.want(time.Minute + time.Duration(i)*time.Second)
	}
	if after := size(); after != before {
		t.Errorf("%d bytes were written", after-before)
	}
}

// What is too old goes when it was told and every reader has it, and not before.
func TestOldAlertsGoWhenTheyWereTold(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.o.Keep, tb.o.Readers, tb.o.EveryState = 48*time.Hour, []string{"siem"}, nil
	tb.open()
	tb.append(state("a", 1, "shop", "low", ""))
	left := func(after time.Duration) (alerts, documents int) {
		t.Helper()
		tb.now = day.Add(after)
		tb.append(state(fmt.Sprint("z", after), 1, "other", "low", `,"traffic":"synthetic"`)) // Append looks for what is old
		for query, to := range map[string]*int{`SELECT count(*) FROM alerts WHERE id = 'a'`: &alerts, `SELECT count(*) FROM outbox`: &documents} {
			if err := tb.s.db.QueryRow(query).Scan(to); err != nil {
				t.Fatal(err)
			}
		}
		return alerts, documents
	}
	if alerts, _ := left(50 * time.Hour); alerts != 1 {
		t.Error("an alert went that nobody was told of")
	}
	tb.want(51*time.Hour, "a-1")
	if alerts, documents := left(52 * time.Hour); alerts != 0 || documents != 1 {
		t.Errorf("%d alerts, %d documents", alerts, documents)
	}
	if _, documents := left(200 * time.Hour); documents != 1 {
		t.Error("a document went that the sink had not passed")
	}
	if err := tb.s.Advance(t.Context(), "siem", tb.read, nil); err != nil {
		t.Fatal(err)
	}
	if _, documents := left(201 * time.Hour); documents != 0 {
		t.Error(documents, "documents are kept")
	}
}

// The logs of last year, read today: their alerts stay as long as those of today.
func TestAlertsOfOldLogsStay(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{})
	for _, told := range []string{"", `,"traffic":"synthetic"`} {
		tb.now = day.Add(2 * DefaultKeep)
		e := state("old"+told[:min(len(told), 1)], 1, "a", "high", told)
		e.ID = "old" + told + "-1"
		e.Data = bytes.Replace(e.Data, []byte(`"event":{`), []byte(`"event":{"created":"`+tb.now.Format(time.RFC3339)+`",`), 1)
		tb.append(e)
	}
	tb.at(2 * DefaultKeep)
	count := func(after time.Duration) int64 {
		tb.now = day.Add(after)
		tb.append(state("new", int(after/time.Hour), "a", "high", ""))
		tb.at(after)
		var n int64
		if err := tb.s.db.QueryRow(`SELECT count(*) FROM alerts WHERE id LIKE 'old%'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(2*DefaultKeep + time.Hour); n != 2 {
		t.Error("deleted at once:", n)
	}
	if n := count(3*DefaultKeep + 2*time.Hour); n != 0 {
		t.Error("kept for ever:", n)
	}
}
