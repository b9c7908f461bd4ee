package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/scan"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// scanCommand is leakveil scan.
type scanCommand struct {
	rules   ruleFlags
	keys    keyFlags
	format  string
	workers int

	options scan.Options
	report  scanReport
	stderr  io.Writer
}

// scanReport is a form of output.
type scanReport interface {
	Add(scan.Finding) error
	Failed(path string, err error)
	Close() error
}

func newScan() *cobra.Command {
	s := &scanCommand{}
	cmd := &cobra.Command{
		Use:   "scan [PATH…]",
		Short: "Report where secrets are, without writing the text",
		Long: `Search files and folders, or standard input when there is no path or it is -, and
report where secrets are: never what they are. Folders are searched with all that
is below them, links in them are not followed; gzip and zstd files are read.

The text form is one line a finding: path:line:column kind rule confidence client,
line and column from 1, columns in characters, the client - when it is not known.
json is one object a line, with the members that redact --findings writes (line
from 0, byte offsets). sarif is SARIF 2.1.0, for code hosts and editors.

Exit codes: 0 nothing found, 1 something found, 2 wrong use, or a file that could
not be read.`,
		Example: `  leakveil scan /var/log
  kubectl logs deploy/web | leakveil scan
  leakveil scan --format sarif logs/ > findings.sarif`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			s.stderr = cmd.ErrOrStderr()
			s.options.Stdin = cmd.InOrStdin()
			return s.run(cmd.OutOrStdout(), paths)
		},
	}
	s.rules.add(cmd)
	s.rules.addCache(cmd)
	s.keys.add(cmd)
	formatFlag(cmd, &s.format, "text", "json", "sarif")
	cmd.Flags().IntVar(&s.workers, "workers", runtime.NumCPU(), "goroutines that scan a large file")
	return cmd
}

func (s *scanCommand) run(stdout io.Writer, paths []string) error {
	out := bufio.NewWriterSize(stdout, 64<<10)
	if err := s.prepare(out); err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{"-"}
	}
	progress := newProgress(s.stderr, nil)
	s.options.OnFound = func(f scan.Finding) error {
		progress.end()
		return s.report.Add(f)
	}
	s.options.OnProgress = func(bytes int64) error {
		progress.update(bytes)
		return out.Flush()
	}
	s.options.OnFailed = func(path string, err error) {
		progress.end()
		fmt.Fprintf(s.stderr, "leakveil: %s: %v\n", path, err)
		s.report.Failed(path, err)
	}
	stats, err := scan.Run(paths, s.options)
	progress.end()
	if err == nil {
		err = errors.Join(s.report.Close(), out.Flush())
	}
	return scanOutcome(stats, err)
}

// scanOutcome turns what happened into the exit code.
func scanOutcome(stats scan.Stats, err error) error {
	switch {
	case brokenPipe(err) && stats.Findings > 0:
		return &exitError{codeFound, nil}
	case err != nil:
		return wrongUse(err)
	case stats.Failed > 0:
		return wrongUse(fmt.Errorf("not everything was scanned: %d failed", stats.Failed))
	case stats.Findings > 0:
		return &exitError{codeFound, nil}
	}
	return nil
}

// codeFound is scan's own exit code for findings.
const codeFound = 1

func (s *scanCommand) prepare(out io.Writer) error {
	if s.workers < 1 || s.workers > 1024 {
		return wrongUse(fmt.Errorf("--workers %d: want 1 to 1024", s.workers))
	}
	set, err := s.rules.load()
	if err != nil {
		return err
	}
	key, keyID, err := s.key()
	if err != nil {
		return err
	}
	if s.report, err = newScanReport(s.format, out, set, key.ID(), keyID); err != nil {
		return wrongUse(err)
	}
	db, err := s.rules.compile(set, s.stderr)
	s.options.Database, s.options.Key, s.options.Workers = db, key, s.workers
	return err
}

// key returns the key and, when it is one that is kept, its id. That a key is
// made for this run is only worth saying where fingerprints are shown.
func (s *scanCommand) key() (redact.Key, string, error) {
	stderr := s.stderr
	if s.format != "json" {
		stderr = io.Discard
	}
	ring, err := s.keys.ring(stderr)
	if err != nil {
		return redact.Key{}, "", err
	}
	if len(s.keys.files) == 0 {
		return ring[0], "", nil
	}
	return ring[0], ring[0].ID(), nil
}

func newScanReport(format string, out io.Writer, set *rules.Set, anyKey, keptKey string) (scanReport, error) {
	switch format {
	case "text":
		return textReport{out}, nil
	case "json":
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return jsonReport{&findingsFile{enc: enc, keyID: anyKey}}, nil
	case "sarif":
		return scan.NewSARIF(out, set, moduleVersion(), keptKey)
	}
	return nil, fmt.Errorf("--format %q: want text, json or sarif", format)
}

// textReport and jsonReport have nothing to say about files that failed:
// standard error does.
type textReport struct{ w io.Writer }

func (r textReport) Add(f scan.Finding) error { return scan.WriteText(r.w, f) }
func (textReport) Failed(string, error)       {}
func (textReport) Close() error               { return nil }

type jsonReport struct{ lines *findingsFile }

func (r jsonReport) Add(f scan.Finding) error { return r.lines.add(f.Path, f.Found) }
func (jsonReport) Failed(string, error)       {}
func (jsonReport) Close() error               { return nil }
