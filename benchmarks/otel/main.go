// Command otel measures the leakveil processor beside contrib's redactionprocessor with
// seven patterns for the same secrets, in one process and one run: batches of 1,000
// corpus lines into a consumer that only counts, on one core. Before it measures, it
// checks that no planted secret comes out of leakveil.
//
// It is a module of its own, so that leakveil does not depend on what it is compared with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"golang.org/x/sys/unix"

	leakveilprocessor "github.com/leakveil/leakveil/processor"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/benchmarks/measure"
	"github.com/leakveil/leakveil/benchmarks/requests"
)

// patterns find what the corpora plant, each a kind of glue: what a careful user of
// redactionprocessor writes.
var patterns = []string{
	`eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*`,
	`(?i)\b(?:code_verifier|codeVerifier|access_token|refresh_token|id_token|client_secret|device_code)["'\\]*\s*(?:=>|[:=]|%3D)\s*["'\\]*[A-Za-z0-9._~+/-]{20,}`,
	`[?&;]code=[A-Za-z0-9._~%/+-]{20,}`,
	`(?i)\bbearer\s+[A-Za-z0-9._~+/-]{20,}=*`,
	`(?i)\bbasic\s+[A-Za-z0-9+/]{16,}=*`,
	`\b(?:gh[opsu]_[A-Za-z0-9]{36}|ya29\.[A-Za-z0-9_-]{20,}|xox[bp]-[A-Za-z0-9-]{20,}|glpat-[A-Za-z0-9_-]{20})`,
	`(?i)\b(?:session|sid|auth_token)=[A-Za-z0-9._~%-]{20,}`,
}

var (
	rounds = flag.Int("rounds", 5, "rounds; the best of each counts")
	only   = flag.String("corpus", "", "only this corpus: clean, mixed or auth")
	out    = flag.String("results", "", "folder for DATE-otel.md")
	cpuOut = flag.String("cpuprofile", "", "file for a profile of leakveil alone, nothing else is measured")
	least  = flag.Duration("time", 300*time.Millisecond, "CPU time of leakveil's part of a round, at the least")
)

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

// contender is one processor.
type contender struct {
	name    string
	factory processor.Factory
	config  component.Config
	share   int // of the batches: a slow one gets fewer
}

func contenders() []contender {
	ours := leakveilprocessor.NewFactory()
	theirs := redactionprocessor.NewFactory()
	red := theirs.CreateDefaultConfig().(*redactionprocessor.Config)
	red.AllowAllKeys, red.BlockedValues = true, patterns
	n := 2
	if *cpuOut != "" {
		n = 1
	}
	return []contender{
		{"leakveil", ours, ours.CreateDefaultConfig(), 1},
		{"redaction", theirs, red, 40},
	}[:n]
}

func run() error {
	if *cpuOut != "" {
		f, err := os.Create(*cpuOut)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var table strings.Builder
	for _, line := range []string{
		"| corpus | records | leakveil | redaction, 7 patterns | ratio | wanted | allocations a record |",
		"| --- | --- | ---: | ---: | ---: | ---: | ---: |",
	} {
		table.WriteString(line + "\n")
		fmt.Println(line)
	}
	for _, c := range requests.Corpora {
		if *only != "" && *only != c.Name {
			continue
		}
		for _, shape := range requests.Shapes {
			row, err := compare(c.Name, shape, c.Options)
			if err != nil {
				return err
			}
			table.WriteString(row + "\n")
			fmt.Println(row)
		}
	}
	if *out == "" {
		return nil
	}
	fmt.Fprintf(&table, "\nMB (10^6 bytes) of text per CPU-second, batches of %d records into a consumer that counts, one core, in one process: the best of %d interleaved rounds. Before it measures, the program checks that no planted secret comes out of leakveil.\n", batchSize, *rounds)
	path, err := measure.WriteReport(*out, "otel", table.String(), measure.Machine("../../bin/leakveil", "redactionprocessor: v0.162.0, 7 patterns (benchmarks/otel/main.go)"),
		[]string{"cd benchmarks/otel && go run . " + strings.Join(os.Args[1:], " ")})
	fmt.Println(path)
	return err
}

// goal is how many times as fast as redactionprocessor leakveil should be.
func goal(name string, s requests.Shape) float64 {
	switch {
	case s != requests.Bodies:
		return 40
	case name == "auth":
		return 50
	}
	return 100
}

// compare measures one row.
func compare(name string, s requests.Shape, o corpus.Options) (string, error) {
	input := newInput(s, o)
	best := map[string]float64{}
	allocations := 0.0
	for round := range *rounds {
		for _, c := range contenders() {
			w, err := input.start(c)
			if err != nil {
				return "", err
			}
			if round == 0 && c.name == "leakveil" {
				if err := input.check(w); err != nil {
					return "", err
				}
			}
			speed, allocs, err := input.speed(w, *least/time.Duration(c.share), c.share)
			if err != nil {
				return "", err
			}
			if best[c.name] = max(best[c.name], speed); c.name == "leakveil" {
				allocations = allocs
			}
			if err := w.component.Shutdown(context.Background()); err != nil {
				return "", err
			}
		}
	}
	ratio, want, verdict := best["leakveil"]/best["redaction"], goal(name, s), ""
	if ratio < want {
		verdict = " MISSED"
	}
	return fmt.Sprintf("| %s | %s | %.0f | %.1f | %.0f×%s | %.0f× | %.3f |", name, s, best["leakveil"], best["redaction"], ratio, verdict, want, allocations), nil
}

// start makes and starts one of the contenders.
func (in *input) start(c contender) (*work, error) {
	set := processortest.NewNopSettings(c.factory.Type())
	w, err := in.make(c, set)
	if err != nil {
		return nil, err
	}
	return w, w.component.Start(context.Background(), componenttest.NewNopHost())
}

// cpu is the CPU time of the process so far.
func cpu() time.Duration {
	var t unix.Timespec // rusage is counted in ticks on some kernels
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

func contains(text string, secrets []string) string {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			return s
		}
	}
	return ""
}
