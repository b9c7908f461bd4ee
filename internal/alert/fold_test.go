package alert

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leakveil/leakveil/internal/event"
)

var epoch = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

var testKey = randomKey()

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

// sample returns the detection number n of client, seen after the epoch.
func sample(client string, n int, after time.Duration) event.Detection {
	where := event.Where{Topic: "app-logs", Partition: 3, Offset: int64(n), Field: "value", Start: 10, End: 53}
	return event.Detection{
		ID: DetectionID(testKey, where, "pkce-verifier"), Time: epoch.Add(after),
		Kind: "code_verifier", Rule: "pkce-verifier", Severity: "medium", Confidence: "certain",
		Client:      event.Client{ID: client, How: event.SameRecord, Confidence: "likely"},
		Fingerprint: fmt.Sprintf("fingerprint-%010d", n), KeyID: "k1",
		Where: where, Service: "login", Region: "eu-west-1", Action: "mask",
	}
}

// fataler is what testing.TB and rapid.T have in common here.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newTestFold(t fataler, c Config) (*Fold, *clock) {
	t.Helper()
	clock := &clock{epoch}
	c.Key, c.Now = testKey, clock.Now
	f, err := NewFold(c)
	if err != nil {
		t.Fatal(err)
	}
	return f, clock
}

func TestNewFoldRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"short key":       {Key: []byte("short")},
		"tiny window":     {Key: testKey, Window: time.Millisecond},
		"negative idle":   {Key: testKey, Idle: -1},
		"negative groups": {Key: testKey, MaxGroups: -1},
	} {
		if _, err := NewFold(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFoldCountsOnce(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	for i, want := range []bool{true, false} {
		if got := f.Add(int64(i), epoch, sample("spa", 1, 0)); got != want {
			t.Errorf("Add number %d = %v, want %v", i, got, want)
		}
	}
	f.Add(2, epoch, sample("spa", 2, 4*time.Minute))
	alerts := f.Changed()
	if len(alerts) != 1 {
		t.Fatalf("%d alerts, want 1", len(alerts))
	}
	a := alerts[0]
	if a.Count != 2 || a.Sequence != 2 || a.FingerprintCount != 2 {
		t.Errorf("count %d, sequence %d, fingerprints %d, want 2 each", a.Count, a.Sequence, a.FingerprintCount)
	}
	if !a.FirstSeen.Equal(epoch) || !a.LastSeen.Equal(epoch.Add(4*time.Minute)) {
		t.Errorf("seen %s to %s", a.FirstSeen, a.LastSeen)
	}
	if a.First.Offset != 1 || a.Last.Offset != 2 {
		t.Errorf("places %d and %d, want 1 and 2", a.First.Offset, a.Last.Offset)
	}
}

func TestFoldGroups(t *testing.T) {
	base := sample("spa", 1, 0)
	changes := map[string]func(*event.Detection){
		"client":  func(d *event.Detection) { d.Client.ID = "other" },
		"unknown": func(d *event.Detection) { d.Client = event.Client{How: event.Unknown} },
		"ambiguous": func(d *event.Detection) {
			d.Client = event.Client{How: event.Ambiguous, Candidates: []string{"a", "b"}}
		},
		"kind":   func(d *event.Detection) { d.Kind = "jwt" },
		"rule":   func(d *event.Detection) { d.Rule = "other" },
		"topic":  func(d *event.Detection) { d.Where.Topic = "other" },
		"file":   func(d *event.Detection) { d.Where = event.Where{File: "app-logs"} },
		"region": func(d *event.Detection) { d.Region = "us" },
		"key":    func(d *event.Detection) { d.KeyID = "k2" },
		"window": func(d *event.Detection) { d.Time = d.Time.Add(5 * time.Minute) },
	}
	f, _ := newTestFold(t, Config{})
	f.Add(0, epoch, base)
	pos := int64(0)
	for name, change := range changes {
		d := base
		change(&d)
		before := f.Open()
		pos++
		f.Add(pos, epoch, d)
		if f.Open() != before+1 {
			t.Errorf("another %s opened no alert of its own", name)
		}
	}
	same := base
	same.ID, same.Service, same.Where.Partition = DetectionID(testKey, event.Where{Line: 9}, "x"), "billing", 5
	before := f.Open()
	f.Add(pos+1, epoch, same)
	if f.Open() != before {
		t.Error("another service and partition opened an alert of their own")
	}
}

func TestFoldEmission(t *testing.T) {
	f, clock := newTestFold(t, Config{Interval: time.Minute, Idle: 10 * time.Minute})
	sequences := func() (out []int64) {
		for _, a := range f.Changed() {
			out = append(out, a.Sequence)
		}
		return out
	}
	check := func(step string, want ...int64) {
		t.Helper()
		if diff := cmp.Diff(want, sequences()); diff != "" {
			t.Errorf("%s: sequences (-want +got)\n%s", step, diff)
		}
	}
	f.Add(0, epoch, sample("spa", 0, 0))
	check("the first at once", 1)
	f.Add(1, epoch, sample("spa", 1, 0))
	f.Add(2, epoch, sample("spa", 2, 0))
	check("within the interval")
	clock.now = clock.now.Add(time.Minute)
	check("after the interval", 3)
	check("unchanged")
	f.Add(3, epoch, sample("spa", 3, 0))
	f.Add(4, epoch.Add(10*time.Minute), sample("other", 4, 0))
	check("the last at closing, the other's first", 4, 1)
	f.Add(5, epoch.Add(10*time.Minute), sample("other", 5, 0))
	if got := f.Flush(); len(got) != 1 || got[0].Sequence != 2 {
		t.Errorf("Flush = %d alerts, want one with sequence 2", len(got))
	}
}

func TestFoldReopensUnderAnotherID(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	f.Add(0, epoch, sample("spa", 0, 0))
	f.Add(1, epoch.Add(11*time.Minute), sample("spa", 1, 0))
	alerts := f.Changed()
	if len(alerts) != 2 {
		t.Fatalf("%d alerts, want the closed and the new one", len(alerts))
	}
	if alerts[0].ID == alerts[1].ID || alerts[0].GroupID != alerts[1].GroupID {
		t.Error("want two ids and one group id")
	}
}

func TestFoldBounds(t *testing.T) {
	f, _ := newTestFold(t, Config{MaxGroups: 3})
	for i := range 10 {
		f.Add(int64(i), epoch, sample(fmt.Sprint("client-", i), i, 0))
	}
	if f.Open() != 3 {
		t.Errorf("%d open alerts, want 3", f.Open())
	}
	if got := len(f.Changed()); got != 10 {
		t.Errorf("%d alerts, want all 10: closing hands out the last state", got)
	}
	for i := range 150 {
		d := sample("many", 100+i, 0)
		d.Service = fmt.Sprint("service-", i)
		f.Add(int64(100+i), epoch, d)
	}
	var many Alert
	for _, a := range f.Flush() {
		if a.Client.ID == "many" {
			many = a
		}
	}
	if len(many.Fingerprints) != maxFingerprints || many.FingerprintCount != 150 {
		t.Errorf("%d fingerprints of %d, want 100 of 150", len(many.Fingerprints), many.FingerprintCount)
	}
	if len(many.Services) != maxServices {
		t.Errorf("%d services, want %d", len(many.Services), maxServices)
	}
}

func TestSeenForgets(t *testing.T) {
	s := newSeen(4)
	for i := range 1000 {
		if !s.add(fmt.Sprint(i), 7) {
			t.Fatalf("id %d is not new", i)
		}
	}
	if len(s.last) != 4 || len(s.ring) != 4 {
		t.Errorf("%d ids and %d slots kept, want 4", len(s.last), len(s.ring))
	}
	if s.add("999", 7) || !s.add("999", 8) {
		t.Error("a repeated id counts within its alert only")
	}
}

func TestFoldKeepsTheHighest(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	low, high := sample("spa", 0, 0), sample("spa", 1, 0)
	low.Severity, low.Confidence, low.Client.Confidence = "low", "possible", "possible"
	high.Severity, high.Confidence = "critical", "proven"
	high.Client.How, high.Client.Confidence = event.JWTClaim, "certain"
	for i, d := range []event.Detection{low, high, low} {
		d.ID = DetectionID(testKey, event.Where{Line: int64(i)}, "r")
		f.Add(int64(i), epoch, d)
	}
	a := f.Changed()[0]
	if a.Severity != "critical" || a.Confidence != "proven" || a.Client.How != event.JWTClaim {
		t.Errorf("severity %s, confidence %s, how %s", a.Severity, a.Confidence, a.Client.How)
	}
}

// An alert that was opened under a key that signs no more keeps its id when that is known.
func TestAlertsKeepTheirIDsWhenTheKeyChanges(t *testing.T) {
	older, newer := randomKey(), randomKey()
	d := sample("a", 1, 0) // of k1
	first := func(c Config) Alert {
		f, err := NewFold(c)
		if err != nil {
			t.Fatal(err)
		}
		f.Add(0, epoch, d)
		return f.Changed()[0]
	}
	before := first(Config{Key: older})
	if after := first(Config{Key: newer, Older: map[string][]byte{"k1": older, "k0": newer}}); cmp.Diff(before, after) != "" {
		t.Errorf("the alert has changed:\n%s", cmp.Diff(before, after))
	}
	if after := first(Config{Key: newer, Older: map[string][]byte{"k0": older}}); after.ID == before.ID || after.GroupID == before.GroupID {
		t.Error("ids do not depend on the key")
	}
}
