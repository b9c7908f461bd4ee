package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

var allRoles = []rules.Role{rules.RoleSecret, rules.RoleLink, rules.RoleClient, rules.RoleOutcome}

// compiled keeps the databases of the embedded packs, by their roles.
var compiled = map[string]*Database{}

// compile compiles the embedded packs, once for each list of roles.
func compile(t testing.TB, set *rules.Set, roles ...rules.Role) *Database {
	t.Helper()
	key := fmt.Sprint(roles)
	if compiled[key] == nil {
		db, err := Compile(set, roles...)
		if err != nil {
			t.Fatal(err)
		}
		compiled[key] = db
	}
	return compiled[key]
}

// What the engine relies on holds for every trigger of the embedded packs.
func TestTriggersHaveAFixedShape(t *testing.T) {
	for _, tr := range compile(t, defaultSet(t), allRoles...).Triggers() {
		if err := tr.check(); err != nil {
			t.Error(err)
		}
		for i, e := range tr.elems {
			if e.n < 1 || e.n > weakTail+4 || e.set.len() == 0 || e.set['\n'] && (tr.form != formKey || i < len(tr.elems)-1) {
				t.Errorf("%s %q: element %v{%d}", tr.Rule.ID, tr.Key, e.set.class(), e.n)
			}
		}
		if strings.ContainsAny(tr.Expression(), "\n*+.") {
			t.Errorf("%s %q: open expression %q", tr.Rule.ID, tr.Key, tr.Expression())
		}
		if tr.Expansion()[0] == nil {
			t.Errorf("%s %q: no expansion", tr.Rule.ID, tr.Key)
		}
	}
}

// A trigger that breaks the engine's needs is refused, with the rule's name.
func TestBadTriggersAreRefused(t *testing.T) {
	r := &rules.Rule{ID: "bad-rule"}
	letters := func(n int) []elem { return literalElems(strings.Repeat("a", n), false) }
	for name, tc := range map[string]struct {
		elems []elem
		want  string
	}{
		"newline":     {append(append(letters(8), elem{set: setOf("x\n"), n: 1}), letters(1)...), "can match a newline"},
		"newlines":    {append(letters(8), elem{set: setOf("x\n"), n: 2}), "can match a newline"},
		"end of line": {append(letters(8), elem{set: setOf("x\n"), n: 1}), ""},
		"too long":    {letters(maxTrigger + 1), "spans"},
		"too short":   {letters(4), "no five bytes in a row"},
		"too open":    {[]elem{{set: alphabets["base64url"], n: 8}}, "expands to more than"},
		"fitting":     {letters(8), ""},
		"long enough": {append(letters(4), elem{set: blank, n: 1}), ""},
	} {
		err := (&Trigger{Rule: r, Key: "k", elems: tc.elems}).check()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "bad-rule")):
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// end is where the trigger ends when it begins at p, or -1: the plainest matcher
// that there is, to judge the engine by.
func (t *Trigger) end(text []byte, p int) int {
	for _, e := range t.elems {
		for range e.n {
			if p >= len(text) || !e.set[text[p]] {
				return -1
			}
			p++
		}
	}
	return p
}

// slowEvents finds all events of all triggers, without an engine.
func slowEvents(triggers []*Trigger, text []byte) []event {
	var out []event
	for i, t := range triggers {
		for p := range text {
			if end := t.end(text, p); end >= 0 {
				out = append(out, event{uint32(i), uint32(end)})
			}
		}
	}
	return sorted(out)
}

func sorted(events []event) []event {
	slices.SortFunc(events, compareEvents)
	return slices.Compact(events)
}

// sample is text full of near and true triggers: examples, negatives, and
// pieces of them cut and joined at random places.
func sample(t testing.TB, set *rules.Set, rnd *rand.Rand) []byte {
	t.Helper()
	var lines []string
	for _, r := range set.Rules {
		for _, e := range append(slices.Clone(r.Examples), r.Negatives...) {
			out, err := e.Render(rnd)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, out.Text[:min(len(out.Text), 300)])
		}
	}
	for range len(lines) {
		a, b := lines[rnd.IntN(len(lines))], lines[rnd.IntN(len(lines))]
		lines = append(lines, a[:rnd.IntN(len(a)+1)]+b[rnd.IntN(len(b)+1):])
	}
	return []byte(strings.Join(lines, "\n"))
}

