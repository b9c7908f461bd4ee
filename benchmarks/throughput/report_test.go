package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

func TestRatesTakeTheBestRound(t *testing.T) {
	f := &figures{
		bytes:  1e9,
		redact: []time.Duration{5 * time.Second, 4 * time.Second}, start: []time.Duration{time.Second}, cold: []time.Duration{3 * time.Second},
		ripgrep: []time.Duration{10 * time.Second, 20 * time.Second}, raw: []time.Duration{2 * time.Second},
	}
	x := f.rates()
	if x.whole != 250 || x.ripgrep != 100 || x.raw != 500 {
		t.Errorf("rates %+v", x)
	}
	if int(x.steady) != 333 {
		t.Errorf("without start: %v", x.steady)
	}
	f.start = []time.Duration{2 * time.Second}
	if f.rates().steady != 0 {
		t.Error("a difference that noise decides was reported")
	}
	f.kind = "auth"
	if table := (report{figures: []*figures{f}}).table(); !strings.Contains(table, "| auth | 1000 | 250 | – | 100 | 500 | 0.50 | – | 2.5 | 2000 | 3000 |") {
		t.Errorf("table:\n%s", table)
	}
}

// The comparison is fair only when ripgrep has the same work: every planted
// secret meets one of its patterns.
func TestRipgrepPatternsMeetEverySecret(t *testing.T) {
	patterns := readPatterns(t)
	g := corpus.New(corpus.Auth)
	for range 20_000 {
		line := g.Next()
		for _, s := range line.Secrets {
			if !met(patterns, line.Text, s) {
				t.Errorf("no pattern meets the %s in a line of %s: %q…", s.Kind, line.Service, line.Text[:min(s.Start, 120)])
			}
		}
	}
}

func readPatterns(t *testing.T) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile("../rg-patterns.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []*regexp.Regexp
	for line := range strings.Lines(string(text)) {
		out = append(out, regexp.MustCompile(strings.TrimSuffix(line, "\n")))
	}
	if len(out) != 30 {
		t.Errorf("%d patterns, the comparison is with 30", len(out))
	}
	return out
}

func met(patterns []*regexp.Regexp, text []byte, s corpus.Secret) bool {
	for _, p := range patterns {
		for _, at := range p.FindAllIndex(text, -1) {
			if at[0] < s.End && at[1] > s.Start {
				return true
			}
		}
	}
	return false
}
