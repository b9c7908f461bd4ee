package notify

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func TestDecide(t *testing.T) {
	timing := Timing{Wait: 30 * time.Second, Interval: 5 * time.Minute, Repeat: time.Hour}
	told := Group{Opened: epoch, Looked: at(time.Minute), Notified: at(time.Minute)}
	fresh := told
	fresh.New = true
	never := timing
	never.Repeat = -1
	windows := []Window{{at(2 * time.Hour), at(3 * time.Hour)}, {at(3 * time.Hour), at(4 * time.Hour)}}
	for name, c := range map[string]struct {
		timing Timing
		g      Group
		now    time.Duration
		want   Decision
	}{
		"waits for more":      {timing, Group{Opened: epoch, New: true}, 29 * time.Second, Decision{Reason: GroupWait, Next: at(30 * time.Second)}},
		"first":               {timing, Group{Opened: epoch, New: true}, 30 * time.Second, Decision{Send: true, Reason: First}},
		"too soon":            {timing, fresh, 2 * time.Minute, Decision{Reason: GroupInterval, Next: at(6 * time.Minute)}},
		"changed":             {timing, fresh, 6 * time.Minute, Decision{Send: true, Reason: Changed}},
		"nothing new":         {timing, told, 6 * time.Minute, Decision{Reason: NothingNew, Next: at(61 * time.Minute)}},
		"repeat":              {timing, told, 61 * time.Minute, Decision{Send: true, Reason: Repeat}},
		"never again":         {never, told, 100 * time.Hour, Decision{Reason: NothingNew}},
		"maintenance":         {timing, fresh, 2 * time.Hour, Decision{Reason: Maintenance, Next: at(4 * time.Hour)}},
		"before maintenance":  {timing, fresh, 2*time.Hour - 1, Decision{Send: true, Reason: Changed}},
		"after maintenance":   {timing, fresh, 4 * time.Hour, Decision{Send: true, Reason: Changed}},
		"nothing to maintain": {never, told, 2 * time.Hour, Decision{Reason: NothingNew}},
	} {
		if d := cmp.Diff(c.want, Decide(c.timing, c.g, windows, at(c.now))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestSeverity(t *testing.T) {
	facts := func(change func(*Facts)) Facts {
		f := Facts{Rule: "high", Kind: "access_token", Confidence: "certain", Leaked: epoch}
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		f    Facts
		now  time.Duration
		want string
		why  []string
	}{
		"as the rule says":     {facts(func(*Facts) {}), 0, "high", nil},
		"past its usual life":  {facts(func(*Facts) {}), time.Hour, "info", []string{"expired"}},
		"its own end counts":   {facts(func(f *Facts) { f.Expires = at(48 * time.Hour) }), 2 * time.Hour, "high", nil},
		"past its own end":     {facts(func(f *Facts) { f.Expires = at(time.Minute) }), time.Minute, "info", []string{"expired"}},
		"ends soon":            {facts(func(f *Facts) { f.Expires = at(4 * time.Minute) }), 0, "medium", []string{"ends_soon"}},
		"bound to a key":       {facts(func(f *Facts) { f.Bound = true }), 0, "medium", []string{"bound"}},
		"only possible":        {facts(func(f *Facts) { f.Confidence = "possible" }), 0, "medium", []string{"possible"}},
		"all of it":            {facts(func(f *Facts) { f.Bound, f.Confidence, f.Rule = true, "possible", "low" }), 0, "info", []string{"bound"}},
		"a pair":               {facts(func(f *Facts) { f.Pair, f.Bound, f.Kind = true, true, "code_verifier" }), 0, "critical", []string{"pair"}},
		"a pair that is over":  {facts(func(f *Facts) { f.Pair, f.Kind = true, "authorization_code" }), 10 * time.Minute, "info", []string{"expired"}},
		"never ends by itself": {facts(func(f *Facts) { f.Kind, f.Rule = "client_secret", "critical" }), 100000 * time.Hour, "critical", nil},
		"unknown severity":     {facts(func(f *Facts) { f.Rule = "x" }), 0, "info", nil},
	} {
		got, why := Severity(c.f, at(c.now))
		if got != c.want || !slices.Equal(why, c.why) {
			t.Errorf("%s: %s %v", name, got, why)
		}
	}
}

func TestSyntheticIsCountedAndNotTold(t *testing.T) {
	n := New(Config{})
	n.Offer(Alert{ID: "a", Sequence: 1, Synthetic: true}, epoch)
	if out, next := n.Due(at(time.Hour)); len(out) != 0 || !next.IsZero() || n.Synthetic != 1 {
		t.Error(out, next, n.Synthetic)
	}
}

// A flood of clients costs a bounded number of notifications, and the digest says
// what else there was.
func TestFlood(t *testing.T) {
	n := New(Config{Global: Rate{Count: 10, Per: time.Hour}, Digest: 10 * time.Minute})
	const clients = 5000
	for i := range clients {
		n.Offer(Alert{ID: fmt.Sprint("a", i), Sequence: 1, Client: fmt.Sprint("c", i), Kind: "jwt", Severity: "high"}, epoch)
	}
	n.Offer(Alert{ID: "grave", Sequence: 1, Client: "c0", Kind: "password", Severity: "critical"}, epoch)
	out, next := n.Due(at(30 * time.Second))
	if len(out) != 10 || !next.Equal(at(30*time.Second+10*time.Minute)) {
		t.Fatal(len(out), next)
	}
	out, _ = n.Due(next)
	if len(out) != 1 || out[0].Digest == nil {
		t.Fatal(out)
	}
	d := out[0].Digest
	listed := d.Others
	for _, c := range d.Clients {
		listed += c.Alerts
	}
	if d.Alerts != clients-9 || d.By[OverGlobal] != d.Alerts || d.Kinds["jwt"]+d.Kinds["password"] != d.Alerts || listed != d.Alerts ||
		len(d.Clients) != 50 || len(d.IDs) != 100 || d.Severity != "critical" && d.Kinds["password"] > 0 {
		t.Errorf("%+v", d)
	}
}

func TestOneClientDoesNotUseUpTheRateOfOthers(t *testing.T) {
	n := New(Config{Client: Rate{Count: 2, Per: time.Hour}, Timing: Timing{Wait: time.Second}})
	for i := range 50 {
		n.Offer(Alert{ID: fmt.Sprint("a", i), Sequence: 1, Client: "loud", Rule: fmt.Sprint("r", i)}, epoch)
	}
	n.Offer(Alert{ID: "q", Sequence: 1, Client: "quiet"}, epoch)
	out, _ := n.Due(at(time.Second))
	told := map[string]int{}
	for _, one := range out {
		told[one.Alerts[0].Client]++
	}
	if told["loud"] != 2 || told["quiet"] != 1 {
		t.Error(told)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	n := New(Config{MaxGroups: 100, Client: Rate{Count: 1, Per: time.Minute}})
	for i := range 20_000 {
		n.Offer(Alert{ID: fmt.Sprint(i), Sequence: 1, Client: fmt.Sprint(i), Severity: "low"}, epoch)
		n.limits.take(fmt.Sprint(i), epoch)
	}
	if len(n.groups) != 100 || n.held.Alerts != 19_900 || len(n.held.clients) > maxDigestKnown || len(n.limits.clients) > maxClients+1 {
		t.Error(len(n.groups), n.held.Alerts, len(n.limits.clients))
	}
	n.Due(at(time.Minute))
	n.Due(at(25 * time.Hour))
	if len(n.groups) != 0 {
		t.Error(len(n.groups), "groups are kept")
	}
}

// offer is a state of an alert at a time.
type offer struct {
	at    time.Duration
	alert Alert
}

func drawOffers(r *rapid.T) []offer {
	var all []offer
	sequences := map[string]int64{}
	now := time.Duration(0)
	for range rapid.IntRange(0, 20).Draw(r, "offers") {
		now += time.Duration(rapid.IntRange(0, 500).Draw(r, "seconds")) * time.Second
		client := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "client")
		id := client + rapid.SampledFrom([]string{"1", "2"}).Draw(r, "id")
		sequences[id]++
		all = append(all, offer{now, Alert{ID: id, Sequence: sequences[id], Client: client, Kind: "jwt", Severity: "high"}})
	}
	return all
}

func drawConfig(r *rapid.T) Config {
	seconds := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(r, name)) * time.Second
	}
	c := Config{
		Timing: Timing{Wait: seconds("wait", 1, 100), Interval: seconds("interval", 1, 600), Repeat: seconds("repeat", 1, 3000)},
		Digest: seconds("digest", 1, 3000), Forget: seconds("forget", 3000, 9000),
	}
	if rapid.Bool().Draw(r, "limited") {
		c.Client, c.Global = Rate{2, time.Hour}, Rate{3, time.Hour}
	}
	if rapid.Bool().Draw(r, "maintained") {
		from := seconds("from", 0, 9000)
		c.Windows = []Window{{at(from), at(from + seconds("length", 1, 3000))}}
	}
	return c
}

// sent is a notification with its time.
type sent struct {
	At time.Duration
	Notification
}

// play offers everything and asks for what is due: whenever Due said so, or every
// second.
func play(c Config, offers []offer, everySecond bool) (all []sent) {
	n := New(c)
	next := time.Time{}
	end := 5 * time.Hour
	for now := time.Duration(0); now < end; now += time.Second {
		came := false
		for len(offers) > 0 && offers[0].at <= now {
			n.Offer(offers[0].alert, at(now))
			offers, came = offers[1:], true
		}
		if !came && !everySecond && (next.IsZero() || at(now).Before(next)) {
			continue
		}
		var out []Notification
		out, next = n.Due(at(now))
		for _, one := range out {
			all = append(all, sent{now, one})
		}
	}
	return all
}

// Asking only when Due says so tells the same as asking all the time.
func TestNextIsEnough(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, offers := drawConfig(r), drawOffers(r)
		if d := cmp.Diff(play(c, offers, true), play(c, offers, false)); d != "" {
			r.Fatal(d)
		}
	})
}

