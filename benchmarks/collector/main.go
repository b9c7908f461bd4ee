// Command collector measures what leakveil costs in a Collector: the built Collector takes
// requests over gRPC and throws them away, with leakveil in between and without. Both run
// at once, get the same requests in turns, and the CPU time of each process counts. What
// leakveil has found is compared with what was planted.
//
// It must measure a Collector as it is built for use: make collector.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/measure"
	"github.com/leakveil/leakveil/benchmarks/requests"
)

var (
	program = flag.String("collector", "bin/collector/otelcol-leakveil", "the Collector, as make collector builds it")
	rounds  = flag.Int("rounds", 5, "rounds; the best of each counts")
	least   = flag.Duration("time", time.Second, "CPU time of a round, at the least")
	procs   = flag.Int("procs", 1, "GOMAXPROCS of the Collectors, and how many requests are under way at a time")
	gzip    = flag.Bool("gzip", false, "send with gzip, as SDKs and Collectors do by default")
	only    = flag.String("corpus", "", "only this corpus: clean, mixed or auth")
	results = flag.String("results", "", "folder for DATE-collector.md, or -collector-gzip.md")
	version = flag.String("leakveil", "bin/leakveil", "the program that says its version")
)

// goal is the part of its throughput that the Collector should keep.
const goal = 0.85

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		os.Exit(1)
	}
}

// requestsOfEach is how many different requests a corpus has.
const requestsOfEach = 8

// figure is one row.
type figure struct {
	corpus     string
	shape      requests.Shape
	bare, with float64 // MB of text per CPU-second
	masked     int64   // secrets found, of the planted
	planted    int64
}

func run() error {
	bare, err := start(*program, *procs, "")
	if err != nil {
		return err
	}
	defer bare.stop()
	with, err := start(*program, *procs, "leakveil")
	if err != nil {
		return err
	}
	defer with.stop()
	var figures []figure
	for _, c := range requests.Corpora {
		if *only != "" && *only != c.Name {
			continue
		}
		for _, shape := range requests.Shapes {
			f := figure{corpus: c.Name, shape: shape}
			if err := f.measure(bare, with, requests.New(shape, c.Options, requestsOfEach)); err != nil {
				return fmt.Errorf("%s, %s: %w", c.Name, shape, err)
			}
			figures = append(figures, f)
			fmt.Println(f.row())
		}
	}
	return report(figures)
}

// measure fills in the figures of one corpus in one shape.
func (f *figure) measure(bare, with *collector, list []requests.Request) error {
	var text int64
	for _, r := range list {
		text += int64(r.Text)
		f.planted += int64(len(r.Secrets))
	}
	before, err := with.findings()
	if err != nil {
		return err
	}
	if err := errors.Join(bare.send(list), with.send(list)); err != nil { // also warms up
		return err
	}
	after, err := with.findings()
	if err != nil {
		return err
	}
	if f.masked = after - before; f.masked != f.planted {
		return fmt.Errorf("%d secrets were masked, %d planted: the answer is wrong", f.masked, f.planted)
	}
	for range *rounds {
		for _, c := range []*collector{bare, with} {
			spent, sent := time.Duration(0), int64(0)
			for from := c.cpu(); spent < *least; spent = c.cpu() - from {
				if err := c.send(list); err != nil {
					return err
				}
				sent += text
			}
			best := &f.bare
			if c == with {
				best = &f.with
			}
			*best = max(*best, measure.Rate(sent, spent))
		}
	}
	return nil
}

const head = "| corpus | records | without leakveil | with leakveil | ratio | secrets masked |\n| --- | --- | ---: | ---: | ---: | ---: |\n"

func (f *figure) row() string {
	verdict := ""
	if f.with/f.bare < goal {
		verdict = " MISSED"
	}
	return fmt.Sprintf("| %s | %s | %.0f | %.0f | %.2f%s | %d of %d |", f.corpus, f.shape, f.bare, f.with, f.with/f.bare, verdict, f.masked, f.planted)
}

// report writes the results' file.
func report(figures []figure) error {
	if *results == "" {
		return nil
	}
	var body strings.Builder
	body.WriteString(head)
	for _, f := range figures {
		body.WriteString(f.row() + "\n")
	}
	compression, name := "no compression", "collector"
	if *gzip {
		compression, name = "gzip", "collector-gzip"
	}
	fmt.Fprintf(&body, "\nMB (10^6 bytes) of text per second of CPU time of the Collector's process, requests of %d records over gRPC, %s, to the exporter nop; GOMAXPROCS %d; the best of %d interleaved rounds. Wanted is a ratio of %.2f.\n",
		requests.Records, compression, *procs, *rounds, goal)
	path, err := measure.WriteReport(*results, name, body.String(),
		measure.Machine(*version, "Collector: "+measure.Output(*program, "--version")),
		[]string{"make collector", "go run ./benchmarks/collector " + strings.Join(os.Args[1:], " ")})
	if err == nil {
		fmt.Println(cmp.Or(path, "no file"))
	}
	return err
}
