package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
)

// state is the document of an alert's state.
func state(id string, sequence int, client, severity string, more string) outbox.Entry {
	return outbox.Entry{ID: fmt.Sprint(id, "-", sequence), Data: fmt.Appendf(nil,
		`{"event":{"severity":%d,"start":"2026-11-20T00:00:00Z","end":"2026-11-20T00:00:00Z"},"rule":{"id":"r"},"leakveil":{"kind":"jwt","severity":%q,"client":{"id":%q},"alert":{"id":%q,"sequence":%d}%s}}`,
		map[string]int{"low": 21, "high": 73, "critical": 99}[severity], severity, client, id, sequence, more)}
}

// table is a store with a clock that a test turns.
type table struct {
	t interface {
		Helper()
		Fatal(...any)
		Fatalf(string, ...any)
	}
	o      Options
	s      *Store
	now    time.Time
	read   int64
	report Report
}

func newTable(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, dir string, n Notifying) *table {
	tb := &table{t: t, now: day}
	n.Digest = func(d notify.Digest) outbox.Entry {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return outbox.Entry{ID: fmt.Sprint("digest-", d.Until.UnixMilli()), Data: text}
	}
	if n.GroupBy == nil {
		n.GroupBy = []string{"client", "region", "kind", "rule"}
	}
	if n.Every == 0 {
		n.Every = time.Hour
	}
	tb.o = Options{Path: filepath.Join(dir, "db"), Readers: []string{"siem", "every"}, EveryState: []string{"every"}, Notify: &n,
		Now: func() time.Time { return tb.now }, Report: func(r Report) {
			tb.report.Suppressed += r.Suppressed
			tb.report.Forgotten += r.Forgotten
			tb.report.Notified += r.Notified
			tb.report.Held += r.Held
			tb.report.Digests += r.Digests
		}}
	tb.open()
	return tb
}

// open opens the store, again as after a crash: nothing is flushed before.
func (tb *table) open() {
	tb.t.Helper()
	if tb.s != nil {
		_ = tb.s.Close()
	}
	s, err := Open(tb.context(), tb.o)
	if err != nil {
		tb.t.Fatal(err)
	}
	tb.s = s
}

func (tb *table) append(entries ...outbox.Entry) {
	tb.t.Helper()
	if err := tb.s.Append(tb.context(), entries); err != nil {
		tb.t.Fatal(err)
	}
}

// at notifies at a time after the day's begin and returns what a reader got.
func (tb *table) at(after time.Duration) (ids []string) {
	tb.t.Helper()
	tb.now = day.Add(after)
	for _, e := range tb.entries() {
		ids = append(ids, e.ID)
	}
	return ids
}

func (tb *table) entries() []outbox.Entry {
	tb.t.Helper()
	for more := true; more; {
		var err error
		if more, err = tb.s.Notify(tb.context()); err != nil {
			tb.t.Fatal(err)
		}
	}
	entries, err := tb.s.View("siem").Read(tb.context(), tb.read, 1<<20, 1<<30)
	if err != nil {
		tb.t.Fatal(err)
	}
	for _, e := range entries {
		tb.read = e.Seq
	}
	return entries
}

func (tb *table) want(after time.Duration, ids ...string) {
	tb.t.Helper()
	if got := tb.at(after); strings.Join(got, " ") != strings.Join(ids, " ") {
		tb.t.Fatalf("after %v: %v, want %v", after, got, ids)
	}
}

var timing = notify.Timing{Wait: 30 * time.Second, Interval: 5 * time.Minute, Repeat: time.Hour}