// Every state that was offered is told, by itself or a later one of its alert, or
// is in a digest; and no group is told more often than it may be.
func TestNothingIsLostAndNothingTooOften(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, offers := drawConfig(r), drawOffers(r)
		all := play(c, offers, false)
		told, held := map[string]int64{}, 0
		last := map[string]time.Duration{}
		for _, s := range all {
			if s.Digest != nil {
				held += s.Digest.Alerts
				continue
			}
			if before, ok := last[s.Group]; ok && s.At-before < c.Timing.Interval {
				r.Fatalf("%q is told again after %v", s.Group, s.At-before)
			}
			last[s.Group] = s.At
			if maintained(c.Windows, at(s.At)) != (time.Time{}) {
				r.Fatal("told in maintenance")
			}
			for _, a := range s.Alerts {
				told[a.ID] = max(told[a.ID], a.Sequence)
			}
		}
		wanted := map[string]int64{}
		for _, o := range offers {
			wanted[o.alert.ID] = o.alert.Sequence
		}
		missing := 0
		for id, sequence := range wanted {
			if told[id] < sequence {
				missing++
			}
		}
		if c.Global.Count == 0 && (missing > 0 || held > 0) || missing > held {
			r.Fatalf("%d alerts are not told, %d are in digests", missing, held)
		}
		if c.Global.Count > 0 && len(last) > 0 && len(all) > 0 {
			perHour(r, all, c.Global.Count)
		}
	})
}

// perHour checks a rate: at most twice its count in any hour, since what is saved
// may be used at once.
func perHour(r *rapid.T, all []sent, count int) {
	for i := range all {
		n := 0
		for _, s := range all[i:] {
			if s.Digest == nil && s.At-all[i].At < time.Hour {
				n++
			}
		}
		if n > 2*count {
			r.Fatalf("%d notifications in an hour", n)
		}
	}
}
