//go:build cgo

package detect

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// The forms differ in what the engine gets, not in how many triggers there are.
func TestFormsDiffer(t *testing.T) {
	db := compile(t, defaultSet(t))
	shorter := 0
	for _, tr := range db.triggers {
		long, short := Classes.Expression(tr), Literals.Expression(tr)
		if long != tr.Expression() || !strings.HasPrefix(long, short) {
			t.Errorf("%s: classes %q, literals %q", tr.Key, long, short)
		}
		if short != long {
			shorter++
		}
	}
	if shorter < 100 {
		t.Errorf("%d triggers are shorter", shorter)
	}
}

// someRules compile in no time.
func someRules(t *testing.T) *rules.Set {
	t.Helper()
	for _, r := range defaultSet(t).Rules {
		if r.ID == "pkce-verifier" {
			return &rules.Set{Rules: []rules.Rule{r}}
		}
	}
	t.Fatal("no rule of verifiers")
	return nil
}

// The choice is made once: the second start takes the form, and its database, from
// the cache; a form that is fixed has a database of its own there.
func TestFormIsChosenOnce(t *testing.T) {
	set := someRules(t)
	cache := &counted{memory: memory{}}
	text := "code_verifier=" + random(base64url, 43)
	for _, form := range []EngineForm{AutoForm, AutoForm, Classes, Literals, AutoForm} {
		db, err := CompileWith(Options{Form: form, Cache: cache}, set)
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Form(); !slices.Contains(EngineForms, got) || form != AutoForm && got != form {
			t.Errorf("%s: compiled in the form %q", form, got)
		}
		s, err := db.NewScanner()
		if err != nil {
			t.Fatal(err)
		}
		if found := scanText(t, s, text); len(found) != 1 {
			t.Errorf("%s: found %d", form, len(found))
		}
		_ = s.Close()
	}
	if len(cache.memory) != 3 || cache.stores != 3 {
		t.Errorf("%d entries, stored %d times", len(cache.memory), cache.stores)
	}
}

type counted struct {
	memory
	stores int
}

func (c *counted) Store(key string, data []byte) {
	c.stores++
	c.memory.Store(key, data)
}

// What the cache says about the form is proved like the rest of it.
func TestForeignFormIsNotUsed(t *testing.T) {
	set := someRules(t)
	good := memory{}
	if _, err := CompileWith(Options{Form: AutoForm, Cache: good}, set); err != nil {
		t.Fatal(err)
	}
	for _, data := range good {
		for _, form := range EngineForms {
			data := bytes.TrimSuffix(bytes.TrimSuffix(data, []byte(Literals)), []byte(Classes))
			db, err := CompileWith(Options{Form: AutoForm, Cache: &always{append(slices.Clone(data), form...)}}, set)
			if err != nil {
				t.Fatal(err)
			}
			if err := prove(db.matcher, db.triggers); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	}
}

func matcherOf(set *rules.Set) (*hyperscanMatcher, error) {
	db, err := generate(set)
	if err != nil {
		return nil, err
	}
	return compileHyperscan(db.triggers, Classes)
}

// Of matchers the one that scans the sample faster is taken, and the first of equals.
func TestFastestIsTaken(t *testing.T) {
	few, err := matcherOf(someRules(t))
	if err != nil {
		t.Fatal(err)
	}
	many, err := matcherOf(defaultSet(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		all  []*hyperscanMatcher
		want int
	}{
		{"the faster first", []*hyperscanMatcher{few, many}, 0},
		{"the faster last", []*hyperscanMatcher{many, few}, 1},
	} {
		if got, err := fastest(tc.all); err != nil || got != tc.want {
			t.Errorf("%s: %d, %v", tc.name, got, err)
		}
	}
}

// What is measured is mostly the engine's own work: of log text few events come.
func TestLogTextHasFewEvents(t *testing.T) {
	e, err := compile(t, defaultSet(t)).matcher.engine()
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	var events []event
	text := logText()
	if err := e.scan(text, &events); err != nil {
		t.Fatal(err)
	}
	if n := len(events); len(text) < sampleSize || n == 0 || n > len(text)/1024 {
		t.Errorf("%d events in %d bytes", n, len(text))
	}
}

// An engine form that is none is refused, whatever the engine.
func TestFormIsChecked(t *testing.T) {
	for _, engine := range Engines() {
		if _, err := CompileWith(Options{Engine: engine, Form: "longest"}, defaultSet(t)); err == nil || !strings.Contains(err.Error(), "longest") {
			t.Errorf("%s: %v", engine, err)
		}
	}
}
