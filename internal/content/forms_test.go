package content_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/format"
)

// long is the job that also runs what needs Node.
var long = os.Getenv("LEAKVEIL_LONG") != ""

// Saved objects: every reference leads to one that is there, ids are unique in
// their type, panels do not overlap, and every column is a field.
func TestSavedObjects(t *testing.T) {
	seen := map[string]bool{}
	all := savedObjects(t)
	for _, o := range all {
		id := at[string](t, o, "type") + "/" + at[string](t, o, "id")
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
	}
	for _, o := range all {
		names := map[string]bool{}
		for _, one := range at[[]any](t, o, "references") {
			r := one.(object)
			names[at[string](t, r, "name")] = true
			if id := at[string](t, r, "type") + "/" + at[string](t, r, "id"); !seen[id] {
				t.Errorf("%v refers to %s", o["id"], id)
			}
		}
		if attributes := at[object](t, o, "attributes"); attributes["kibanaSavedObjectMeta"] != nil {
			source := parse(t, at[string](t, attributes, "kibanaSavedObjectMeta", "searchSourceJSON"))
			if name, ok := source["indexRefName"].(string); ok && !names[name] {
				t.Errorf("%v has no reference %s", o["id"], name)
			}
		}
		if o["type"] == "search" {
			for _, column := range at[[]any](t, o, "attributes", "columns") {
				content.Name(column.(string))
			}
		}
		if o["type"] != "dashboard" {
			continue
		}
		var panels []object
		if err := json.Unmarshal([]byte(at[string](t, o, "attributes", "panelsJSON")), &panels); err != nil || len(panels) != len(content.Panels()) {
			t.Fatal(len(panels), err)
		}
		var boxes []place
		for _, p := range panels {
			boxes = append(boxes, placeOf(t, at[object](t, p, "gridData")))
			if !names[at[string](t, p, "panelRefName")] {
				t.Errorf("panel %v has no reference", p["title"])
			}
		}
		noOverlap(t, boxes, 48)
	}
}

func grafanaFiles(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob(root + "/deploy/grafana/*.json")
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	return names
}

// Grafana's dashboards: what its types do not look at, and, in the long job, its
// types.
func TestGrafanaDashboards(t *testing.T) {
	uids := map[string]bool{}
	for _, name := range grafanaFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := parse(t, string(text))
		variables := map[string]bool{}
		for _, v := range at[[]any](t, d, "templating", "list") {
			variables["${"+at[string](t, v.(object), "name")+"}"] = true
		}
		if uid := at[string](t, d, "uid"); uids[uid] || d["__inputs"] != nil || d["id"] != nil {
			t.Errorf("%s: uid %s, or what a file must not have", name, uid)
		} else {
			uids[uid] = true
		}
		ids := map[float64]bool{}
		var boxes []place
		for _, one := range at[[]any](t, d, "panels") {
			p := one.(object)
			if id := at[float64](t, p, "id"); ids[id] {
				t.Errorf("%s: id %v twice", name, id)
			} else {
				ids[id] = true
			}
			if !slices.Contains([]string{"stat", "timeseries", "table"}, at[string](t, p, "type")) {
				t.Errorf("%s: a panel of type %v", name, p["type"])
			}
			if uid := at[string](t, p, "datasource", "uid"); !variables[uid] {
				t.Errorf("%s: no variable %s", name, uid)
			}
			boxes = append(boxes, placeOf(t, at[object](t, p, "gridPos")))
		}
		noOverlap(t, boxes, 24)
		if long {
			grafanaTypes(t, string(text))
		}
	}
}

// grafanaTypes lets a compiler hold a dashboard against the types that Grafana
// publishes.
func grafanaTypes(t *testing.T, text string) {
	t.Helper()
	modules := backend.NodeModules(t)
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	source := "import { Dashboard, Panel } from '@grafana/schema';\nexport const d: Omit<Dashboard, 'panels'> & { panels: Panel[] } = " + text + ";\n"
	check := func(source string) error {
		if err := os.WriteFile(filepath.Join(dir, "d.ts"), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(modules, ".bin", "tsc"), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "d.ts")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil && strings.Contains(source, "schemaVersion") {
			t.Logf("%s", out)
		}
		return err
	}
	if check(source) != nil {
		t.Error("it is not of Grafana's types")
	}
	if check(strings.Replace(source, `"schemaVersion": `, `"schemaVersioning": `, 1)) == nil {
		t.Error("the compiler takes anything")
	}
}

