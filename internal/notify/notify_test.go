package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
	never.Repeat = 0
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
	code := func(change func(*Facts)) Facts {
		return facts(func(f *Facts) { f.Kind = "authorization_code"; change(f) })
	}
	for name, c := range map[string]struct {
		f    Facts
		now  time.Duration
		want string
		why  []string
	}{
		"as the rule says":       {facts(func(*Facts) {}), 0, "high", nil},
		"nobody knows its end":   {facts(func(*Facts) {}), 1000 * time.Hour, "high", nil},
		"within its usual life":  {code(func(*Facts) {}), 9 * time.Minute, "high", nil},
		"past its usual life":    {code(func(*Facts) {}), 10 * time.Minute, "low", []string{"past_usual_life"}},
		"past it, and info":      {code(func(f *Facts) { f.Rule = "info" }), time.Hour, "info", []string{"past_usual_life"}},
		"its own end counts":     {facts(func(f *Facts) { f.Expires = at(48 * time.Hour) }), 2 * time.Hour, "high", nil},
		"past its own end":       {facts(func(f *Facts) { f.Expires = at(time.Minute) }), time.Minute, "info", []string{"expired"}},
		"ends soon":              {facts(func(f *Facts) { f.Expires = at(4 * time.Minute) }), 0, "medium", []string{"ends_soon"}},
		"bound to a key":         {facts(func(f *Facts) { f.Bound = true }), 0, "medium", []string{"bound"}},
		"only possible":          {facts(func(f *Facts) { f.Confidence = "possible" }), 0, "medium", []string{"possible"}},
		"two steps":              {facts(func(f *Facts) { f.Bound, f.Confidence = true, "possible" }), 0, "low", []string{"bound", "possible"}},
		"no step below the last": {facts(func(f *Facts) { f.Bound, f.Confidence, f.Rule = true, "possible", "low" }), 0, "info", []string{"bound"}},
		"a pair":                 {code(func(f *Facts) { f.Pair, f.Bound, f.Kind = true, true, "code_verifier" }), 0, "critical", []string{"pair"}},
		"a pair that is over":    {code(func(f *Facts) { f.Pair = true }), 10 * time.Minute, "low", []string{"past_usual_life"}},
		"a pair past its end":    {facts(func(f *Facts) { f.Pair, f.Expires = true, epoch }), 0, "info", []string{"expired"}},
		"never ends by itself":   {facts(func(f *Facts) { f.Kind, f.Rule = "client_secret", "critical" }), 100000 * time.Hour, "critical", nil},
		"unknown severity":       {facts(func(f *Facts) { f.Rule = "x" }), 0, "info", nil},
	} {
		got, why := Severity(&c.f, at(c.now))
		if got != c.want || !slices.Equal(why, c.why) {
			t.Errorf("%s: %s %v", name, got, why)
		}
		for _, reason := range why {
			if !slices.Contains(Reasons, reason) {
				t.Errorf("%s has no name", reason)
			}
		}
	}
}

func TestADigestSaysWhatItHolds(t *testing.T) {
	var h Held
	if !h.Due(time.Minute, nil, at(0)).IsZero() {
		t.Error("an empty digest is due")
	}
	const clients = 5000
	for i := range clients {
		h.Add(&Alert{ID: fmt.Sprint("a", i), Sequence: 7, Told: 4, Client: fmt.Sprint("c", i), Kind: "jwt", Severity: "high"}, OverGlobal, at(time.Second))
	}
	h.Add(&Alert{ID: "grave", Sequence: 1, Client: "c0", Kind: "password", Severity: "critical"}, OverClient, at(time.Minute))
	text, err := json.Marshal(h) // as the store keeps it
	if err != nil {
		t.Fatal(err)
	}
	var read Held
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if due := read.Due(time.Minute, []Window{{at(2 * time.Minute), at(time.Hour)}}, at(3*time.Minute)); !due.Equal(at(time.Hour)) {
		t.Errorf("overdue within maintenance: %v", due)
	}
	if due := read.Due(time.Minute, []Window{{at(time.Minute), at(time.Hour)}}, at(0)); !due.Equal(at(time.Hour)) {
		t.Error(due)
	}
	d := read.Take(at(time.Hour))
	if again := h.Take(at(time.Hour)); cmp.Diff(d, again) != "" {
		t.Error(cmp.Diff(d, again))
	}
	listed := d.Others
	for _, c := range d.Clients {
		listed += c.Alerts
	}
	if d.Alerts != clients+1 || d.Detections != 3*clients+1 || d.By[OverGlobal] != clients || d.By[OverClient] != 1 || d.Kinds["jwt"] != clients ||
		listed != d.Alerts || len(d.Clients) != 50 || d.Clients[0] != (Count{"c0", 2}) || len(d.IDs) != 100 || d.Severity != "critical" ||
		!d.From.Equal(at(time.Second)) || !d.Until.Equal(at(time.Hour)) {
		t.Errorf("%+v", d)
	}
	if read.Alerts != 0 || len(text) > 200_000 {
		t.Errorf("%d are left, %d bytes", read.Alerts, len(text))
	}
}

// At most the count at once, and no more in any time than that time gives back.
func TestRate(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		client := Rate{rapid.IntRange(0, 5).Draw(r, "client"), time.Hour}
		all := Rate{rapid.IntRange(0, 8).Draw(r, "all"), time.Hour}
		own, global := map[string]*Bucket{"a": {}, "b": {}}, &Bucket{}
		type take struct {
			at     time.Duration
			client string
		}
		var taken []take
		now := time.Duration(0)
		for range 200 {
			now += time.Duration(rapid.IntRange(-5, 900).Draw(r, "seconds")) * time.Second
			name := rapid.SampledFrom([]string{"a", "b"}).Draw(r, "name")
			switch over := Take(client, all, own[name], global, at(now)); {
			case over == "":
				taken = append(taken, take{now, name})
			case over == OverClient && client.Count == 0, over == OverGlobal && all.Count == 0:
				r.Fatal(over, "without a limit")
			}
		}
		for i, first := range taken {
			n := map[string]int{}
			for _, later := range taken[i:] {
				if later.at-first.at >= time.Hour {
					break
				}
				n[later.client]++
				n[""]++
			}
			if all.Count > 0 && n[""] > 2*all.Count || client.Count > 0 && max(n["a"], n["b"]) > 2*client.Count {
				r.Fatalf("%v in an hour, rates %d and %d", n, client.Count, all.Count)
			}
		}
	})
}

func TestGroupsHaveNamesOfTheirOwn(t *testing.T) {
	all := Alert{Client: "c", Region: "r", Kind: "k", Rule: "u", Severity: "s", Services: []string{"x", "y"}}
	for by, want := range map[string]string{"": `[]`, "client": `["c"]`, "client kind": `["c","k"]`, "region rule severity service": `["r","u","s","x,y"]`} {
		if got := GroupOf(&all, strings.Fields(by)); got != want {
			t.Errorf("%s: %s", by, got)
		}
	}
	by := []string{"client", "region"}
	if GroupOf(&Alert{Client: `a","b`}, by) == GroupOf(&Alert{Client: "a", Region: "b"}, by) {
		t.Error("two groups have one name")
	}
}
