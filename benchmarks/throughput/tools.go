package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// tools are the programs that are compared, ready to run.
type tools struct {
	work, key, empty, triggers, raw string
	leakveil, patterns              string
	cpu                             string
	expressions, patternCount       int
}

// prepare builds the raw scanner, writes the expressions of the shipped
// database, and makes a key, so that no run pays for one.
func prepare(o options, work string) (*tools, error) {
	t := &tools{
		work: work, key: filepath.Join(work, "key"), empty: filepath.Join(work, "empty"),
		triggers: filepath.Join(work, "triggers.txt"), raw: filepath.Join(work, "rawscan"),
		leakveil: o.leakveil, patterns: o.patterns, cpu: strconv.Itoa(o.cpu),
	}
	if err := os.WriteFile(t.empty, nil, 0o600); err != nil {
		return nil, err
	}
	if err := quiet("cc", "-O2", "-o", t.raw, o.rawscan, "-lhs"); err != nil {
		return nil, err
	}
	if err := quiet(t.leakveil, "key", "new", t.key); err != nil {
		return nil, err
	}
	expressions, err := exec.Command(t.leakveil, "rules", "triggers").Output()
	if err != nil {
		return nil, fmt.Errorf("%s rules triggers: %w", t.leakveil, err)
	}
	patterns, err := os.ReadFile(t.patterns)
	if err != nil {
		return nil, err
	}
	t.expressions, t.patternCount = bytes.Count(expressions, []byte("\n")), bytes.Count(patterns, []byte("\n"))
	return t, os.WriteFile(t.triggers, expressions, 0o600)
}

// quiet runs a program that has nothing to say unless it fails.
func quiet(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// redact, ripgrep and rawscan are the command lines that are measured.
func (t *tools) redact(file string) []string {
	return []string{"taskset", "-c", t.cpu, t.leakveil, "redact", "--workers", "1", "--key-file", t.key, file}
}

func (t *tools) ripgrep(file string) []string {
	return []string{"taskset", "-c", t.cpu, "rg", "--no-config", "-j1", "--passthru", "-N", "-a", "--no-unicode", "--color=never",
		"-r", "REDACTED", "-f", t.patterns, file}
}

func (t *tools) rawscan(file string) []string {
	return []string{"taskset", "-c", t.cpu, t.raw, t.triggers, file}
}

// commands are the command lines as a reader would type them.
func (t *tools) commands() []string {
	var out []string
	for _, c := range [][]string{t.redact("CORPUS"), t.ripgrep("CORPUS"), t.rawscan("CORPUS")} {
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
		spent, err := cpuTime(m.command)
		if err != nil {
			return err
		}
		*m.to = append(*m.to, spent)
	}
	spent, events, err := t.scanRaw(file)
	f.raw, f.events = append(f.raw, spent), events
	return err
}

// cpuTime runs a command with its output thrown away and returns the user and
// system time of its process.
func cpuTime(command []string) (time.Duration, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	err := cmd.Run() // a nil Stdout is the null device
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 1 && command[3] == "rg" && complaints.Len() == 0 {
		err = nil // ripgrep found nothing to replace, and has printed all
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", command[3], err, firstLine(complaints.Bytes()))
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func (t *tools) scanRaw(file string) (time.Duration, int64, error) {
	command := t.rawscan(file)
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return 0, 0, fmt.Errorf("rawscan: %w: %s", err, firstLine(exit.Stderr))
		}
		return 0, 0, fmt.Errorf("rawscan: %w", err)
	}
	var size, events, expressions, database int64
	var seconds float64
	if _, err := fmt.Sscan(string(out), &size, &seconds, &events, &expressions, &database); err != nil {
		return 0, 0, fmt.Errorf("rawscan: its answer is no five numbers: %w", err)
	}
	return time.Duration(seconds * float64(time.Second)), events, nil
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(line)
}

// writeCorpus writes a stream of at least so many bytes and returns its size
// and lines. Being just written, it is in memory when it is measured.
func writeCorpus(path string, stream corpus.Options, least int64) (size, lines int64, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	for g := corpus.New(stream); size < least; lines++ {
		line := append(g.Next().Text, '\n')
		size += int64(len(line))
		if _, err := w.Write(line); err != nil {
			return size, lines, err
		}
	}
	return size, lines, w.Flush()
}