// Columns that the Sentinel function reads are those that the agent fills from the
// keys of real messages.
func TestSentinelReadsWhatCEFWrites(t *testing.T) {
	function, err := os.ReadFile(root + "/deploy/siem/sentinel/LeakveilAlerts.kql")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, item := range documents(t)[:1] {
		r, err := field.Parse(item.Document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`[| ](\w+)=`).FindAllStringSubmatch(string(format.CEF(r)), -1) {
			written[m[1]] = true
		}
	}
	for _, path := range []string{"leakveil.alert.id", "leakveil.alert.sequence", "leakveil.client.id", "leakveil.kind", "leakveil.fingerprints", "service.name", "event.start", "event.end", "leakveil.advice.method"} {
		if !strings.Contains(string(function), content.SentinelColumn(path)) {
			t.Errorf("%s is not read", path)
		}
		for _, f := range field.Fields() {
			if f.Path == path && !written[f.CEF] {
				t.Errorf("no message has %s (%s)", f.CEF, path)
			}
		}
	}
	kqlByItsOwnReader(t)
}

// kqlByItsOwnReader reads the function, the queries and the rules' queries.
func kqlByItsOwnReader(t *testing.T) {
	dir := root + "/deploy/siem/sentinel"
	files, err := filepath.Glob(dir + "/queries/*.kql")
	rules, err2 := filepath.Glob(dir + "/rules/*.yaml")
	if err != nil || err2 != nil || len(files) == 0 || len(rules) == 0 {
		t.Fatal(err, err2)
	}
	ids := map[string]bool{}
	for _, name := range rules {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var rule struct{ ID, Name, Kind, Severity, Query, QueryFrequency, QueryPeriod string }
		if err := yaml.Unmarshal(text, &rule); err != nil || rule.Kind != "Scheduled" || !strings.HasPrefix(rule.Query, "LeakveilAlerts") || ids[rule.ID] {
			t.Fatalf("%s: %+v, %v", name, rule, err)
		}
		ids[rule.ID] = true
		query := filepath.Join(t.TempDir(), filepath.Base(name)+".kql")
		if err := os.WriteFile(query, []byte(rule.Query), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, query)
	}
	if !long {
		return
	}
	run := func(files ...string) ([]byte, error) {
		return exec.Command("node", append([]string{"testdata/kql.js", backend.NodeModules(t), dir + "/LeakveilAlerts.kql"}, files...)...).CombinedOutput()
	}
	if out, err := run(files...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.kql")
	if err := os.WriteFile(wrong, []byte("LeakveilAlerts | where ClientID == ''"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := run(wrong); err == nil {
		t.Error("the reader takes anything")
	}
}

var reference = regexp.MustCompile(`%\{([^}]+)\}|\[([a-z_]+)\]((?:\[[a-z_]+\])*)`)

// The parser for Google SecOps is a pipeline by its grammar (but for the loops,
// which are Google's own), and reads fields of the table.
func TestSecOpsParser(t *testing.T) {
	text := content.SecOpsParser()
	loop := regexp.MustCompile(`for item in ([\w.]+) \{`)
	for _, m := range loop.FindAllSubmatch(text, -1) {
		content.Name(string(m[1]))
	}
	backend.LogstashPipeline(t, loop.ReplaceAll(text, []byte("if [$1] {")))
	for _, m := range reference.FindAllSubmatch(text, -1) {
		name := string(m[1])
		if name == "" {
			name = string(m[2]) + strings.NewReplacer("][", ".", "[", ".", "]", "").Replace(string(m[3]))
		}
		if strings.HasPrefix(name, "no_") || name == "item" || name == "label.value" || name == "json_message" {
			continue
		}
		content.Name(name)
	}
}

// Fields outside of leakveil's own are those of the Elastic Common Schema, of its
// types, by the list that Elastic publishes. In the long job.
func TestFieldsAreOfTheECS(t *testing.T) {
	if !long {
		return
	}
	script := `const { EcsFlat } = require("@elastic/ecs"); const out = {};
for (const name of Object.keys(EcsFlat)) out[name] = [EcsFlat[name].type, EcsFlat[name].normalize.includes("array") ? "array" : ""];
console.log(JSON.stringify(out));`
	cmd := exec.Command("node", "-e", script)
	cmd.Dir = filepath.Dir(backend.NodeModules(t))
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var ecs map[string][2]string
	if err := json.Unmarshal(text, &ecs); err != nil || len(ecs) < 1000 {
		t.Fatal(len(ecs), err)
	}
	for _, f := range field.Fields() {
		if strings.HasPrefix(f.Path, "leakveil.") {
			continue
		}
		of, ok := ecs[f.Path]
		if !ok || of[0] != string(f.Type) {
			t.Errorf("%s is %q in the schema, %s here", f.Path, of[0], f.Type)
		}
		if of[1] == "array" && !f.List {
			t.Errorf("%s is a list in the schema", f.Path)
		}
	}
}
