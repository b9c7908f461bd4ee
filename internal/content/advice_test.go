package content_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/advice"
	"github.com/leakveil/leakveil/internal/content"
)

var (
	endpoint = regexp.MustCompile(`(?:GET|PUT|POST|DELETE) (?:https://[a-z0-9.]+)?(/[^ ,]+)`)
	variable = regexp.MustCompile(`\$[A-Z_]+`)
	braces   = regexp.MustCompile(`\{[^}]*\}`)
)

// What leakveil clients says to call is on the page of the kind, as a command: the
// two tables tell the same.
func TestAdviceIsInTheRunbooks(t *testing.T) {
	groups, pages := content.Revocation(), content.Kinds()
	compared := 0
	for _, system := range advice.Systems() {
		for _, call := range system.Calls {
			m := endpoint.FindStringSubmatch(braces.ReplaceAllString(call.Call, "{}"))
			if m == nil {
				continue // a console, or a method of an SDK
			}
			want := m[1]
			for _, kind := range call.Kinds {
				found := false
				for _, group := range pages[kind].End {
					for _, c := range groups[group].Calls {
						run := variable.ReplaceAllString(strings.NewReplacer(`"`, "", `\`, "").Replace(c.Run), "{}")
						found = found || strings.HasPrefix(c.System, system.Title) && strings.Contains(run, want)
					}
				}
				if !found {
					t.Errorf("%s of %s: no command for %s on its page", kind, system.Title, want)
				}
				compared++
			}
		}
	}
	if compared < 20 {
		t.Errorf("%d calls compared", compared)
	}
}