func TestAGroupIsToldTogether(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.append(state("a", 1, "shop", "low", ""), state("b", 1, "shop", "high", ""), state("x", 1, "bank", "low", ""))
	tb.want(29 * time.Second)
	tb.append(state("a", 2, "shop", "low", ""))
	tb.open()
	tb.want(30*time.Second, "x-1", "b-1", "a-2") // groups by name, the gravest alert first
	tb.append(state("a", 3, "shop", "low", ""), state("a", 2, "shop", "low", ""))
	tb.want(2 * time.Minute)
	tb.open()
	tb.want(5*time.Minute+30*time.Second, "a-3")
	tb.want(61*time.Minute, fmt.Sprint("x-1~", day.Add(61*time.Minute).Unix()))
	tb.open()
	tb.want(61 * time.Minute)
	if err := tb.s.SetState(t.Context(), []string{"x"}, Change{State: StateAcknowledged}); err != nil {
		t.Fatal(err)
	}
	tb.want(66*time.Minute, fmt.Sprint("a-3~", day.Add(66*time.Minute).Unix()))
	tb.want(130*time.Minute, fmt.Sprint("a-3~", day.Add(130*time.Minute).Unix())) // and not the acknowledged one
	tb.append(state("x", 2, "bank", "low", ""))
	tb.want(135*time.Minute, "x-2") // what is new is told
	every, err := tb.s.View("every").Read(t.Context(), 0, 100, 1<<20)
	if err != nil || len(every) != 6 {
		t.Fatal(len(every), err)
	}
}

func TestAGroupIsForgotten(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.append(state("a", 1, "shop", "low", ""))
	tb.want(time.Minute, "a-1")
	if n := len(tb.at(25 * time.Hour)); n > 1 {
		t.Fatal(n)
	}
	tb.want(26 * time.Hour)
	var groups int
	if err := tb.s.db.QueryRow(`SELECT count(*) FROM groups`).Scan(&groups); err != nil || groups != 0 {
		t.Fatal(groups, err)
	}
	tb.append(state("a", 2, "shop", "low", ""))
	tb.want(26*time.Hour + 29*time.Second)
	tb.want(26*time.Hour+30*time.Second, "a-2")
}

func TestMaintenance(t *testing.T) {
	window := notify.Window{From: day, Until: day.Add(time.Hour)}
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing, Windows: []notify.Window{window}})
	tb.append(state("a", 1, "shop", "low", ""))
	tb.want(59 * time.Minute)
	tb.open()
	tb.want(time.Hour, "a-1")
}

func TestSyntheticTrafficIsCountedAndNotTold(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.append(state("a", 3, "probe", "low", `,"traffic":"synthetic"`), state("b", 2, "shop", "low", ""))
	tb.append(state("a", 5, "probe", "low", `,"traffic":"synthetic"`))
	tb.want(time.Minute, "b-2")
	counts, err := tb.s.Counts(t.Context())
	if err != nil || counts != (Counts{Alerts: 1, Detections: 2, Synthetic: 5}) || tb.report.Suppressed != 5 {
		t.Fatalf("%+v %+v %v", counts, tb.report, err)
	}
	for synthetic, want := range map[bool]string{true: "a", false: "b"} {
		all, err := tb.s.Alerts(t.Context(), Filter{Synthetic: synthetic})
		if err != nil || len(all) != 1 || all[0].ID != want {
			t.Error(synthetic, all, err)
		}
	}
}

// A flood of clients costs a bounded number of notifications, over any number of
// restarts, and the digest says what else there was.
func TestFloodOfClients(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing, Global: notify.Rate{Count: 10, Per: time.Hour}, Client: notify.Rate{Count: 5, Per: time.Hour}, Every: 10 * time.Minute})
	const clients = 3000
	var all []outbox.Entry
	for i := range clients {
		all = append(all, state(fmt.Sprint("alert", i), 2, fmt.Sprint("c", i), "high", ""))
	}
	tb.append(all...)
	for range 8 {
		tb.append(state(fmt.Sprint("loud", len(all)), 1, "loud", "critical", ""))
		all = all[1:]
	}
	told := len(tb.at(30 * time.Second))
	tb.open()
	told += len(tb.at(40 * time.Second))
	if told != 10 {
		t.Fatal(told, "are told")
	}
	tb.now = day.Add(11 * time.Minute)
	entries := tb.entries()
	if len(entries) != 1 || !strings.HasPrefix(entries[0].ID, "digest-") {
		t.Fatal(len(entries))
	}
	var d notify.Digest
	if err := json.Unmarshal(entries[0].Data, &d); err != nil {
		t.Fatal(err)
	}
	counts, err := tb.s.Counts(t.Context())
	if err != nil || counts.Detections != 2*clients+8 || counts.Alerts != clients+8 || counts.Waiting != 0 {
		t.Fatalf("%+v %v", counts, err)
	}
	if d.Alerts != clients+8-10 || d.By[notify.OverGlobal]+d.By[notify.OverClient] != d.Alerts || d.Detections > counts.Detections-10 || d.Detections < counts.Detections-20 {
		t.Errorf("%+v", d)
	}
	var rates int
	if err := tb.s.db.QueryRow(`SELECT count(*) FROM rates`).Scan(&rates); err != nil || rates > maxRates+1 {
		t.Fatal(rates, err)
	}
}

