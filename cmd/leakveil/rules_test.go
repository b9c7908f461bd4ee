package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

func TestRulesList(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	text := leakveil(t, "", "rules", "list")
	text.want(t, 0, "ID ", "pkce-verifier", "code_verifier", "(link)")
	if got := strings.Count(text.stdout, "\n"); got != len(set.Rules)+1 {
		t.Errorf("%d lines, want a head and %d rules", got, len(set.Rules))
	}
	var all []ruleLine
	if err := json.Unmarshal([]byte(leakveil(t, "", "rules", "list", "--format", "json").stdout), &all); err != nil {
		t.Fatal(err)
	}
	for i, r := range set.Rules {
		if all[i].ID != r.ID || all[i].Kind != r.Kind || all[i].Pack == "" || all[i].Description != r.Description {
			t.Errorf("rule %d: got %+v", i, all[i])
		}
	}
	less := leakveil(t, "", "rules", "list", "--disable", "pkce-verifier")
	if strings.Contains(less.stdout, "pkce-verifier") {
		t.Error("a disabled rule is listed")
	}
}

const ownPack = `pack: own
rules:
  - id: own-ticket
    kind: api_key
    severity: low
    description: A ticket.
    keys: [zebra_ticket]
    value: {alphabet: base64url, min: 24, max: 64}
    suppress: {exact: [none], starts_with: [test-], ends_with: [-example]}
    examples:
      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}'CLIENT}
`

func TestRulesCheck(t *testing.T) {
	leakveil(t, "", "rules", "check").want(t, 0, " examples found, ", "each filled 20 times")

	good := filepath.Dir(file(t, "own.yaml", strings.Replace(ownPack, "CLIENT", "", 1)))
	leakveil(t, "", "rules", "check", "--rules", good).want(t, 0, " examples found, ")
	leakveil(t, "", "rules", "list", "--rules", good).want(t, 0, "own-ticket")

	bad := file(t, "own.yaml", strings.Replace(ownPack, "CLIENT", ", client: web", 1))
	leakveil(t, "", "rules", "check", "--rules", filepath.Dir(bad)).want(t, 2,
		bad+`:3: rule "own-ticket": examples[0]: want client "web"`, "1 examples of 1 rules fail")

	lint := file(t, "own.yaml", strings.NewReplacer("keys:", "kyes:", "CLIENT", "").Replace(ownPack))
	leakveil(t, "", "rules", "check", "--rules", filepath.Dir(lint)).want(t, 2, lint+":7:", "kyes")
}

// Every rule can be explained, with nothing left out.
func TestRulesExplain(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Rules {
		got := leakveil(t, "", "rules", "explain", r.ID)
		got.want(t, 0, r.ID, string(r.Kind), string(r.Severity), r.Description, "Expressions made from these: ")
		parts := slices.Concat(r.Keys, r.WeakKeys, r.Names, r.Prefixes, r.Schemes, r.References)
		for _, check := range r.Checks {
			parts = append(parts, check+": "+checkMeanings[check])
		}
		got.want(t, 0, parts...)
		if strings.Contains(got.stdout, "{{") {
			t.Errorf("%s: an example is not filled", r.ID)
		}
	}
	dir := filepath.Dir(file(t, "own.yaml", strings.Replace(ownPack, "CLIENT", "", 1)))
	leakveil(t, "", "rules", "explain", "own-ticket", "--rules", dir).want(t, 0,
		"Never values that are: none.", "Never values that start with: test-.", "Never values that end with: -example.")
	leakveil(t, "", "rules", "explain", "own-ticket").want(t, 2, `no rule "own-ticket"`)
}

func TestChecksHaveMeanings(t *testing.T) {
	if len(checkMeanings) != len(rules.CheckNames) {
		t.Errorf("%d meanings for %d checks", len(checkMeanings), len(rules.CheckNames))
	}
	for _, name := range rules.CheckNames {
		if checkMeanings[name] == "" {
			t.Errorf("check %s has no meaning for people", name)
		}
	}
}
