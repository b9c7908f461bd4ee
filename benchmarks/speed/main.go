// Command speed measures every figure that detection is held to: the raw engine with
// the shipped database against hand-written reference expressions; finding and masking
// in memory, of records, of files and with the portable engine against the raw
// engine; two workers, many more rules, the start, allocations and the worst inputs.
// Ratios are of one run: rounds are interleaved, the best of each counts. Answers are
// checked before anything is timed. It must never print a byte of a corpus.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/measure"
)

// options are the command line.
type options struct {
	leakveil, reference, rawscan string
	kinds, corpora, dir          string
	bytes                        int64
	rounds, cpu                  int
	rules, every                 int
	results, name                string
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.leakveil, "bin", "bin/leakveil", "leakveil `program`")
	flag.StringVar(&o.reference, "reference", "benchmarks/reference-expressions.txt", "reference expressions, as the raw scanner reads them")
	flag.StringVar(&o.rawscan, "rawscan", "benchmarks/rawscan/rawscan.c", "C source of the raw scanner")
	flag.StringVar(&o.kinds, "kinds", "clean,mixed,auth", "corpora to measure")
	flag.StringVar(&o.corpora, "corpora", "", "`folder` of KIND.log files from benchmarks/gen; without it they are made")
	flag.StringVar(&o.dir, "dir", "/dev/shm", "folder for what is made; best in memory")
	flag.Int64Var(&o.bytes, "bytes", 256<<20, "size of each corpus that is made")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds, of which the best counts")
	flag.IntVar(&o.cpu, "cpu", 1, "core that everything is pinned to, but for the two workers")
	flag.IntVar(&o.rules, "more-rules", 500, "rules of vendors' prefixes in the row of more rules")
	flag.IntVar(&o.every, "worst-every", 1, "of the triggers, each so many-th makes a worst input")
	flag.StringVar(&o.results, "results", "", "also write DATE-NAME.md into this `folder`")
	flag.StringVar(&o.name, "name", "speed", "name of the results")
	flag.Parse()
	if err := run(o); err != nil {
		log.Fatal("speed: ", err)
	}
}

func run(o options) (err error) {
	if o.rounds < 1 {
		return errors.New("-rounds: at least one")
	}
	work, err := os.MkdirTemp(o.dir, "leakveil-speed-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	machine := measure.Machine(o.leakveil) // with the load before all this
	runtime.GOMAXPROCS(1)
	if err := pin(o.cpu); err != nil {
		return err
	}
	p, err := newPrograms(o, work)
	if err != nil {
		return err
	}
	m, err := newMemory(o, work, p.key)
	if err != nil {
		return err
	}
	defer m.close()
	t := table{rounds: o.rounds}
	for kind := range strings.SplitSeq(o.kinds, ",") {
		if err := corpusFigures(o, p, m, &t, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	if err := otherFigures(o, p, m, &t); err != nil {
		return err
	}
	fmt.Print(t.String())
	if o.results == "" {
		return nil
	}
	machine = append(machine, fmt.Sprintf("expressions: %d shipped, %d of reference; rules added: %d", p.shipped, p.referenced, o.rules))
	path, err := measure.WriteReport(o.results, o.name, t.String(), machine, p.commands())
	if err == nil {
		fmt.Println("written to", path)
	}
	return err
}

// corpusFigures checks all answers on a corpus and measures on it.
func corpusFigures(o options, p *programs, m *memory, t *table, kind string) error {
	c, err := openCorpus(o, p.work, kind)
	if err != nil {
		return err
	}
	if o.corpora == "" {
		defer os.Remove(c.Path)
	}
	checked, sum, err := p.check(c)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Path)
	if err != nil {
		return err
	}
	if err := m.check(c, text, sum); err != nil {
		return err
	}
	f, lines := t.corpus(c, checked), separate(text)
	for range o.rounds {
		if err := p.round(c, f); err != nil {
			return err
		}
		if err := m.round(text, lines, f); err != nil {
			return err
		}
	}
	f.allocations(m.allocations(text))
	return nil
}

func openCorpus(o options, work, kind string) (*measure.Corpus, error) {
	if o.corpora != "" {
		return measure.OpenCorpus(o.corpora, kind)
	}
	return measure.WriteCorpus(work, kind, o.bytes)
}

// otherFigures are those that no corpus decides.
func otherFigures(o options, p *programs, m *memory, t *table) error {
	for range o.rounds {
		cold, err := p.firstLine("--no-cache")
		if err != nil {
			return err
		}
		warm, err := p.firstLine()
		if err != nil {
			return err
		}
		t.cold, t.warm = append(t.cold, cold), append(t.warm, warm)
	}
	var err error
	t.worst, err = m.worst(max(1, o.every))
	return err
}
