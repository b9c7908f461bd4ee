package corpus

import (
	"bytes"
	"strings"
	"testing"
)

func TestStreamIsDeterministic(t *testing.T) {
	a, b := New(Auth), New(Auth)
	leaks := 0
	for range 20_000 {
		x, y := a.Next(), b.Next()
		if !bytes.Equal(x.Text, y.Text) {
			t.Fatal("the same options gave two streams")
		}
		leaks += len(x.Secrets)
		if bytes.ContainsAny(x.Text, "\n") {
			t.Fatalf("a line end in a line: %s", x.Text)
		}
	}
	if leaks < 3600 || leaks > 4400 {
		t.Fatalf("%d leaks in 20,000 lines, want one in five", leaks)
	}
}

func TestLabelsPointAtSecrets(t *testing.T) {
	g := New(Options{Seed: 9})
	for n := range Shapes() {
		for range 50 {
			line := g.Shape(n)
			for _, s := range line.Secrets {
				at := string(line.Text[s.Start:s.End])
				if s.Start >= s.End || s.Value == "" || strings.ContainsAny(at, " \"'&") {
					t.Fatalf("%s: label points at %q", ShapeName(n), at)
				}
			}
			if i := bytes.IndexByte(line.Text, '{'); i >= 0 && bytes.Contains(line.Text, []byte("{C}")) {
				t.Fatalf("%s: a mark is left: %s", ShapeName(n), line.Text)
			}
		}
	}
}
