package detect

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// portableEvents are all events of the portable engine, in order, repeated ones too.
func portableEvents(t testing.TB, p *portable, text []byte) []event {
	t.Helper()
	var events []event
	if err := p.scan(text, &events); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(events, compareEvents)
	return events
}

// The portable engine sees what the plain matcher sees, each event once, wherever
// in the arena triggers lie.
func TestPortableAgainstPlainMatcher(t *testing.T) {
	set := defaultSet(t)
	db := compile(t, set, allRoles...)
	p := compilePortable(db.triggers)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 5))
	text := sample(t, set, rnd)
	for range 3 {
		text = text[rnd.IntN(4):]
		got, want := portableEvents(t, p, text), slowEvents(db.triggers, text)
		if len(want) < 100 {
			t.Fatalf("the sample has %d events only", len(want))
		}
		report(t, db, text, got, want, "the portable engine alone")
		report(t, db, text, want, got, "the plain matcher alone")
		if len(got) != len(want) {
			t.Errorf("%d events, want %d", len(got), len(want))
		}
	}
}

// Each trigger is found at every place of a short arena, up to its very ends.
func TestPortableFindsTriggersAtTheEnds(t *testing.T) {
	db := compile(t, defaultSet(t), allRoles...)
	p := compilePortable(db.triggers)
	for i, tr := range db.triggers {
		trigger := string(tr.appendSample(nil))
		for before := range 13 {
			for _, after := range []int{0, 1, 2, 13} {
				text := strings.Repeat("\n", before) + trigger + strings.Repeat("\n", after)
				want := event{uint32(i), uint32(before + len(trigger))}
				if got := portableEvents(t, p, []byte(text)); !slices.Contains(got, want) {
					t.Fatalf("%s: not found with %d bytes before and %d after", tr.Expression(), before, after)
				}
				cut := portableEvents(t, p, []byte(text[:before+len(trigger)-1]))
				if slices.ContainsFunc(cut, func(ev event) bool { return ev.trigger == uint32(i) }) {
					t.Fatalf("%s: found though its last byte is missing", tr.Expression())
				}
			}
		}
	}
}

// An arena without an event allocates nothing, and one of any length is scanned.
func TestPortableOfLittle(t *testing.T) {
	p := compilePortable(compile(t, defaultSet(t)).triggers)
	text := []byte(sampleText[:100])
	var events []event
	for n := range text {
		if err := p.scan(text[:n], &events); err != nil || len(events) > 0 {
			t.Fatalf("%d bytes: %v, %v", n, events, err)
		}
	}
	if n := testing.AllocsPerRun(20, func() { _ = p.scan(text, &events) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Shapes alone need no trigger.
func TestPortableOfNothing(t *testing.T) {
	p := compilePortable(nil)
	if events := portableEvents(t, p, []byte("code=abcdefghijklmnop")); len(events) > 0 {
		t.Errorf("%v", events)
	}
}

// Random rules: triggers of every form, sharing beginnings, with prefixes of three
// to ten bytes and classes in them.
func TestPortableOnRandomRules(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 6))
	for range 30 {
		triggers := randomTriggers(rnd)
		p := compilePortable(triggers)
		var text []byte
		for range 200 {
			line := triggers[rnd.IntN(len(triggers))].appendSample(nil)
			for range rnd.IntN(3) {
				line[rnd.IntN(len(line))] = "abAB01=-"[rnd.IntN(8)]
			}
			text = append(text, line[rnd.IntN(3):]...)
		}
		if got, want := portableEvents(t, p, text), slowEvents(triggers, text); !slices.Equal(got, want) {
			for _, tr := range triggers {
				t.Log(tr.Expression())
			}
			t.Fatalf("got %v\nwant %v\nin %q", got, want, text)
		}
	}
}

func randomTriggers(rnd *rand.Rand) (out []*Trigger) {
	sets := []*set{setOf("aA"), setOf("bB"), setOf("a"), setOf("B"), setOf("01"), setOf("="), setOf("-="), setOf("ab0123="), alphabets["base64url"]}
	for range 1 + rnd.IntN(30) {
		tr := &Trigger{Rule: &rules.Rule{ID: "random"}}
		for range 3 + rnd.IntN(6) {
			tr.elems = append(tr.elems, elem{set: sets[rnd.IntN(len(sets)-1)], n: 1})
		}
		tr.elems = append(tr.elems, elem{set: sets[rnd.IntN(len(sets))], n: 1 + rnd.IntN(8)})
		if tr.check() == nil {
			out = append(out, tr)
		}
	}
	if len(out) == 0 {
		return randomTriggers(rnd)
	}
	return out
}
