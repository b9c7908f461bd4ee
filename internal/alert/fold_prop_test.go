package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leakveil/leakveil/internal/event"
	"pgregory.net/rapid"
)

// logEntry is one detection as it stands in a log.
type logEntry struct {
	written time.Time
	d       event.Detection
}

// drawLog draws a log of few clients and windows, with repeated deliveries,
// quiet stretches and a writer whose clock is wrong.
func drawLog(t *rapid.T) []logEntry {
	var log []logEntry
	now := epoch
	for n := range rapid.IntRange(1, 80).Draw(t, "entries") {
		now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 240, 700}).Draw(t, "pause")) * time.Second)
		if len(log) > 0 && rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
			again := log[rapid.IntRange(0, len(log)-1).Draw(t, "which")]
			log = append(log, logEntry{now, again.d})
			continue
		}
		client := fmt.Sprint("client-", rapid.IntRange(0, 6).Draw(t, "client"))
		age := time.Duration(rapid.IntRange(0, 1).Draw(t, "window")) * 5 * time.Minute
		skew := time.Duration(rapid.SampledFrom([]int{0, 0, 0, -60, 900}).Draw(t, "skew")) * time.Second
		log = append(log, logEntry{now.Add(skew), sample(client, n, age)})
	}
	return log
}

func drawConfig(t *rapid.T) Config {
	return Config{
		Interval:  time.Duration(rapid.IntRange(0, 2).Draw(t, "interval")) * time.Minute,
		MaxGroups: rapid.IntRange(2, 8).Draw(t, "groups"),
		MaxSeen:   rapid.IntRange(3, 40).Draw(t, "seen"),
		MaxSpan:   rapid.SampledFrom([]int64{0, 1, 7, 30}).Draw(t, "span"),
	}
}

// published is what no two alerts may share with different contents.
type published struct {
	id       string
	sequence int64
}

// publish notes alerts, and fails when a sequence number gets a second content.
func publish(t *rapid.T, to map[published]string, alerts []Alert) {
	for _, a := range alerts {
		key := published{a.ID, a.Sequence}
		line := string(MarshalAlert(a))
		if before, ok := to[key]; ok && before != line {
			t.Fatalf("one sequence number has two contents:\n%s\n%s", before, line)
		}
		to[key] = line
	}
}

// finals returns the last content of each alert.
func finals(all map[published]string) map[string]string {
	last, out := map[string]int64{}, map[string]string{}
	for key, line := range all {
		if key.sequence > last[key.id] {
			last[key.id], out[key.id] = key.sequence, line
		}
	}
	return out
}

func TestFoldCrashAnywhereGivesTheSameAlerts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, config := drawLog(t), drawConfig(t)
		want := map[published]string{}
		whole, _ := newTestFold(t, config)
		for i, e := range log {
			whole.Add(int64(i), e.written, e.d)
		}
		publish(t, want, whole.Flush())

		got := map[published]string{}
		f, clock := newTestFold(t, config)
		var stored Checkpoint
		for pos := 0; pos < len(log); pos++ {
			f.Add(int64(pos), log[pos].written, log[pos].d)
			clock.now = clock.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "tick")) * time.Second)
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0: // deliver, store
				publish(t, got, f.Changed())
				if c, ok := f.Checkpoint(); ok {
					stored = c
				}
			case 1: // deliver, crash before storing
				publish(t, got, f.Changed())
				fallthrough
			case 2: // crash
				f, clock = newTestFold(t, config)
				f.Resume(stored.Next)
				pos = int(stored.Replay) - 1
				if rapid.Bool().Draw(t, "crash again") {
					continue
				}
				for pos++; pos < len(log); pos++ { // no further crash
					f.Add(int64(pos), log[pos].written, log[pos].d)
				}
			}
		}
		publish(t, got, f.Flush())
		if diff := cmp.Diff(finals(want), finals(got)); diff != "" {
			t.Fatalf("alerts after crashes (-without +with)\n%s", diff)
		}
	})
}

func TestFoldCountsDistinctIDsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "distinct")
		var all []event.Detection
		for i := range n {
			for range rapid.IntRange(1, 3).Draw(t, "deliveries") {
				all = append(all, sample("spa", i, time.Duration(i)*time.Second))
			}
		}
		f, _ := newTestFold(t, Config{})
		for i, d := range rapid.Permutation(all).Draw(t, "order") {
			f.Add(int64(i), epoch, d)
		}
		alerts := f.Changed()
		if len(alerts) != 1 || alerts[0].Count != int64(n) || alerts[0].FingerprintCount != int64(n) {
			t.Fatalf("%d alerts, count %d, want one alert with %d", len(alerts), alerts[0].Count, n)
		}
		last := epoch.Add(time.Duration(n-1) * time.Second)
		if !alerts[0].FirstSeen.Equal(epoch) || !alerts[0].LastSeen.Equal(last) {
			t.Fatalf("seen %s to %s", alerts[0].FirstSeen, alerts[0].LastSeen)
		}
	})
}

func TestCheckpointWaitsForClosedAlerts(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	if _, ok := f.Checkpoint(); ok {
		t.Error("a checkpoint of nothing")
	}
	f.Add(5, epoch, sample("spa", 0, 0))
	f.Add(6, epoch.Add(5*time.Minute), sample("other", 1, 0))
	if c, ok := f.Checkpoint(); !ok || c != (Checkpoint{5, 7}) {
		t.Errorf("Checkpoint = %v, %v, want {5 7}", c, ok)
	}
	f.Add(7, epoch.Add(10*time.Minute), sample("other", 2, 0))
	if _, ok := f.Checkpoint(); ok {
		t.Error("a checkpoint while a closed alert waits")
	}
	f.Changed()
	if pos, ok := f.Replay(); !ok || pos != 6 {
		t.Errorf("Replay = %d, %v, want 6", pos, ok)
	}
}

func TestReplayHandsOutNoPartOfAClosedAlert(t *testing.T) {
	add := func(f *Fold, pos int64) {
		client := map[bool]string{true: "closes", false: "stays"}[pos == 0 || pos == 2]
		f.Add(pos, epoch.Add(time.Duration(pos)*time.Minute*4), sample(client, int(pos), 0))
	}
	f, _ := newTestFold(t, Config{})
	for pos := int64(0); pos < 6; pos++ { // "stays" from 1 on; "closes" at 0 and 2, closed by 5
		add(f, pos)
	}
	before := f.Changed()
	c, ok := f.Checkpoint()
	if !ok || c != (Checkpoint{1, 6}) || len(before) != 2 {
		t.Fatalf("Checkpoint = %v, %v with %d alerts, want {1 6} with 2", c, ok, len(before))
	}
	f, _ = newTestFold(t, Config{})
	f.Resume(c.Next)
	for pos := c.Replay; pos < c.Next; pos++ {
		if got := f.Changed(); got != nil {
			t.Errorf("%d alerts while position %d is replayed", len(got), pos)
		}
		add(f, pos)
	}
	again := f.Changed()
	if diff := cmp.Diff(before[1:], again); diff != "" {
		t.Errorf("after the replay (-before +again)\n%s", diff)
	}
}
