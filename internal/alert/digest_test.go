package alert

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/internal/notify"
)

func TestReasonsAreThoseOfTheirMaker(t *testing.T) {
	ours, theirs := slices.Sorted(slices.Values(reasons)), slices.Sorted(slices.Values(notify.Reasons))
	if !slices.Equal(ours, theirs) {
		t.Errorf("%v, not %v", ours, theirs)
	}
}

func TestDigestFollowsItsSchema(t *testing.T) {
	schema := compileSchema(t, "digest-v1.json")
	rapid.Check(t, func(r *rapid.T) {
		from := epoch.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(r, "from")))
		d := Digest{
			ID: DigestID(goldenKey, from, from.Add(time.Hour)), From: from, Until: from.Add(time.Hour), Alerts: rapid.Int64Range(1, 1e9).Draw(r, "alerts"),
			Detections: 7, Severity: "high", Reasons: map[string]int64{"global_rate": 3, "client_rate": 4}, Kinds: map[string]int64{"jwt": 7},
			Severities: map[string]int64{"high": 7}, Others: 1, AlertIDs: []string{"AAAAAAAAAAAAAAAAAAAAAA"},
		}
		for range rapid.IntRange(0, 50).Draw(r, "clients") {
			d.Clients = append(d.Clients, ClientCount{hostile(r, "client") + "x", 3})
		}
		line := MarshalDigest(d)
		if err := validate(schema, line); err != nil {
			r.Fatal(err)
		}
		if bytes.ContainsAny(line, "\n\r\x00\x1b\x7f\u2028\u202e") || IsDetection(line) || !bytes.Contains(line, []byte(`"reasons":["client_rate=4","global_rate=3"]`)) {
			r.Fatalf("%q", line)
		}
	})
}

func TestDigestsHaveIDsOfTheirTime(t *testing.T) {
	a := DigestID(goldenKey, epoch, epoch.Add(time.Hour))
	if a != DigestID(goldenKey, epoch, epoch.Add(time.Hour)) || a == DigestID(goldenKey, epoch, epoch.Add(2*time.Hour)) || len(a) != idLen {
		t.Error(a)
	}
}

// What is expected of traffic of tests: an alert of its own, and the others' ids as
// they were.
func TestSyntheticTrafficHasAlertsOfItsOwn(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	real, test := sample("shop", 1, 0), sample("shop", 2, 0)
	test.Traffic = "anything"
	f.Add(0, epoch, real)
	f.Add(1, epoch, test)
	all := f.Changed()
	if len(all) != 2 || all[0].Traffic != "" || all[1].Traffic != "synthetic" || all[0].GroupID == all[1].GroupID {
		t.Fatalf("%+v", all)
	}
	if err := validate(compileSchema(t, "alert-v1.json"), MarshalAlert(all[1])); err != nil {
		t.Error(err)
	}
}

// Severity, its reasons and the end of an alert are those of what is gravest and
// lasts longest.
func TestWhatIsGravestAndLastsLongest(t *testing.T) {
	f, _ := newTestFold(t, Config{})
	add := func(n int, severity string, expires time.Duration, reasons ...string) Alert {
		d := sample("shop", n, 0)
		d.Severity, d.Reasons = severity, append(reasons, "no such reason")
		if expires > 0 {
			d.Expires = epoch.Add(expires)
		}
		f.Add(int64(n), epoch, d)
		all := f.Flush()
		if err := validate(compileSchema(t, "alert-v1.json"), MarshalAlert(all[0])); err != nil {
			t.Fatal(err)
		}
		if err := validate(compileSchema(t, "detection-v1.json"), MarshalDetection(d, epoch)); err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	for n, c := range []struct {
		severity string
		expires  time.Duration
		reasons  []string
		want     string
		ends     time.Duration
		why      int
	}{
		{"medium", time.Hour, []string{"bound"}, "medium", time.Hour, 1},
		{"medium", 2 * time.Hour, []string{"possible"}, "medium", 2 * time.Hour, 2},
		{"critical", time.Minute, []string{"pair"}, "critical", 2 * time.Hour, 1},
		{"info", time.Minute, []string{"expired"}, "critical", 2 * time.Hour, 1},
		{"low", 0, nil, "critical", 0, 1},
		{"low", time.Hour, nil, "critical", 0, 1},
	} {
		a := add(n+1, c.severity, c.expires, c.reasons...)
		ends := time.Duration(0)
		if !a.Expires.IsZero() {
			ends = a.Expires.Sub(epoch)
		}
		if a.Severity != c.want || ends != c.ends || len(a.Reasons) != c.why {
			t.Errorf("%d: %s %v ends after %v", n, a.Severity, a.Reasons, ends)
		}
	}
}
