package rulecheck

import (
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

func TestEmbeddedPacks(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := Run(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

const head = `pack: test
rules:
  - id: test-ticket
    kind: api_key
    severity: low
    description: A ticket.
    keys: [zebra_ticket]
    value: {alphabet: base64url, min: 24, max: 64}
    examples:
`

func decode(t *testing.T, body string) *rules.Set {
	t.Helper()
	pack, err := rules.Decode("test.yaml", []byte(head+body))
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Set{Packs: []rules.Pack{*pack}, Rules: pack.Rules}
}

// Every way in which a rule can contradict its examples is told, with its place.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"right":       {`      - {text: 'client_id=web zebra_ticket={{.Value}}', value: '{{b64u 32}}', client: web}`, ""},
		"not found":   {`      - {text: 'horse_ticket={{.Value}}', value: '{{b64u 32}}'}`, "examples[0]: want one finding, have 0"},
		"two":         {`      - {text: 'zebra_ticket={{.Value}} zebra_ticket={{b64u 32}}', value: '{{b64u 32}}'}`, "want one finding, have 2"},
		"other value": {`      - {text: 'zebra_ticket=x{{.Value}}', value: '{{b64u 32}}'}`, "33 bytes are found, which are not the value's 32"},
		"other kind":  {`      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}', kind: jwt}`, "want kind jwt, have api_key"},
		"no client":   {`      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}', client: web}`, `want client "web", have "" (unknown)`},
		"client":      {`      - {text: 'client_id=web zebra_ticket={{.Value}}', value: '{{b64u 32}}'}`, `want client "", have "web" (same_record)`},
		"template":    {`      - {text: 'zebra_ticket={{.Value}}', value: '{{nothing 32}}'}`, "the template cannot be filled"},
		"negative": {`      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}'}
    negatives:
      - {text: 'zebra_ticket={{b64u 32}}'}`, `negatives[0]: want no finding, rule "test-ticket" finds api_key`},
	} {
		t.Run(name, func(t *testing.T) {
			problems, err := Run(decode(t, c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(problems) != 0 {
					t.Fatalf("got %v", problems)
				}
				return
			}
			if len(problems) != 1 || !strings.Contains(problems[0].String(), c.want) ||
				!strings.HasPrefix(problems[0].String(), `test.yaml:3: rule "test-ticket": `) {
				t.Fatalf("got %v, want %q", problems, c.want)
			}
		})
	}
}

// A rule that another one takes the values from is told by that rule's name.
func TestTakenByAnotherRule(t *testing.T) {
	set := decode(t, `      - {text: 'zebra_ticket={{.Value}}', value: 'zt_{{b64u 32}}'}
  - id: test-prefix
    kind: access_token
    severity: high
    description: A prefix.
    prefixes: [zt_]
    value: {alphabet: base64url, min: 24, max: 64}
    examples:
      - {text: 'zebra_ticket={{.Value}}', value: 'zt_{{b64u 32}}'}
`)
	problems, err := Run(set)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].Rule != "test-prefix" || !strings.Contains(problems[0].What, `rule "test-ticket" finds the value`) {
		t.Fatalf("got %v", problems)
	}
}

func TestObservations(t *testing.T) {
	const link = `      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}'}
  - id: test-link
    role: link
    description: A public fact.
    keys: [zebra_hash]
    value: {alphabet: base64url, min: 43, max: 43}
    examples:
      - {text: '%s={{.Value}}', value: '{{b64u 43}}'}
`
	for key, want := range map[string]int{"zebra_hash": 0, "horse_hash": 1} {
		problems, err := Run(decode(t, strings.Replace(link, "%s", key, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) != want {
			t.Errorf("%s: got %v", key, problems)
		}
	}
}

func TestEmptySetIsAnError(t *testing.T) {
	if _, err := Run(&rules.Set{}); err == nil {
		t.Error("an empty set passed")
	}
}
