// Command throughput measures leakveil redact, file to null, in one run with
// ripgrep on equivalent patterns and with the raw engine on the same database:
// one core, CPU time, rounds interleaved, best of all. With -check it first
// proves that the masked output is right, since a fast wrong answer is worth
// nothing. It must never print a byte of a corpus, and never report a figure
// without the command and the machine that gave it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/measure"
)

// options are the command line.
type options struct {
	leakveil, patterns, rawscan string
	kinds                       string
	bytes                       int64
	rounds, cpu                 int
	dir, results, name          string
	check                       bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.leakveil, "bin", "bin/leakveil", "leakveil `program`")
	flag.StringVar(&o.patterns, "patterns", "benchmarks/rg-patterns.txt", "ripgrep's patterns, one a line")
	flag.StringVar(&o.rawscan, "rawscan", "benchmarks/rawscan/rawscan.c", "C source of the raw scanner")
	flag.StringVar(&o.kinds, "kinds", "clean,mixed,auth", "corpora to measure")
	flag.Int64Var(&o.bytes, "bytes", 512<<20, "size of each corpus")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, of which the best counts")
	flag.IntVar(&o.cpu, "cpu", 0, "core that everything is pinned to")
	flag.StringVar(&o.dir, "dir", "/dev/shm", "folder for the corpora; best in memory")
	flag.StringVar(&o.results, "results", "", "also write DATE-NAME.md into this `folder`")
	flag.StringVar(&o.name, "name", "throughput", "name of the results")
	flag.BoolVar(&o.check, "check", false, "first compare findings and output with the labels")
	flag.Parse()
	if err := run(o); err != nil {
		log.Fatal("throughput: ", err)
	}
}

func run(o options) (err error) {
	work, err := os.MkdirTemp(o.dir, "leakveil-throughput-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	t, err := prepare(o, work)
	if err != nil {
		return err
	}
	var all []*figures
	for _, kind := range strings.Split(o.kinds, ",") {
		f, err := t.one(o, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, f)
	}
	r := report{figures: all, machine: t.machine(), commands: t.commands(), options: o}
	fmt.Print(r.table())
	if o.results == "" {
		return nil
	}
	path, err := r.write(o.results)
	if err == nil {
		fmt.Println("written to", path)
	}
	return err
}

// one writes a corpus, checks the answer on it and measures.
func (t *tools) one(o options, kind string) (*figures, error) {
	c, err := measure.WriteCorpus(t.work, kind, o.bytes)
	if err != nil {
		return nil, err
	}
	defer os.Remove(c.Path) // the whole folder goes at the end; this only frees memory early
	f := &figures{kind: kind, bytes: c.Bytes}
	if o.check {
		if f.checked, err = measure.Check(t.redact(c.Path), t.work, c); err != nil {
			return nil, err
		}
	}
	for range o.rounds {
		if err := t.round(c.Path, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}
