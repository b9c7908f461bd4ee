package content_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/field"
)

const opensearchDir = root + "/deploy/siem/opensearch"

// ask runs ask.sh, as an analyst would.
func ask(t *testing.T, server *backend.OpenSearch, curl string, args ...string) string {
	t.Helper()
	cmd := exec.Command("./ask.sh", args...)
	cmd.Dir = opensearchDir
	cmd.Env = append(os.Environ(), "SEARCH_URL="+server.URL, "SEARCH_CURL="+curl, "SINCE=now-30d")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ask.sh %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// queriesOnOpenSearch asks every question of an analyst and compares the answers
// with the documents.
func queriesOnOpenSearch(t *testing.T, server *backend.OpenSearch, options string, records []field.Record) {
	curl := filepath.Join(t.TempDir(), "curl")
	if err := os.WriteFile(curl, []byte(options), 0o600); err != nil {
		t.Fatal(err)
	}
	has := func(out string, fields ...string) bool {
		return slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool {
			for _, f := range fields {
				if !strings.Contains(line, f) {
					return false
				}
			}
			return true
		})
	}
	of := func(client, kind string) (values map[string]bool, last string) {
		values = map[string]bool{}
		for _, r := range records {
			if !r.Has("leakveil.traffic") && r.Text("leakveil.client.id") == client && r.Text("leakveil.kind") == kind {
				for _, f := range r.List("leakveil.fingerprints") {
					values[f] = true
				}
				last = max(last, r.Time("event.end").Format("2006-01-02 15:04:05"))
			}
		}
		return values, last
	}
	values, last := of("web-shop", "client_secret")
	if len(values) == 0 {
		t.Fatal("the documents have no leak of web-shop")
	}
	count := fmt.Sprintf("  %d  ", len(values))
	today := ask(t, server, curl, "clients-today")
	if !has(today, "web-shop ", " client_secret ", count, last, " rotate ", "gateway") {
		t.Errorf("want web-shop, client_secret, %s, %s in\n%s", count, last, today)
	}
	if !has(today, "(not known)", "refresh_token") {
		t.Errorf("leaks without a client are missing in\n%s", today)
	}
	if out := ask(t, server, curl, "stopped", "web-shop"); !has(out, "client_secret", last) {
		t.Errorf("want %s in\n%s", last, out)
	}
	if out := ask(t, server, curl, "revoke", `quoted"client`); !has(out, "refresh_token (", "revoke") || !has(out, "docs/runbooks/client_secret.md") || !has(out, `"topic":"app-logs"`) {
		t.Errorf("want advice, place and runbook in\n%s", out)
	}
	if out := ask(t, server, curl, "clients-unknown"); !has(out, "login", "session_cookie", "spa-bank,web-shop") && !has(out, "login", "session_cookie", "web-shop,spa-bank") {
		t.Errorf("want candidates in\n%s", out)
	}
	for value := range values {
		if out := ask(t, server, curl, "value", value); !has(out, "client_secret", "web-shop") {
			t.Errorf("want web-shop in\n%s", out)
		}
		break
	}
	if out := ask(t, server, curl, "value", strings.Repeat("A", 20)+"zz"); !has(out, "no alert") {
		t.Errorf("a fingerprint that is in no alert: %s", out)
	}
	if out := ask(t, server, curl, "revoke", `x"}}],"must_not":[{"match_all":{}}`); strings.TrimSpace(out) != "" {
		t.Errorf("a client id changed the question: %s", out)
	}
}

// Every field of the questions is in the table.
func TestQuestionsNameFieldsOfTheTable(t *testing.T) {
	names, err := filepath.Glob(opensearchDir + "/queries/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	known := map[string]bool{}
	for _, f := range field.Fields() {
		for path := f.Path; ; {
			known[path] = true
			dot := strings.LastIndexByte(path, '.')
			if dot < 0 {
				break
			}
			path = path[:dot]
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range dotted(tree) {
			if !known[f] {
				t.Errorf("%s: no field %s", name, f)
			}
		}
		if _, err := os.Stat(strings.TrimSuffix(name, "json") + "jq"); err != nil {
			t.Error(err)
		}
	}
}

// dotted are all names and strings of a tree that look like a field.
func dotted(v any) (out []string) {
	looks := func(s string) {
		if strings.HasPrefix(s, "leakveil.") && s != "leakveil.alert" || strings.HasPrefix(s, "event.") || s == "service.name" || s == "@timestamp" {
			out = append(out, s)
		}
	}
	switch v := v.(type) {
	case string:
		looks(v)
	case []any:
		for _, one := range v {
			out = append(out, dotted(one)...)
		}
	case map[string]any:
		for name, one := range v {
			looks(name)
			out = append(out, dotted(one)...)
		}
	}
	return out
}
