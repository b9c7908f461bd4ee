package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/benchmarks/measure"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// full is a table in which everything took as long.
func full() *table {
	t := &table{rounds: 1, cold: []time.Duration{2 * time.Second, time.Second}, warm: []time.Duration{time.Second / 2}, worst: worstFigure{"x|", 3, 1.0 / 19}}
	f := t.corpus(&measure.Corpus{Kind: "clean", Bytes: 1e9}, "right")
	for s := range lastSeries {
		f.add(s, 4*time.Second)
	}
	f.allocations(allocationFigure{lines: 10})
	return t
}

func TestRowsAreMetOrMissed(t *testing.T) {
	table := full()
	table.corpora[0].add(inMemory, 3*time.Second) // the best round counts
	text := table.String()
	for _, want := range []string{
		"| raw scan, shipped database to reference expressions | clean | 0.65 | 1.00 | met |",
		"| detect, confirm, attribute, mask in memory to raw | clean | 0.90 | 1.33 | met |",
		"| portable engine to Hyperscan, in memory | clean | 0.45 | 0.75 | met |",
		"| two workers to one, on the wall | clean | 1.60 | 1.00 | MISSED |",
		"| with 500 more rules to without, in memory | clean | 0.83 | 0.75 | MISSED |",
		"| start to first masked line, rules compiled | ≤ 700 ms | 1000 ms | MISSED |",
		"| start to first masked line, rules from the cache | ≤ 700 ms | 500 ms | met |",
		"| allocations a record, clean (10 lines) | 0 | 0.0000 | met |",
		"(of `\"x\\|\"`) | ≥ 1/20 | 1/19.0 | met |",
		"| clean, 1000 MB | 250 | 250 | 333 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no row %q in\n%s", want, text)
		}
	}
}

// Each trigger fires on its sample: a worst input repeats something that is worked on.
func TestSamplesAreTriggersOwn(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Portable}, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, trigger := range db.Triggers() {
		text, err := sample(trigger)
		if err != nil {
			t.Fatal(err)
		}
		flags := ""
		if trigger.Flags() == "i" {
			flags = "(?i)"
		}
		if whole := regexp.MustCompile(flags + "^(?:" + trigger.Expression() + ")$"); !whole.MatchString(text) {
			t.Errorf("%s does not match %q", trigger.Expression(), text)
		}
	}
}

// All ways give the same masked text and find what is planted; a wrong output and a
// wrong number are refused.
func TestMemoryChecksItsAnswers(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, bytes.Repeat([]byte{7}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := newMemory(options{rules: 3}, dir, key)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	c, err := measure.WriteCorpus(dir, "auth", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	again, err := measure.OpenCorpus(dir, "auth")
	if err != nil || *again != *c {
		t.Fatalf("written %+v, opened %+v, error %v", c, again, err)
	}
	text, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.check(c, text, nil); err == nil || !strings.Contains(err.Error(), "output") {
		t.Errorf("an output without proof was taken: %v", err)
	}
	c.Secrets++
	if err := m.check(c, text, nil); err == nil || !strings.Contains(err.Error(), "planted") {
		t.Errorf("a missing secret was overlooked: %v", err)
	}
	f := &figures{}
	if err := m.round(text, separate(text), f); err != nil {
		t.Fatal(err)
	}
	for _, s := range []series{inMemory, withPortable, withMoreRules, ofRecords} {
		if len(f.times[s]) != 1 || f.times[s][0] <= 0 {
			t.Errorf("%s was not timed: %v", seriesNames[s], f.times[s])
		}
	}
	if a := m.allocations(text); a.leaking == 0 || a.lines == 0 {
		t.Errorf("allocations of %+v", a)
	}
}

func TestForeignCorporaAreRefused(t *testing.T) {
	dir := t.TempDir()
	line := corpus.New(corpus.Clean).Next().Text
	if err := os.WriteFile(filepath.Join(dir, "clean.log"), append(line, "\nanother\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := measure.OpenCorpus(dir, "clean"); err == nil || !strings.Contains(err.Error(), "line 1 ") {
		t.Errorf("a line that the generator did not write was taken: %v", err)
	}
}
