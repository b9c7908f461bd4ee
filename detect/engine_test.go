//go:build cgo

package detect

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// bothEngines gives the events of both, in order.
type bothEngines struct {
	db        *Database
	hyperscan engine // in the form of Classes
	literals  engine
	portable  *portable
}

func newBothEngines(t testing.TB) *bothEngines {
	t.Helper()
	db := compile(t, defaultSet(t), allRoles...)
	e, err := db.matcher.engine()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close() })
	m, err := compileHyperscan(db.triggers, Literals)
	if err != nil {
		t.Fatal(err)
	}
	literals, err := m.engine()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = literals.close() })
	return &bothEngines{db, e, literals, compilePortable(db.triggers)}
}

// compare fails where the engines' events differ, and returns their number.
func (b *bothEngines) compare(t *testing.T, text []byte) int {
	t.Helper()
	var want []event
	if err := b.hyperscan.scan(text, &want); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(want, compareEvents)
	var same []event
	if err := b.literals.scan(text, &same); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(same, compareEvents)
	if !slices.Equal(same, want) {
		report(t, b.db, text, same, want, "Hyperscan with literals alone")
		report(t, b.db, text, want, same, "Hyperscan with classes alone")
		t.Fatalf("%d events with literals, %d with classes", len(same), len(want))
	}
	got := portableEvents(t, b.portable, text)
	if !slices.Equal(got, want) {
		report(t, b.db, text, got, want, "the portable engine alone")
		report(t, b.db, text, want, got, "Hyperscan alone")
		t.Fatalf("the portable engine has %d events, Hyperscan %d", len(got), len(want))
	}
	return len(want)
}

// Both engines have the same events on examples, and on text that was cut, joined
// and changed byte by byte.
func TestEnginesAgree(t *testing.T) {
	both := newBothEngines(t)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 8))
	events := 0
	for range 20 {
		text := sample(t, defaultSet(t), rnd)
		events += both.compare(t, text)
		for range len(text) / 20 {
			text[rnd.IntN(len(text))] = byte(rnd.IntN(256))
		}
		events += both.compare(t, text[rnd.IntN(3):])
	}
	if events < 10000 {
		t.Errorf("%d events only", events)
	}
}

// FuzzEngines splices pieces of triggers into what the fuzzer makes up.
func FuzzEngines(f *testing.F) {
	both := newBothEngines(f)
	f.Add([]byte("GET /cb?code=\x00&id_token=\x01"), uint64(1))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		both.compare(t, text)
		rnd := rand.New(rand.NewPCG(seed, 9))
		var spliced strings.Builder
		for i, c := range text {
			spliced.WriteByte(c)
			if i < 200 && c < ' ' {
				piece := both.db.triggers[rnd.IntN(len(both.db.triggers))].appendSample(nil)
				spliced.Write(piece[rnd.IntN(2) : len(piece)-rnd.IntN(2)])
			}
		}
		both.compare(t, []byte(spliced.String()))
	})
}

// A build knows which engines it has.
func TestResolve(t *testing.T) {
	for _, tc := range []struct{ name, want Engine }{
		{"", Hyperscan}, {Auto, Hyperscan}, {Hyperscan, Hyperscan}, {Portable, Portable}, {"other", ""},
	} {
		got, err := tc.name.Resolve()
		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("%q: %q, %v", tc.name, got, err)
		}
	}
}

// Where events outgrow the room for them, the scan is made again: none is lost, none
// stands twice.
func TestEventsOutgrowTheirRoom(t *testing.T) {
	both := newBothEngines(t)
	text := []byte(strings.Repeat("&code="+random(base64url, 12), 20*firstEvents))
	if n := both.compare(t, text); n < 20*firstEvents {
		t.Errorf("%d events only", n)
	}
	events := []event{{1, 2}}
	if err := both.hyperscan.scan(text[:18], &events); err != nil || len(events) < 2 || events[0] != (event{1, 2}) {
		t.Errorf("%v, %v: the events before are kept", events, err)
	}
}

// A scan that fails is an error, no finding, and no matter for the next scan.
func TestScannerSurvivesAFailingEngine(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	if err := s.engine.close(); err != nil {
		t.Fatal(err)
	}
	var b Batch
	b.SetLines([]byte("GET /cb?code=" + random(base64url, 43) + "&state=s1"))
	if found, _, err := s.Scan(&b); err == nil || len(found) > 0 {
		t.Fatalf("found %d, error %v", len(found), err)
	}
	if again := scanText(t, s, string(b.Bytes())); len(again) != 1 {
		t.Errorf("afterwards found %d", len(again))
	}
}
