package benchmarks

import (
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func worker(t testing.TB) *pipeline.Worker {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: redact.RandomKey(), Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// Every planted secret of every shape is found with exact bounds, kind and
// client, and nothing else is.
func TestEveryShape(t *testing.T) {
	w := worker(t)
	g := corpus.New(corpus.Options{Seed: 7})
	for n := range corpus.Shapes() {
		for range 200 {
			check(t, w, corpus.ShapeName(n), g.Shape(n))
		}
	}
}

func TestCleanLinesStay(t *testing.T) {
	w := worker(t)
	g := corpus.New(corpus.Clean)
	for range 100_000 {
		check(t, w, "clean", g.Next())
	}
}

func check(t *testing.T, w *pipeline.Worker, name string, line corpus.Line) {
	t.Helper()
	var got pipeline.Lines
	w.Lines(&got, line.Text)
	if got.Withheld > 0 || len(got.Results) != len(line.Secrets) {
		for _, r := range got.Results {
			t.Logf("%s %s: %s", r.Rule.ID, r.Kind, line.Text[r.Start:r.End])
		}
		t.Fatalf("%s: %d findings, want %d in\n%s", name, len(got.Results), len(line.Secrets), line.Text)
	}
	for i, s := range line.Secrets {
		r := got.Results[i]
		if r.Start != s.Start || r.End != s.End || r.Kind != s.Kind || r.Client.ID != s.Client {
			t.Fatalf("%s: got %s [%d,%d) of %q by %s (%v), want %s [%d,%d) of %q in\n%s", name, r.Kind, r.Start, r.End,
				r.Client.ID, r.Rule.ID, r.Client.Candidates, s.Kind, s.Start, s.End, s.Client, line.Text)
		}
	}
}
