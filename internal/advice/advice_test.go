package advice

import (
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

func TestTableIsSound(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range set.Rules {
		ids = append(ids, r.ID)
	}
	if len(systems) < 20 || !slices.IsSorted(Names()) || len(slices.Compact(Names())) != len(systems) {
		t.Error(Names())
	}
	for _, s := range systems {
		for _, head := range s.Rules {
			if !slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, head) }) {
				t.Errorf("%s: no rule begins with %s", s.Name, head)
			}
		}
		for _, c := range s.Calls {
			if c.Call == "" || c.Auth == "" || c.Answer == "" || len(c.Kinds) == 0 {
				t.Errorf("%s: %+v", s.Name, c)
			}
			for _, kind := range c.Kinds {
				if !slices.Contains(rules.Kinds(), rules.Kind(kind)) {
					t.Errorf("%s: %s is no kind", s.Name, kind)
				}
			}
		}
	}
}

// Each kind has one place in the order.
func TestEveryKindHasItsPlace(t *testing.T) {
	seen := map[int]bool{}
	for _, kind := range rules.Kinds() {
		at := Urgency(string(kind))
		if at == len(order) || seen[at] {
			t.Errorf("%s is at %d", kind, at)
		}
		seen[at] = true
	}
	if len(seen) != len(order) || Urgency("nothing") != len(order) {
		t.Error(len(seen), len(order))
	}
}

func TestSystemsByRule(t *testing.T) {
	for rule, want := range map[string]string{"github-oauth-token": "github", "keycloak-authorization-code": "keycloak", "fosite-bare-token": "hydra"} {
		if s := Of(rule); s == nil || s.Name != want || s != Named(want) {
			t.Errorf("%s: %v", rule, s)
		}
	}
	if s := Of("access-token"); s != nil || s.For("access_token") != nil || Named("nothing") != nil {
		t.Error("a system of any rule")
	}
	calls := Named("okta").For("refresh_token")
	if len(calls) != 2 || !strings.Contains(calls[1].Call, "/clients/{client}/tokens") {
		t.Error(calls)
	}
}
