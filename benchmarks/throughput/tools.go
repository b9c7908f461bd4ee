package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/measure"
)

// tools are the programs that are compared, ready to run.
type tools struct {
	work, key, empty, triggers string
	leakveil, patterns         string
	raw                        *measure.Raw
	cpu                        int
	expressions, patternCount  int
}

// prepare builds the raw scanner, writes the expressions of the shipped
// database, and makes a key, so that no run pays for one.
func prepare(o options, work string) (*tools, error) {
	t := &tools{
		work: work, key: filepath.Join(work, "key"), empty: filepath.Join(work, "empty"),
		triggers: filepath.Join(work, "triggers.txt"), leakveil: o.leakveil, patterns: o.patterns, cpu: o.cpu,
	}
	patterns, err := os.ReadFile(t.patterns)
	if err != nil {
		return nil, err
	}
	t.patternCount = bytes.Count(patterns, []byte("\n"))
	var errs [4]error
	t.raw, errs[0] = measure.BuildRaw(o.rawscan, work)
	t.expressions, errs[1] = measure.WriteTriggers(t.leakveil, t.triggers)
	errs[2] = os.WriteFile(t.empty, nil, 0o600)
	errs[3] = measure.Quiet(t.leakveil, "key", "new", t.key)
	return t, errors.Join(errs[:]...)
}

// redact, ripgrep and rawscan are the command lines that are measured.
func (t *tools) redact(file string) []string {
	return measure.Pinned(t.cpu, t.leakveil, "redact", "--workers", "1", "--key-file", t.key, file)
}

func (t *tools) ripgrep(file string) []string {
	return measure.Pinned(t.cpu, "rg", "--no-config", "-j1", "--passthru", "-N", "-a", "--no-unicode", "--color=never",
		"-r", "REDACTED", "-f", t.patterns, file)
}

// commands are the command lines as a reader would type them.
func (t *tools) commands() []string {
	var out []string
	for _, c := range [][]string{t.redact("CORPUS"), t.ripgrep("CORPUS"), t.raw.Command(t.cpu, t.triggers, "CORPUS")} {
		line := strings.Join(c, " ") + " > /dev/null"
		out = append(out, "GOMAXPROCS=1 "+strings.ReplaceAll(line, t.work+"/", ""))
	}
	return out
}

// figures are the CPU times on one corpus, one of each a round.
type figures struct {
	kind    string
	bytes   int64
	checked string
	// start is leakveil on an empty file, with its rules compiled by a run before; cold is
	// the same without that.
	redact, start, cold, ripgrep, raw []time.Duration
	events                            int64
}

// round runs everything once, one after the other, so that a disturbance of
// the machine meets all alike.
func (t *tools) round(file string, f *figures) error {
	for _, m := range []struct {
		command []string
		to      *[]time.Duration
	}{
		{append(t.redact(t.empty), "--no-cache"), &f.cold}, {t.redact(t.empty), &f.start},
		{t.redact(file), &f.redact}, {t.ripgrep(file), &f.ripgrep},
	} {
		spent, err := measure.Run(1, m.command)
		if err != nil {
			return err
		}
		*m.to = append(*m.to, spent.CPU)
	}
	raw, err := t.raw.Scan(t.cpu, t.triggers, file)
	f.raw, f.events = append(f.raw, raw.CPU), raw.Events
	return err
}
