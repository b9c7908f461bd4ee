package content_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/rules"
)

const runbookURL = "https://github.com/leakveil/leakveil/blob/main/" + content.RunbookDir + "/"

// Every kind has a page, and no page is of a kind that does not exist.
func TestEveryKindHasItsRunbook(t *testing.T) {
	pages := content.Kinds()
	for _, kind := range rules.Kinds() {
		page, ok := pages[string(kind)]
		if !ok {
			t.Errorf("%s has no runbook", kind)
		}
		delete(pages, string(kind))
		if page.Means == "" || len(page.Check) == 0 || len(page.Source) == 0 || page.Title == "" {
			t.Errorf("%s: a part of the page is missing", kind)
		}
		ends := alert.AdviceFor(string(kind)).Method != "review" || kind == "jwt"
		if ends && len(page.End) == 0 {
			t.Errorf("%s: the advice is %s, and the page has no call", kind, alert.AdviceFor(string(kind)).Method)
		}
	}
	for kind := range pages {
		t.Errorf("%s is no kind", kind)
	}
}

// Every alert rule links to a page that is there, and each page is linked.
func TestEveryRuleHasItsRunbook(t *testing.T) {
	pages := content.Rules()
	for _, r := range alertRules(t) {
		name, ok := strings.CutPrefix(r.Annotations["runbook_url"], runbookURL)
		if !ok || r.Labels["severity"] != "page" && r.Labels["severity"] != "ticket" || r.Annotations["summary"] == "" {
			t.Errorf("%s: link %q, severity %q", r.Alert, r.Annotations["runbook_url"], r.Labels["severity"])
		}
		name = strings.TrimSuffix(name, ".md")
		if name == "{{ $labels.kind }}" {
			if !strings.Contains(r.Expr, "sum by (kind)") {
				t.Errorf("%s: no kind for its link", r.Alert)
			}
			continue
		}
		page, ok := pages[name]
		if !ok || page.Alert != r.Alert || page.Means == "" || len(page.Check) == 0 || len(page.Do) == 0 {
			t.Errorf("%s: its page %q is of %q, or not whole", r.Alert, name, page.Alert)
		}
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("no rule links to %s", name)
	}
}

// The folder holds the generated pages and nothing else, so that none goes stale.
func TestNoOtherRunbooks(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join(root, content.RunbookDir))
	if err != nil {
		t.Fatal(err)
	}
	made := content.Files()
	for _, e := range entries {
		if made[content.RunbookDir+"/"+e.Name()] == nil {
			t.Errorf("%s is made from no table", e.Name())
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// Links between pages lead somewhere.
func TestLinksOfRunbooks(t *testing.T) {
	for name, text := range content.Files() {
		if filepath.Ext(name) != ".md" {
			continue
		}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), l[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, l[1], err)
			}
		}
	}
}

// No call takes a secret in a command line, and each is a command that a shell reads.
func TestCallsAreSafeCommands(t *testing.T) {
	calls := content.Revocation()
	used := map[string]bool{}
	for _, page := range content.Kinds() {
		for _, name := range page.End {
			used[name] = true
		}
	}
	unsafe := regexp.MustCompile(`(?i)(-d|--data-urlencode|-u) ?"?(token|client_secret|user)?=?\$|-u `)
	for name, c := range calls {
		if !used[name] {
			t.Errorf("no page uses %s", name)
		}
		for _, call := range c.Calls {
			if call.Run == "" && call.Note == "" {
				t.Errorf("%s, %s says nothing", name, call.System)
			}
			if unsafe.MatchString(call.Run) {
				t.Errorf("%s, %s: a secret would stand in the command line", name, call.System)
			}
			if out, err := exec.Command("sh", "-n", "-c", call.Run).CombinedOutput(); err != nil {
				t.Errorf("%s, %s: %s", name, call.System, out)
			}
			if strings.Contains(call.Run, "curl ") && !strings.Contains(call.Run, "grpcurl") && !strings.Contains(call.Run, "-sS") {
				t.Errorf("%s, %s: quiet curl, with errors", name, call.System)
			}
		}
	}
	if len(calls["token"].Calls) < 10 || !slices.ContainsFunc(calls["session"].Calls, func(c content.Call) bool { return strings.HasPrefix(c.System, "Keycloak") }) {
		t.Error("calls are missing")
	}
}
