package detect_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// scanners compiles the embedded packs for each engine of this build.
func scanners(t testing.TB) map[detect.Engine]*detect.Scanner {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	out := map[detect.Engine]*detect.Scanner{}
	for _, name := range detect.Engines() {
		db, err := detect.CompileWith(detect.Options{Engine: name}, set)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = db.NewScanner(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out[name].Close() })
	}
	return out
}

// findAll scans text as lines. The findings are copies; their rules are the same
// ones for all engines.
func findAll(t testing.TB, s *detect.Scanner, text []byte) []detect.Finding {
	t.Helper()
	var b detect.Batch
	b.SetLines(text)
	found, _, err := s.Scan(&b)
	if err != nil {
		t.Fatal(err)
	}
	return append([]detect.Finding(nil), found...)
}

// All engines have the same findings in generated logs, whole and damaged, over
// the windows of a long arena too.
func TestEnginesFindTheSame(t *testing.T) {
	all := scanners(t)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 10))
	for name, o := range map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth} {
		o.Seed = rnd.Uint64()
		g := corpus.New(o)
		var text []byte
		secrets := 0
		for len(text) < 1<<20 {
			line := g.Next()
			text = append(append(text, line.Text...), '\n')
			secrets += len(line.Secrets)
		}
		if found := findAll(t, all[detect.Portable], text); len(found) != secrets {
			t.Errorf("%s: the portable engine finds %d, planted are %d", name, len(found), secrets)
		}
		for range 2 {
			want := findAll(t, all[detect.Portable], text)
			for engine, s := range all {
				if got := findAll(t, s, text); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s finds %d, the portable engine %d, or others", name, engine, len(got), len(want))
				}
			}
			for range len(text) / 100 {
				text[rnd.IntN(len(text))] = byte(rnd.IntN(256))
			}
		}
	}
}