// The engine and the plain matcher see the same events.
func TestEngineAgainstPlainMatcher(t *testing.T) {
	set := defaultSet(t)
	db := compile(t, set, allRoles...)
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := sample(t, set, rand.New(rand.NewPCG(rand.Uint64(), 2)))
	if err := s.collect(text); err != nil {
		t.Fatal(err)
	}
	events := slices.DeleteFunc(slices.Clone(s.events), func(ev event) bool { return s.db.trigger(ev).form == formShape })
	got, want := sorted(events), slowEvents(db.Triggers(), text)
	if len(want) < 100 {
		t.Fatalf("the sample has %d events only", len(want))
	}
	report(t, db, text, got, want, "the engine alone")
	report(t, db, text, want, got, "the plain matcher alone")
}

// report tells the first events of a that b lacks.
func report(t *testing.T, db *Database, text []byte, a, b []event, who string) {
	t.Helper()
	told := 0
	for _, ev := range a {
		if _, ok := slices.BinarySearchFunc(b, ev, compareEvents); !ok && told < 5 {
			told++
			tr := db.triggers[ev.trigger]
			t.Errorf("%s: %s %q behind %q", who, tr.Rule.ID, tr.Expression(), text[max(0, int(ev.to)-40):ev.to])
		}
	}
}

// holds reports whether text has, at p, one byte of each set.
func holds(sets [window]*set, text []byte, p int) bool {
	for i, in := range sets {
		if !in[text[p+i]] {
			return false
		}
	}
	return true
}

func windowBefore(tr *Trigger, text []byte, to int) bool {
	for p := max(0, to-maxTrigger); p+window <= to; p++ {
		if holds(tr.Expansion(), text, p) {
			return true
		}
	}
	return false
}

// Wherever a trigger ends, its window of five bytes lies just before: an
// engine that knows only literals misses nothing.
func TestExpansionFindsEveryEvent(t *testing.T) {
	set := defaultSet(t)
	db := compile(t, set, allRoles...)
	text := sample(t, set, rand.New(rand.NewPCG(rand.Uint64(), 3)))
	for _, ev := range slowEvents(db.Triggers(), text) {
		tr := db.triggers[ev.trigger]
		if !windowBefore(tr, text, int(ev.to)) {
			t.Fatalf("%s %q: no window in %q", tr.Rule.ID, tr.Expression(), text[max(0, int(ev.to)-40):ev.to])
		}
	}
}

// Every example is found through a trigger of its own rule.
func TestExamplesFireTheirOwnTriggers(t *testing.T) {
	set := defaultSet(t)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 4))
	triggers := compile(t, set, allRoles...).Triggers()
	for _, r := range set.Rules {
		if len(r.Shapes) > 0 { // no matter for the engine
			continue
		}
		for i, e := range r.Examples {
			text := []byte(render(t, e, rnd).Text)
			if !slices.ContainsFunc(slowEvents(triggers, text), func(ev event) bool { return triggers[ev.trigger].Rule.ID == r.ID }) {
				t.Errorf("%s examples[%d]: no trigger of the rule fires", r.ID, i)
			}
		}
	}
}

func TestCompileRefusesNothingToFind(t *testing.T) {
	for name, set := range map[string]*rules.Set{
		"no rules":          {},
		"no rule of a role": {Rules: []rules.Rule{{ID: "a", Role: rules.RoleLink, Keys: []string{"long_key"}}}},
	} {
		if _, err := Compile(set); err == nil || !strings.Contains(err.Error(), "empty database") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every check that rules may name has a function.
func TestChecksHaveFunctions(t *testing.T) {
	for _, name := range rules.CheckNames {
		if checkFuncs[name] == nil {
			t.Errorf("check %q has no function", name)
		}
	}
	if len(checkFuncs) != len(rules.CheckNames) {
		t.Errorf("%d functions for %d names", len(checkFuncs), len(rules.CheckNames))
	}
}
