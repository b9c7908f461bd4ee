// Command entropy measures how often the detector takes a value for a secret, for
// each strength of what stands before it: values drawn at random, where it should,
// and look-alikes, where it should not. It prints the table of docs/entropy.md:
//
//	go run ./benchmarks/entropy
//
// All values are generated, from a seed. It must never read logs.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// place is what stands around a value; {} is the value.
type place struct{ name, line string }

// places are from the strongest to the weakest.
var places = []place{
	{"strong key", "level=info access_token={} status=200"},
	{"strong key, prose", "the access token {} was stored"},
	{"Bearer", "retry with Bearer {} failed"},
	{"weak key, parameter", "GET /cb?code={}&state=af0ifjsldkj HTTP/1.1"},
	{"weak key alone", "level=info code={} status=200"},
}

func main() {
	n := flag.Int("n", 5000, "values of each class")
	seed := flag.Uint64("seed", 1, "seed of the values")
	flag.Parse()
	if *n < 1 || flag.NArg() > 0 {
		log.Fatal("entropy: want -n of 1 or more, and no arguments")
	}
	if err := report(os.Stdout, *n, *seed); err != nil {
		log.Fatal(err)
	}
}

// report writes the table.
func report(w io.Writer, n int, seed uint64) error {
	m, err := newMeter()
	if err != nil {
		return err
	}
	defer m.scanner.Close()
	fmt.Fprint(w, "| values | at random by score alone |")
	for _, p := range places {
		fmt.Fprintf(w, " %s |", p.name)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" ---: |", len(places)+1))
	for _, class := range classes {
		r, err := m.measure(class, n, seed)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %s | %s |", class.name, share(r.random, n))
		for _, accepted := range r.accepted {
			fmt.Fprintf(w, " %s |", share(accepted, n))
		}
		fmt.Fprintln(w)
	}
	return nil
}

func share(part, n int) string { return fmt.Sprintf("%.4f", float64(part)/float64(n)) }

type meter struct {
	scanner *detect.Scanner
	batch   detect.Batch
}

func newMeter() (*meter, error) {
	set, err := rules.Default()
	if err != nil {
		return nil, err
	}
	db, err := detect.Compile(set)
	if err != nil {
		return nil, err
	}
	s, err := db.NewScanner()
	return &meter{scanner: s}, err
}

// rates counts, of n values, those whose score is random and those found at each place.
type rates struct {
	random   int
	accepted []int
}

func (m *meter) measure(c class, n int, seed uint64) (rates, error) {
	r := rates{accepted: make([]int, len(places))}
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range n {
		v := c.draw(rnd)
		if detect.Score([]byte(v)) >= detect.RandomBits {
			r.random++
		}
		for i, p := range places {
			found, err := m.found(p, v)
			if err != nil {
				return r, err
			}
			if found {
				r.accepted[i]++
			}
		}
	}
	return r, nil
}

// found reports whether any byte of the value would be masked.
func (m *meter) found(p place, v string) (bool, error) {
	before, after, _ := strings.Cut(p.line, "{}")
	m.batch.SetLines([]byte(before + v + after))
	findings, _, err := m.scanner.Scan(&m.batch)
	if err != nil {
		return false, err
	}
	for _, f := range findings {
		if f.Start < len(before)+len(v) && f.End > len(before) {
			return true, nil
		}
	}
	return false, nil
}