func TestOneClientDoesNotUseUpTheRateOfOthers(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing, Client: notify.Rate{Count: 2, Per: time.Hour}, GroupBy: []string{"client"}})
	for i := range 60 {
		tb.append(state(fmt.Sprint("a", i), 1, "loud", "low", ""))
	}
	tb.append(state("q", 1, "quiet", "low", ""))
	tb.want(time.Minute, "a0-1", "a1-1", "q-1")
	if tb.report.Held != 58 || tb.report.Notified != 3 {
		t.Errorf("%+v", tb.report)
	}
}

func TestRatesAreBoundedOnDisk(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: notify.Timing{Interval: time.Hour}, Client: notify.Rate{Count: 1, Per: time.Hour}})
	for first := 0; first < maxRates+2000; first += 1000 {
		var all []outbox.Entry
		for i := range 1000 {
			all = append(all, state(fmt.Sprint(first+i), 1, fmt.Sprint(first+i), "low", ""))
		}
		tb.append(all...)
	}
	if n := len(tb.at(time.Second)); n != maxRates+1 { // one for all the others
		t.Errorf("%d are told", n)
	}
}

// A full database holds alerts back, keeps room for telling what it has, and goes
// on when sinks have taken it.
func TestFullIsBackPressureBeforeAlertsAreTold(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: timing})
	tb.o.MaxBytes = 1 << 20
	tb.o.Readers, tb.o.EveryState = []string{"siem"}, nil
	tb.open()
	stored := 0
	var err error
	for err == nil && stored < 5000 {
		err = tb.s.Append(t.Context(), []outbox.Entry{state(fmt.Sprint("a", stored), 1, "shop", "low", fmt.Sprintf(`,"x":%q`, strings.Repeat("x", 1000)))})
		if err == nil {
			stored++
		}
	}
	if !errors.Is(err, outbox.ErrFull) || stored < 100 {
		t.Fatal(stored, err)
	}
	told := 0
	for round := range 100 {
		tb.now = day.Add(time.Duration(round) * time.Hour)
		if _, err := tb.s.Notify(t.Context()); err != nil && !errors.Is(err, outbox.ErrFull) {
			t.Fatal(err)
		}
		got, err := tb.s.View("siem").Read(t.Context(), tb.read, 1000, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got {
			tb.read = e.Seq
			if strings.HasPrefix(e.ID, "a") && !strings.Contains(e.ID, "~") {
				told++
			} else if strings.HasPrefix(e.ID, "digest") {
				var d notify.Digest
				if err := json.Unmarshal(e.Data, &d); err != nil {
					t.Fatal(err)
				}
				told += int(d.Alerts)
			}
		}
		if err := tb.s.Advance(t.Context(), "siem", tb.read, nil); err != nil {
			t.Fatal(err)
		}
	}
	if told != stored {
		t.Fatalf("%d of %d are told", told, stored)
	}
	if err := tb.s.Append(t.Context(), []outbox.Entry{state("later", 1, "shop", "low", "")}); err != nil {
		t.Fatal("still full:", err)
	}
}

func (tb *table) context() context.Context { return context.Background() }
