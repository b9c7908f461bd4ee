//go:build cgo

package detect

import (
	"maps"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

type memory map[string][]byte

func (m memory) Load(key string) []byte        { return m[key] }
func (m memory) Store(key string, data []byte) { m[key] = data }

// A database from the cache finds what a compiled one finds.
func TestCachedDatabaseFindsTheSame(t *testing.T) {
	set := defaultSet(t)
	text := "GET /cb?code=" + random(base64url, 43) + "&state=s1"
	cache := memory{}
	for _, run := range []string{"compiled", "loaded"} {
		stored := maps.Clone(cache)
		db, err := CompileCached(cache, set)
		if err != nil {
			t.Fatal(err)
		}
		if run == "loaded" && !maps.EqualFunc(stored, cache, func(a, b []byte) bool { return &a[0] == &b[0] }) {
			t.Error("the second run compiled again")
		}
		s, err := db.NewScanner()
		if err != nil {
			t.Fatal(err)
		}
		if found := scanText(t, s, text); len(found) != 1 {
			t.Errorf("%s: found %d", run, len(found))
		}
		_ = s.Close()
	}
	if len(cache) != 1 {
		t.Errorf("%d databases are stored", len(cache))
	}
}

// A cache that gives another rule set's database, or noise, makes nothing pass.
func TestForeignDatabaseIsNotUsed(t *testing.T) {
	set := defaultSet(t)
	other := &rules.Set{Rules: set.Rules[:3]}
	foreign := memory{}
	if _, err := CompileCached(foreign, other); err != nil {
		t.Fatal(err)
	}
	for _, data := range foreign {
		noise := append([]byte(nil), data...)
		noise[len(noise)/2] ^= 0xff
		for name, bad := range map[string][]byte{"foreign": data, "noise": noise, "cut": data[:len(data)/2]} {
			cache := always{bad}
			db, err := CompileCached(&cache, set)
			if err != nil {
				t.Fatal(err)
			}
			s, err := db.NewScanner()
			if err != nil {
				t.Fatal(err)
			}
			if found := scanText(t, s, "code_verifier="+random(base64url, 43)); len(found) != 1 {
				t.Errorf("%s: found %d", name, len(found))
			}
			_ = s.Close()
		}
	}
}

// always gives the same, whatever is asked for.
type always struct{ data []byte }

func (a *always) Load(string) []byte   { return a.data }
func (a *always) Store(string, []byte) {}

// Each trigger's sample fires it: what proves a stored database proves something.
func TestSamplesFireTheirTriggers(t *testing.T) {
	db := compile(t, defaultSet(t), allRoles...)
	if err := prove(db.matcher, db.triggers); err != nil {
		t.Error(err)
	}
	for _, tr := range db.triggers {
		text := tr.appendSample(nil)
		if tr.end(text, 0) != len(text) {
			t.Errorf("%s: %q is no sample", tr.Expression(), text)
		}
	}
	fewer, err := Compile(&rules.Set{Rules: defaultSet(t).Rules[:3]})
	if err != nil {
		t.Fatal(err)
	}
	if err := prove(fewer.matcher, db.triggers); err == nil {
		t.Error("a smaller database passed for the whole")
	}
}
