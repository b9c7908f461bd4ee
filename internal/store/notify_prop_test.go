package store

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
)

// Whatever comes when, and whenever the process dies: no state is lost, none is
// told twice, no group too often, and counts stay exact.
func TestNothingIsLostOrTwice(t *testing.T) {
	defer func(was string) { synchronous = was }(synchronous)
	synchronous = "OFF"
	rapid.Check(t, func(r *rapid.T) {
		seconds := func(name string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from, to).Draw(r, name)) * time.Second
		}
		n := Notifying{
			Timing: notify.Timing{Wait: seconds("wait", 0, 100), Interval: seconds("interval", 1, 600), Repeat: seconds("repeat", 0, 3000)},
			Every:  seconds("digest", 1, 3000),
		}
		if rapid.Bool().Draw(r, "limited") {
			n.Client, n.Global = notify.Rate{Count: 2, Per: time.Hour}, notify.Rate{Count: 3, Per: time.Hour}
		}
		if rapid.Bool().Draw(r, "maintained") {
			from := day.Add(seconds("from", 0, 9000))
			n.Windows = []notify.Window{{From: from, Until: from.Add(seconds("length", 1, 3000))}}
		}
		tb := newTable(r, t.TempDir(), n)
		defer func() { _ = tb.s.Close() }()
		check := newChecker(r, tb, n)
		for range rapid.IntRange(0, 40).Draw(r, "steps") {
			tb.now = tb.now.Add(seconds("step", 0, 400))
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0, 1:
				check.append(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "client"), rapid.SampledFrom([]string{"1", "2"}).Draw(r, "alert"))
			case 2:
				tb.open()
			case 3: // as after a crash: the last state is handed over again
				if check.last.ID != "" {
					tb.append(check.last)
				}
			default:
				check.entries()
			}
		}
		for range 40 { // the rest is told in time
			tb.now = tb.now.Add(20 * time.Minute)
			check.entries()
		}
		check.done()
	})
}

type checker struct {
	r         *rapid.T
	tb        *table
	n         Notifying
	sequences map[string]int
	last      outbox.Entry
	got       map[string]time.Time // by id, of the outbox
	told      map[string]int
	groups    map[string]time.Time
	times     []time.Time
	held      int64
}

func newChecker(r *rapid.T, tb *table, n Notifying) *checker {
	return &checker{r: r, tb: tb, n: n, sequences: map[string]int{}, got: map[string]time.Time{}, told: map[string]int{}, groups: map[string]time.Time{}}
}

func (c *checker) append(client, alert string) {
	id := client + alert
	c.sequences[id]++
	c.last = state(id, c.sequences[id], client, "high", "")
	c.tb.append(c.last)
}

func (c *checker) entries() {
	for _, e := range c.tb.entries() {
		if _, twice := c.got[e.ID]; twice {
			c.r.Fatalf("%s is told twice", e.ID)
		}
		c.got[e.ID] = c.tb.now
		for _, w := range c.n.Windows {
			if !c.tb.now.Before(w.From) && c.tb.now.Before(w.Until) {
				c.r.Fatalf("%s is told in maintenance", e.ID)
			}
		}
		if strings.HasPrefix(e.ID, "digest-") {
			var d notify.Digest
			if err := json.Unmarshal(e.Data, &d); err != nil {
				c.r.Fatal(err)
			}
			c.held += d.Alerts
			continue
		}
		a, ok := parse(e.Data)
		if !ok {
			c.r.Fatal("no alert")
		}
		c.told[a.ID] = max(c.told[a.ID], int(a.Sequence))
		c.times = append(c.times, c.tb.now)
		if before, ok := c.groups[a.Client]; ok && !before.Equal(c.tb.now) && c.tb.now.Sub(before) < c.n.Timing.Interval {
			c.r.Fatalf("%s is told after %v", a.Client, c.tb.now.Sub(before))
		}
		c.groups[a.Client] = c.tb.now
	}
}

func (c *checker) done() {
	missing, total := int64(0), 0
	for id, sequence := range c.sequences {
		total += sequence
		if c.told[id] < sequence {
			missing++
		}
	}
	if c.n.Global.Count == 0 && (missing > 0 || c.held > 0) || missing > c.held {
		c.r.Fatalf("%d alerts are not told, %d are in digests", missing, c.held)
	}
	for i, first := range c.times {
		n := 0
		for _, later := range c.times[i:] {
			if later.Sub(first) < time.Hour {
				n++
			}
		}
		if c.n.Global.Count > 0 && n > 2*c.n.Global.Count {
			c.r.Fatalf("%d in an hour", n)
		}
	}
	counts, err := c.tb.s.Counts(c.tb.context())
	if err != nil || counts.Detections != int64(total) || counts.Waiting != 0 {
		c.r.Fatalf("%+v, %d detections, %v", counts, total, err)
	}
}
