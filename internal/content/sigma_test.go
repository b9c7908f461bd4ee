package content_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/field"
)

const sigmaDir = root + "/deploy/siem/sigma"

func sigmaRules(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob(sigmaDir + "/*.yml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	return names
}

// Sigma's own tool finds nothing to say about the rules, and converts each for
// Splunk, Elasticsearch and OpenSearch.
func TestSigmaRules(t *testing.T) {
	backend.Sigma(t, sigmaDir, "check", "-x", "attacktag", "-x", "d3_fendtag", "--fail-on-error", "--fail-on-issues", ".")
	for _, name := range sigmaRules(t) {
		file := filepath.Base(name)
		targets := [][]string{
			{"-t", "splunk", "-p", "../splunk/sigma-pipeline.yml"}, {"-t", "splunk", "-f", "savedsearches", "-p", "../splunk/sigma-pipeline.yml"}, {"-t", "esql", "--without-pipeline"},
		}
		if !strings.Contains(file, "correlations") { // only these two languages have them
			targets = append(targets, []string{"-t", "lucene", "--without-pipeline"}, []string{"-t", "opensearch_lucene", "--without-pipeline"})
		}
		for _, target := range targets {
			out := backend.Sigma(t, sigmaDir, append(append([]string{"convert"}, target...), file)...)
			if !strings.Contains(out, "leakveil") {
				t.Errorf("%s for %s: %s", file, target[1], out)
			}
			if target[1] == "splunk" && (!strings.Contains(out, `sourcetype="leakveil:alert"`) || strings.Contains(out, "event.") || strings.Contains(out, "leakveil.kind")) {
				t.Errorf("%s in Splunk does not have its fields: %s", file, out)
			}
		}
	}
}

// detectionRule is the part of a Sigma rule that this test can judge itself: one
// selection of fields with values.
type detectionRule struct {
	Title     string
	LogSource struct{ Product string }
	Detection struct {
		Selection map[string]any
		Condition string
	}
	Fields []string
}

func (r detectionRule) fits(doc field.Record) bool {
	if strings.Contains(r.Detection.Condition, "not tests") && doc.Has("leakveil.traffic") {
		return false
	}
	for name, want := range r.Detection.Selection {
		values := []any{want}
		if list, ok := want.([]any); ok {
			values = list
		}
		if !slices.ContainsFunc(doc.List(name), func(v string) bool { return slices.Contains(values, any(v)) }) {
			return false
		}
	}
	return true
}

// A program that runs Sigma rules as they stand, without converting them, finds the
// same alerts.
func TestSigmaRulesInTenzir(t *testing.T) {
	var lines []byte
	records := parsed(t, documents(t))
	for _, r := range records {
		lines = append(append(lines, r.Raw...), '\n')
	}
	for _, name := range sigmaRules(t) {
		if strings.Contains(name, "correlations") {
			continue
		}
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, r := range records {
			if readRule(t, name).fits(r) {
				want++
			}
		}
		found := backend.RunTenzir(t, "from_stdin { read_ndjson }\nsigma path="+strconv.Quote(path), lines)
		if len(found) != want || want == 0 {
			t.Errorf("%s: %d found, %d wanted", filepath.Base(name), len(found), want)
		}
	}
}

func readRule(t *testing.T, name string) (rule detectionRule) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &rule); err != nil {
		t.Fatal(err)
	}
	return rule
}

// sigmaOnOpenSearch converts each rule and lets the index answer it: exactly the
// documents that fit are found.
func sigmaOnOpenSearch(t *testing.T, server *backend.OpenSearch, records []field.Record) {
	for _, name := range sigmaRules(t) {
		if strings.Contains(name, "correlations") {
			continue
		}
		rule := readRule(t, name)
		for name, want := range rule.Detection.Selection {
			values := []any{want}
			if list, ok := want.([]any); ok {
				values = list
			}
			for _, v := range values {
				if !slices.Contains(closed(t)[name], fmt.Sprint(v)) {
					t.Errorf("%s: %s is never %v", name, content.Name(name), v)
				}
			}
		}
		for _, field := range rule.Fields {
			content.Name(field)
		}
		want := map[string]bool{}
		for _, r := range records {
			if rule.fits(r) {
				want[r.ID()] = true
			}
		}
		if len(want) == 0 || len(want) == len(records) {
			t.Errorf("%s fits %d of %d documents, which tells nothing", name, len(want), len(records))
		}
		for _, target := range [][]string{{"opensearch_lucene", "dsl_lucene"}, {"lucene", "dsl_lucene"}} {
			query := backend.Sigma(t, sigmaDir, "convert", "-t", target[0], "-f", target[1], "--without-pipeline", filepath.Base(name))
			if !json.Valid([]byte(query)) {
				t.Fatalf("%s: %s", name, query)
			}
			found := server.Documents(t, content.IndexPattern, query)
			for id := range found {
				if !want[id] {
					t.Errorf("%s finds %s", filepath.Base(name), id)
				}
			}
			if len(found) != len(want) {
				t.Errorf("%s, by %s: %d found, %d wanted", filepath.Base(name), target[0], len(found), len(want))
			}
		}
	}
}
