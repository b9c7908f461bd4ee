package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

func TestExplainText(t *testing.T) {
	value := randomSecret()
	got := leakveil(t, "", "rules", "explain", "--text", `client_id=web&code_verifier=`+value+`&code_challenge_method=S256&code_challenge=`+randomSecret())
	got.want(t, 0, "Rule pkce-verifier (code_verifier), line 1", `key      byte 14: "code_verifier="`, "value    bytes 28 to 71, 43 long",
		" bits over 43 bytes", "passed   pkce:", "verdict  a finding, certain", "1 findings.")
	got.hides(t, value)
}

// Values that are refused are hidden as well, and every line is told apart.
func TestExplainLinesFromStdin(t *testing.T) {
	value := randomSecret()
	got := leakveil(t, "nothing\nxclient_secret="+value+"\ncode_verifier="+strings.Repeat("x", 43)+"\n", "rules", "explain", "--text", "-")
	got.want(t, 0, "line 2", "REFUSED  key_and_glue", "line 3", "verdict  no finding: placeholder", "0 findings.")
	got.hides(t, value)
	leakveil(t, "", "rules", "explain", "--text", "nothing").want(t, 0, "No trigger fired")
}

func TestExplainTextWrongUse(t *testing.T) {
	leakveil(t, "", "rules", "explain").want(t, 2, "a rule's id, or --text")
	leakveil(t, "", "rules", "explain", "pkce-verifier", "--text", "x").want(t, 2, "two questions")
	leakveil(t, strings.Repeat("x", maxExplained+1), "rules", "explain", "--text", "-").want(t, 2, "more than 1 MiB")
}

// Each question that an example raises has words for people, and no value of an
// example is shown.
func TestExplainHasWordsAndHides(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, r := range set.Rules {
		for _, example := range r.Examples {
			filled, err := example.Render(rnd)
			if err != nil {
				t.Fatal(err)
			}
			report, err := s.Explain([]byte(filled.Text))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range report.Events {
				for _, step := range e.Steps {
					if stepMeaning(step.Name) == "" {
						t.Errorf("no words for %s", step.Name)
					}
				}
			}
			told := newTold([]byte(filled.Text), report)
			for _, f := range report.Findings {
				if strings.Trim(string(told.text[f.Blob:f.End]), "*\n") != "" {
					t.Errorf("%s: a value is shown", r.ID)
				}
			}
		}
	}
}
