package store

import (
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
)

// A clock that was a year fast silences nothing once it is right: neither groups,
// nor rates, nor digests.
func TestAClockThatWasFast(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, restart := range []bool{false, true} {
		tb := newTable(t, t.TempDir(), Notifying{
			Timing: notify.Timing{Wait: time.Minute, Interval: time.Hour}, Client: notify.Rate{Count: 1, Per: time.Hour}, Every: time.Hour,
		})
		tb.now = day.Add(year)
		tb.append(state("a1", 1, "a", "high", ""))
		tb.want(year+time.Minute, "a1-1")
		tb.append(state("a2", 1, "a", "high", ""), state("b1", 1, "b", "high", ""))
		tb.want(year+time.Hour+time.Minute, "b1-1", "a2-1")
		tb.append(state("a3", 1, "a", "high", ""), state("a4", 1, "a", "high", ""), state("c1", 1, "c", "high", ""))
		tb.want(year + time.Hour + time.Minute) // nothing is due
		if restart {
			tb.open()
		}
		tb.want(0) // back: all wait from now on
		got := tb.at(2 * time.Hour)
		if len(got) != 2 {
			t.Fatal(got)
		}
		if got := tb.at(4 * time.Hour); len(got) != 1 {
			t.Fatal("no digest:", got)
		}
	}
}

// A sink that gets every state from now on still gets what waited for it, and what
// it was to be told.
func TestASinkThatWantsEveryStateLosesNothing(t *testing.T) {
	tb := newTable(t, t.TempDir(), Notifying{Timing: notify.Timing{Wait: time.Minute}})
	tb.o.EveryState = nil
	tb.open()
	tb.append(state("a", 1, "a", "high", ""))
	tb.want(time.Minute, "a-1")
	tb.append(state("b", 1, "b", "high", ""))
	tb.o.EveryState = []string{"siem"}
	for range 2 { // once
		tb.open()
		read, err := tb.s.View("siem").Read(t.Context(), 0, 100, 1<<20)
		if err != nil || len(read) != 2 || read[0].ID != "a-1" || read[1].ID != "b-1" {
			t.Fatal(read, err)
		}
	}
}
