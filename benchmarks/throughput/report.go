package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what a run says: figures, and what is needed to get them again.
type report struct {
	figures  []*figures
	machine  []string
	commands []string
	options  options
}

// rate is MB (10^6 bytes) per second of CPU time.
func rate(bytes int64, spent time.Duration) float64 {
	return float64(bytes) / 1e6 / max(spent, time.Nanosecond).Seconds()
}

// rates of a corpus, best round each. steady is without leakveil's start; it is
// 0, unknown, where the start is more than a third of the whole: there the
// difference of two measurements says more about noise than about speed.
type rates struct{ whole, steady, ripgrep, raw float64 }

func (f *figures) rates() rates {
	best, start := slices.Min(f.redact), slices.Min(f.start)
	steady := 0.0
	if start*3 <= best {
		steady = rate(f.bytes, best-start)
	}
	return rates{
		whole: rate(f.bytes, best), steady: steady,
		ripgrep: rate(f.bytes, slices.Min(f.ripgrep)), raw: rate(f.bytes, slices.Min(f.raw)),
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
	now := time.Now().UTC()
	var out strings.Builder
	fmt.Fprintf(&out, "# %s, %s\n\n%s\n", r.options.name, now.Format(time.DateOnly), r.table())
	fmt.Fprintf(&out, "MB (10^6 bytes) per second of CPU time (user and system) on one core, the best of %d interleaved rounds. "+
		"\"start\" is leakveil on an empty file, with its rules compiled by a run before, as from the second run on; \"first start\" is where it compiles them. The start is subtracted where it is at most a third of the whole. \"raw engine\" is hs_scan alone on the same database, arenas of 256 KiB.\n\n", r.options.rounds)
	out.WriteString("## Machine\n\n")
	for _, line := range r.machine {
		out.WriteString("- " + line + "\n")
	}
	out.WriteString("\n## Commands\n\n```\n" + strings.Join(r.commands, "\n") + "\n```\n")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, now.Format(time.DateOnly)+"-"+r.options.name+".md")
	return path, os.WriteFile(path, []byte(out.String()), 0o644)
}

// describeMachine lists what the figures depend on.
func describeMachine(t *tools) []string {
	return []string{
		"CPU: " + fieldOf("/proc/cpuinfo", "model name") + fmt.Sprintf(", %d cores seen", runtime.NumCPU()),
		"memory: " + fieldOf("/proc/meminfo", "MemTotal"),
		"kernel: " + output("uname", "-sr"),
		"Go: " + runtime.Version() + " (this tool)",
		"leakveil: " + output(t.leakveil, "version"),
		fmt.Sprintf("expressions in the database: %d; ripgrep patterns: %d", t.expressions, t.patternCount),
		"ripgrep: " + output("rg", "--version"),
		"libhs: " + output("pkg-config", "--modversion", "libhs"),
		"load before: " + strings.TrimSpace(readAll("/proc/loadavg")),
	}
}

func readAll(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return string(b)
}

// fieldOf reads "name : value" from a file of /proc.
func fieldOf(path, name string) string {
	for line := range strings.Lines(readAll(path)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// output is the first line that a program prints.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return firstLine(out)
}
