package detect

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// What is explained is what Scan does: over every example of every rule the findings
// are the same, each has an event that led to it, and what was refused has a reason.
func TestExplainIsScan(t *testing.T) {
	set := defaultSet(t)
	s := newScanner(t, set)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, r := range set.Rules {
		for _, e := range append(append(r.Examples[:0:0], r.Examples...), r.Negatives...) {
			filled, err := e.Render(rnd)
			if err != nil {
				t.Fatal(err)
			}
			want := append([]Finding(nil), scanText(t, s, filled.Text)...)
			got, err := s.Explain([]byte(filled.Text))
			if err != nil {
				t.Fatal(err)
			}
			if len(want)+len(got.Findings) > 0 && !reflect.DeepEqual(want, got.Findings) {
				t.Errorf("%s: Scan and Explain differ on an example", r.ID)
			}
			checkReport(t, r.ID, got)
		}
	}
	if s.recorder != nil {
		t.Error("the recorder is left in the scanner")
	}
}

func checkReport(t *testing.T, rule string, got Report) {
	t.Helper()
	named := map[int]bool{}
	for _, e := range got.Events {
		last := e.Steps[len(e.Steps)-1]
		if (e.Verdict == Refused) == last.Passed && (e.Verdict == Refused || last.Name != "cut_off") {
			t.Errorf("%s: verdict %s, last step %+v", rule, e.Verdict, last)
		}
		if e.Verdict == Merged && e.Into == nil {
			t.Errorf("%s: merged into nothing", rule)
		}
		if e.Verdict == Found {
			named[e.KeyStart] = true
		}
	}
	for _, f := range got.Findings {
		if !f.Repeat && !f.Part && !named[f.KeyStart] {
			t.Errorf("%s: no event explains a finding of %s", rule, f.Rule.ID)
		}
	}
}

func TestExplainReasons(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for text, reason := range map[string]string{
		"code_verifier=" + strings.Repeat("x", 43):                 "placeholder",
		"xclient_secret=" + random(base64url, 43):                  "key_and_glue",
		"client_secret=${CLIENT_SECRET_OF_THE_APPLICATION}":        "word_in_brackets",
		"GET /x?code=internal_server_error&state=" + "a1b2c3d4e5f": "neighbours",
	} {
		got, err := s.Explain([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		seen := []string{}
		for _, e := range got.Events {
			if e.Verdict == Refused {
				seen = append(seen, e.Steps[len(e.Steps)-1].Name)
			}
		}
		if !strings.Contains(strings.Join(seen, " "), reason) {
			t.Errorf("%s: refused by %v, want %s", text[:14], seen, reason)
		}
	}
}

func TestShannon(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "aaaa": 0, "abab": 1, "abcdefgh": 3} {
		if got := shannon([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
