package rules

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// right is a pack that decodes; the table below breaks it in one place each.
const right = `pack: test
description: A test pack.
rules:
  - id: test-ticket
    kind: api_key
    severity: low
    description: A ticket.
    keys: [zebra_ticket]
    value: {alphabet: base64url, min: 24, max: 64}
    examples:
      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}'}
`

func TestDecode(t *testing.T) {
	pack, err := Decode("test.yaml", []byte(right))
	if err != nil {
		t.Fatal(err)
	}
	r := pack.Rules[0]
	if pack.Name != "test" || r.ID != "test-ticket" || r.Role != RoleSecret || r.File != "test.yaml" || r.Line != 4 || r.Value.Max != 64 {
		t.Errorf("got %+v", r)
	}
}

// Every mistake is told with file, line and reason.
func TestDecodeErrors(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown key":       {"    keys:", "    kesy:", "test.yaml:8: unknown key kesy"},
		"unknown pack key":  {"description: A test", "descriptoin: A test", "test.yaml:2: unknown key descriptoin"},
		"wrong type":        {"min: 24", "min: many", "test.yaml:9: cannot unmarshal !!str `many` into int"},
		"no YAML":           {"pack: test", "pack: [", "test.yaml:2: did not find expected"},
		"id":                {"id: test-ticket", "id: Test_Ticket", `test.yaml:4: rule "Test_Ticket": id: want lower-case words joined by '-'`},
		"no id":             {"id: test-ticket", "id: ''", `test.yaml:4: rule "": id: want`},
		"kind":              {"kind: api_key", "kind: apikey", `test.yaml:4: rule "test-ticket": kind: "apikey" is not in the list of kinds`},
		"role":              {"kind: api_key", "role: secrte", `test.yaml:4: rule "test-ticket": role: "secrte" is none of`},
		"severity":          {"severity: low", "severity: lwo", `test.yaml:4: rule "test-ticket": severity: "lwo" is none of`},
		"no description":    {"    description: A ticket.\n", "", `test.yaml:4: rule "test-ticket": description: missing`},
		"nothing to find":   {"    keys: [zebra_ticket]\n", "", `test.yaml:4: rule "test-ticket": keys, weak_keys, names, traces, binds, jars, prefixes, schemes, suffixes or shapes: at least one is needed`},
		"bad key":           {"[zebra_ticket]", "['zebra.*ticket']", `test.yaml:4: rule "test-ticket": keys: bad expression "zebra.*ticket": want lower-case words joined by '_'`},
		"bad prefix":        {"keys: [zebra_ticket]", "prefixes: ['zt_[a-z']", `prefixes: bad expression "zt_[a-z"`},
		"open prefix":       {"keys: [zebra_ticket]", "prefixes: ['zt_[az]\t']", `prefixes: bad expression`},
		"bad scheme":        {"keys: [zebra_ticket]", "schemes: ['a b']", `schemes: bad expression "a b"`},
		"bad name":          {"keys: [zebra_ticket]", "names: ['a b']", `names: bad expression "a b"`},
		"long key":          {"[zebra_ticket]", "[" + strings.Repeat("a", MaxKey+1) + "]", "is longer than 80 bytes"},
		"check":             {"    value:", "    checks: [randmo]\n    value:", `checks: "randmo" is none of`},
		"alphabet":          {"alphabet: base64url", "alphabet: base46", `value.alphabet: "base46" is not an alphabet`},
		"min over max":      {"min: 24", "min: 65", "value: want 1 <= min <= max"},
		"short weak key":    {"keys: [zebra_ticket]\n    value: {alphabet: base64url, min: 24", "weak_keys: [ticket]\n    value: {alphabet: base64url, min: 7", "value.min: weak keys and schemes need 8 or more, have 7"},
		"no example":        {right[strings.Index(right, "    examples"):], "", `test.yaml:4: rule "test-ticket": examples: a rule without an example proves nothing`},
		"example w/o value": {"value: '{{b64u 32}}'", "client: a", "examples[0]: want text with {{.Value}} and value"},
		"example's kind":    {"value: '{{b64u 32}}'", "value: '{{b64u 32}}', kind: x", `examples[0]: kind "x" is not in the list of kinds`},
		"no pack name":      {"pack: test\n", "", "test.yaml: pack: the pack's name is missing"},
		"two documents":     {"    examples:", "---\n    examples:", "test.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(right, tc.old, tc.new, 1)
			if text == right {
				t.Fatal("the pack was not changed")
			}
			_, err := Decode("test.yaml", []byte(text))
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "\n", " "), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestDecodeEmptyAndMany(t *testing.T) {
	if _, err := Decode("a.yaml", nil); err == nil || !strings.Contains(err.Error(), "a.yaml: the file is empty") {
		t.Errorf("empty: %v", err)
	}
	if _, err := Decode("a.yaml", []byte(right+"---\n"+right)); err == nil || !strings.Contains(err.Error(), "one YAML document") {
		t.Errorf("two: %v", err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Folders add their packs to the embedded ones; ids are unique over all.
func TestLoadFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b.yaml", right)
	write(t, dir, "ignored.txt", "pack: [")
	set, err := Load([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != len(embedded.Rules)+1 || set.Rule("test-ticket") == nil || set.Rule("no-rule") != nil {
		t.Errorf("%d rules, %d embedded", len(set.Rules), len(embedded.Rules))
	}
	write(t, dir, "c.yml", right)
	_, err = Load([]string{dir}, nil)
	if want := filepath.Join(dir, "c.yml") + `:4: rule id "test-ticket" is already taken by ` + filepath.Join(dir, "b.yaml") + ":4"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "x")
	for name, folder := range map[string]string{"missing": filepath.Join(dir, "none"), "no folder": filepath.Join(dir, "file")} {
		if _, err := Load([]string{folder}, nil); err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDisable(t *testing.T) {
	set, err := Load(nil, []string{"jwt", "access-token"})
	if err != nil {
		t.Fatal(err)
	}
	if set.Rule("jwt") != nil || set.Rule("access-token") != nil || set.Rule("refresh-token") == nil {
		t.Error("not exactly these two are gone")
	}
	if _, err := Load(nil, []string{"jtw"}); err == nil || !strings.Contains(err.Error(), `cannot disable "jtw": no such rule`) {
		t.Errorf("unknown id: %v", err)
	}
	all, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range all.Rules {
		ids = append(ids, r.ID)
	}
	if _, err := Load(nil, ids); err == nil || !strings.Contains(err.Error(), "no rules left") {
		t.Errorf("all disabled: %v", err)
	}
}

// The embedded packs cover every kind, and what a rule says is complete.
func TestEmbeddedPacksAreComplete(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var covered []Kind
	for _, r := range set.Rules {
		covered = append(covered, r.Kind)
		if len(r.References) == 0 {
			t.Errorf("%s: no reference", r.ID)
		}
		if r.Role == RoleSecret && len(r.Negatives) == 0 {
			t.Errorf("%s: no negative example", r.ID)
		}
	}
	for _, k := range Kinds() {
		if !slices.Contains(covered, k) {
			t.Errorf("no rule for %s", k)
		}
	}
}

// Templates draw new values each time; a mistake in one is an error.
func TestRender(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	e := Example{Text: "k={{.Value | pct}}", Value: "4/{{b64u 20}}"}
	one, err := e.Render(rnd)
	if err != nil {
		t.Fatal(err)
	}
	two, err := e.Render(rnd)
	if err != nil || one.Value == two.Value || len(one.Value) != 22 || one.Text != "k=4%2F"+one.Value[2:] {
		t.Errorf("got %q, then %q (%v)", one, two, err)
	}
	for _, bad := range []Example{{Text: "{{", Value: "x"}, {Text: "x", Value: "{{nothing 3}}"}, {Text: "{{.Other}}", Value: "x"}, {Text: "x", Value: `{{jwt "a"}}`}} {
		if _, err := bad.Render(rnd); err == nil || !strings.Contains(err.Error(), "example: ") {
			t.Errorf("%q: %v", bad.Text, err)
		}
	}
}

const suppressing = `pack: own
suppress:
  - kind: jwt
    path: 'test-*.log'
    reason: fixtures
    expires: 2031-05-09
`

func TestDecodeSuppress(t *testing.T) {
	pack, err := Decode("own.yaml", []byte(suppressing))
	if err != nil {
		t.Fatal(err)
	}
	s := pack.Suppress[0]
	if s.Kind != JWT || s.Path != "test-*.log" || s.File != "own.yaml" || s.Line != 3 || s.Until().Format("2006-01-02") != "2031-05-10" {
		t.Errorf("got %+v until %v", s, s.Until())
	}
}

func TestDecodeSuppressErrors(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"nothing narrows": {"  - kind: jwt\n    path: 'test-*.log'\n    reason", "  - reason", "own.yaml:3: suppress: needs fingerprint, kind, rule, key, path or service"},
		"kind":            {"kind: jwt", "kind: jtw", `own.yaml:3: suppress: kind: "jtw"`},
		"fingerprint":     {"kind: jwt", "fingerprint: abc", "own.yaml:3: suppress: fingerprint: want the 22"},
		"key":             {"kind: jwt", "key: 'a b'", "own.yaml:3: suppress: key: want"},
		"service":         {"kind: jwt", "service: 'a b'", "own.yaml:3: suppress: service: want"},
		"path":            {"test-*", "test-[", "own.yaml:3: suppress: path:"},
		"no reason":       {"    reason: fixtures\n", "", "own.yaml:3: suppress: reason: missing"},
		"no date":         {"    expires: 2031-05-09\n", "", "own.yaml:3: suppress: expires: missing"},
		"no day":          {"2031-05-09", "2031-02-30", "own.yaml:3: suppress: expires: want a day"},
		"unknown key":     {"reason:", "raeson:", "own.yaml:5: unknown key raeson"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(suppressing, tc.old, tc.new, 1)
			if text == suppressing {
				t.Fatal("the pack was not changed")
			}
			if _, err := Decode("own.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
	dir := t.TempDir()
	write(t, dir, "own.yaml", strings.Replace(suppressing, "kind: jwt", "rule: no-rule", 1))
	if _, err := Load([]string{dir}, nil); err == nil || !strings.Contains(err.Error(), `own.yaml:3: suppress: rule: no rule "no-rule"`) {
		t.Errorf("got %v", err)
	}
}

// No built-in pack may let anything pass.
func TestEmbeddedPacksSuppressNothing(t *testing.T) {
	set, err := Default()
	if err != nil || len(set.Suppress) != 0 {
		t.Errorf("%v, %d", err, len(set.Suppress))
	}
}
