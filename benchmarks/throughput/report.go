package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/measure"
)

// report is what a run says: figures, and what is needed to get them again.
type report struct {
	figures  []*figures
	machine  []string
	commands []string
	options  options
}

// rates of a corpus, best round each. steady is without leakveil's start; it is
// 0, unknown, where the start is more than a third of the whole: there the
// difference of two measurements says more about noise than about speed.
type rates struct{ whole, steady, ripgrep, raw float64 }

func (f *figures) rates() rates {
	best, start := slices.Min(f.redact), slices.Min(f.start)
	steady := 0.0
	if start*3 <= best {
		steady = measure.Rate(f.bytes, best-start)
	}
	return rates{
		whole: measure.Rate(f.bytes, best), steady: steady,
		ripgrep: measure.Rate(f.bytes, slices.Min(f.ripgrep)), raw: measure.Rate(f.bytes, slices.Min(f.raw)),
	}
}

// table is Markdown.
func (r report) table() string {
	var out strings.Builder
	out.WriteString("| corpus | MB | leakveil | without start | ripgrep | raw engine | to raw | to raw, without start | to ripgrep | start, ms | first start, ms |\n")
	out.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range r.figures {
		x := f.rates()
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %s | %.0f | %.0f | %.2f | %s | %.1f | %d | %d |\n",
			f.kind, float64(f.bytes)/1e6, x.whole, known("%.0f", x.steady), x.ripgrep, x.raw, x.whole/x.raw,
			known("%.2f", x.steady/x.raw), x.whole/x.ripgrep, slices.Min(f.start).Milliseconds(), slices.Min(f.cold).Milliseconds())
	}
	for _, f := range r.figures {
		if f.checked != "" {
			fmt.Fprintf(&out, "\n%s: %s.", f.kind, f.checked)
		}
	}
	out.WriteString("\n")
	return out.String()
}

// known formats a figure, or says that there is none.
func known(format string, figure float64) string {
	if figure == 0 {
		return "–"
	}
	return fmt.Sprintf(format, figure)
}

func (r report) write(dir string) (string, error) {
	return measure.WriteReport(dir, r.options.name, r.table()+fmt.Sprintf("MB (10^6 bytes) per second of CPU time (user and system) on one core, the best of %d interleaved rounds. "+
		"\"start\" is leakveil on an empty file, with its rules compiled by a run before, as from the second run on; \"first start\" is where it compiles them. The start is subtracted where it is at most a third of the whole. \"raw engine\" is hs_scan alone on the same database, arenas of 256 KiB.\n", r.options.rounds), r.machine, r.commands)
}

// machine lists what the figures depend on.
func (t *tools) machine() []string {
	return measure.Machine(t.leakveil,
		fmt.Sprintf("expressions in the database: %d; ripgrep patterns: %d", t.expressions, t.patternCount),
		"ripgrep: "+measure.Output("rg", "--version"))
}
