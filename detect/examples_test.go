package detect

import (
	"math/rand/v2"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

func defaultSet(t testing.TB) *rules.Set {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newScanner(t testing.TB, set *rules.Set) *Scanner {
	t.Helper()
	s, err := compile(t, set).NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Every example of every rule is found, alone, with exactly its value; no
// negative example has a finding.
func TestExamples(t *testing.T) {
	set := defaultSet(t)
	s := newScanner(t, set)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for _, r := range set.Rules {
		for range 20 {
			for i, e := range r.Examples {
				checkExample(t, s, r, i, e, rnd)
			}
			for i, e := range r.Negatives {
				text := render(t, e, rnd).Text
				var b Batch
				b.SetLines([]byte(text))
				found, _, err := s.Scan(&b)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					t.Errorf("%s negatives[%d]: found %s %s at %q", r.ID, i, f.Rule.ID, f.Kind, text[f.Start:f.End])
				}
			}
		}
	}
}

func render(t *testing.T, e rules.Example, rnd *rand.Rand) rules.Rendered {
	t.Helper()
	out, err := e.Render(rnd)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkExample(t *testing.T, s *Scanner, r rules.Rule, i int, e rules.Example, rnd *rand.Rand) {
	t.Helper()
	want := e.Kind
	if want == "" {
		want = r.Kind
	}
	filled := render(t, e, rnd)
	var b Batch
	b.SetLines([]byte(filled.Text))
	found, _, err := s.Scan(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Errorf("%s examples[%d]: %d findings in %q", r.ID, i, len(found), filled.Text)
		return
	}
	f := found[0]
	if value := string(f.Value(nil, b.Bytes())); value != filled.Value || f.Kind != want || f.Rule.ID != r.ID {
		t.Errorf("%s examples[%d]: got %s %s %q, want %s %q\n%s", r.ID, i, f.Rule.ID, f.Kind, value, want, filled.Value, filled.Text)
	}
}
