package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files again")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// findings are of each kind of client, in names that need care.
func findings(t *testing.T) ([]Finding, []string) {
	t.Helper()
	secrets := []string{secret(), secret(), secret()}
	text := "client_id=web&zebra_ticket=" + secrets[0] + "\n" +
		"é zebra_ticket=" + secrets[1] + "\n" +
		`{"a":{"client_id":"one"},"b":{"client_id":"two"},"zebra_ticket":"` + secrets[2] + `"}` + "\n"
	found := run(t, strings.NewReader(text), 1, "-").found
	if len(found) != 3 {
		t.Fatalf("%d findings, want 3", len(found))
	}
	found[1].Path, found[2].Path = "logs/a b:c.log", "new\nline\x1b[31m.log"
	return found, secrets
}

func TestTextGolden(t *testing.T) {
	found, _ := findings(t)
	var out bytes.Buffer
	for _, f := range found {
		if err := WriteText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "findings.txt", out.Bytes())
}

func sarif(t *testing.T, keyID string, found []Finding, failed error) []byte {
	t.Helper()
	var out bytes.Buffer
	s, err := NewSARIF(&out, testRules(t), "v1.2.3", keyID)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if failed != nil {
		s.Failed("/var/log/x", failed)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSARIFGolden(t *testing.T) {
	found, secrets := findings(t)
	out := sarif(t, "", found, errors.New("open: permission denied"))
	for _, s := range secrets {
		if bytes.Contains(out, []byte(s[:8])) {
			t.Fatal("the log holds a value")
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, out, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "findings.sarif", pretty.Bytes())
}

// The members that SARIF 2.1.0 requires, and those that code hosts want.
func TestSARIFRequiredMembers(t *testing.T) {
	found, _ := findings(t)
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndColumn int }
					}
				}
				PartialFingerprints map[string]string
			}
			Invocations []struct {
				ExecutionSuccessful *bool
			}
		}
	}
	if err := json.Unmarshal(sarif(t, "key1", found, nil), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("version %q, %d runs", log.Version, len(log.Runs))
	}
	r := log.Runs[0]
	if r.Tool.Driver.Name != "leakveil" || len(r.Results) != len(found) ||
		len(r.Invocations) != 1 || r.Invocations[0].ExecutionSuccessful == nil || !*r.Invocations[0].ExecutionSuccessful {
		t.Fatalf("got %+v", r)
	}
	for i, result := range r.Results {
		at := result.Locations[0].PhysicalLocation
		if r.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID || result.Message.Text == "" || result.Level != "error" ||
			at.ArtifactLocation.URI == "" || at.Region.StartLine != i+1 || at.Region.EndColumn != at.Region.StartColumn+40 ||
			result.PartialFingerprints["leakveil/key1/v1"] != string(found[i].Fingerprint[:]) {
			t.Errorf("result %d: %+v", i, result)
		}
	}
}

func TestSARIFWithoutFindings(t *testing.T) {
	if out := sarif(t, "", nil, nil); !json.Valid(out) || !bytes.Contains(out, []byte(`"results":[]`)) {
		t.Errorf("got %s", out)
	}
}

func TestURI(t *testing.T) {
	for path, want := range map[string]string{
		"-": "stdin", "a/b.log": "a/b.log", "/var/log/a b": "file:///var/log/a%20b", "a:b": "./a:b", "50%": "50%25",
	} {
		if got := uri(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
