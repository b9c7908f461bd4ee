package benchmarks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

var update = flag.Bool("update", false, "write the suites anew after a change of the generator")

// suite says what a corpus holds. Figures of two days compare only when their
// suites are the same.
type suite struct {
	Kind    string         `yaml:"kind"` // clean, mixed or auth
	Seed    uint64         `yaml:"seed"`
	Bytes   int            `yaml:"bytes"` // at least; whole lines
	Lines   int            `yaml:"lines"`
	Leaking int            `yaml:"leaking_lines"`
	Secrets map[string]int `yaml:"secrets"`
	SHA256  string         `yaml:"sha256"`
}

func (s suite) options(t *testing.T) corpus.Options {
	t.Helper()
	o, ok := map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth}[s.Kind]
	if !ok {
		t.Fatalf("unknown kind %q", s.Kind)
	}
	o.Seed = s.Seed
	return o
}

// measured generates the corpus and counts.
func (s suite) measured(t *testing.T) suite {
	t.Helper()
	out := suite{Kind: s.Kind, Seed: s.Seed, Bytes: s.Bytes, Secrets: map[string]int{}}
	sum := sha256.New()
	g := corpus.New(s.options(t))
	for n := 0; n < s.Bytes; out.Lines++ {
		line := g.Next()
		text := append(line.Text, '\n')
		n += len(text)
		sum.Write(text)
		if len(line.Secrets) > 0 {
			out.Leaking++
		}
		for _, secret := range line.Secrets {
			out.Secrets[string(secret.Kind)]++
		}
	}
	out.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return out
}

// The generator still makes exactly the corpora that results speak of.
func TestSuites(t *testing.T) {
	paths, err := filepath.Glob("suites/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no suites: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := readSuite(t, path)
			got := want.measured(t)
			if *update {
				writeSuite(t, path, got)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the generator makes another corpus (-want +got); if that is meant, run go test ./benchmarks -run Suites -update\n%s", diff)
			}
		})
	}
}

func readSuite(t *testing.T, path string) suite {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := suite{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if s.Secrets == nil {
		s.Secrets = map[string]int{}
	}
	return s
}

func writeSuite(t *testing.T, path string, s suite) {
	t.Helper()
	text, err := yaml.Marshal(s)
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
