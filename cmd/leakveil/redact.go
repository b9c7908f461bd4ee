package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/lines"
	"github.com/leakveil/leakveil/internal/pipeline"
)

// redactCommand is leakveil redact: its flags and what they open.
type redactCommand struct {
	rules    ruleFlags
	keys     keyFlags
	policy   policyFlags
	findings string
	format   string
	workers  int
	summary  bool
	inPlace  bool

	options lines.Options
	worker  pipeline.Options
	report  *findingsFile
	tally   *tally
	total   lines.Stats
	stdout  io.Writer
	stderr  io.Writer
}

func newRedact() *cobra.Command {
	r := &redactCommand{}
	cmd := &cobra.Command{
		Use:   "redact [FILE…]",
		Short: "Mask the secrets in files or standard input",
		Long: `Read files, or standard input when there are none or the name is -, and write
them with every secret masked to standard output: exactly one line out for each
line in, clean lines byte for byte.

A line ends at a line feed; a carriage return before it belongs to the line end.
With --record-format ndjson-text each line is a JSON object with a member "text",
whose decoded text (newlines included) is the record; other members stay.

A file that cannot be read is named, and the next one follows.

Exit codes: 0 done, with or without findings; 1 input or output failed on the
way; 2 wrong use; 3 a line could not be scanned and was withheld.`,
		Example: `  tail -f app.log | leakveil redact
  leakveil redact --key-file key.bin --findings found.ndjson app.log > app.masked.log
  leakveil redact --in-place --summary logs/*.log`,
		RunE: func(cmd *cobra.Command, files []string) error {
			r.stdout, r.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return r.run(cmd.InOrStdin(), files)
		},
	}
	r.rules.add(cmd)
	r.rules.addCache(cmd)
	r.keys.add(cmd)
	r.policy.add(cmd)
	f := cmd.Flags()
	f.StringVar(&r.findings, "findings", "", "write one JSON object for each finding to this `file`")
	f.StringVar(&r.format, "record-format", "lines", "`form` of the input: lines, or ndjson-text")
	f.IntVar(&r.workers, "workers", runtime.NumCPU(), "goroutines that scan")
	f.BoolVar(&r.summary, "summary", false, "print what was found to standard error at the end")
	f.BoolVar(&r.inPlace, "in-place", false, "replace each file by its masked form, atomically")
	return cmd
}

func (r *redactCommand) run(stdin io.Reader, files []string) (err error) {
	if len(files) == 0 && !r.inPlace {
		files = []string{"-"}
	}
	if err := r.prepare(stdin, files); err != nil {
		return err
	}
	if r.report != nil {
		defer func() { err = errors.Join(err, r.report.close()) }()
	}
	leaveInEngine(r.workers)
	progress := newProgress(r.stderr, files)
	r.options.OnProgress = func(bytes int64) error {
		progress.update(bytes)
		return r.report.flush()
	}
	unread := 0
	for _, file := range files {
		switch err := r.one(stdin, file); {
		case err == nil:
		case len(files) > 1 && errors.Is(err, lines.ErrInput):
			progress.end()
			fmt.Fprintf(r.stderr, "leakveil: %v\n", err)
			unread++
		default:
			progress.end()
			return err
		}
		progress.file()
	}
	progress.end()
	printSuppressed(r.stderr, r.worker.Suppress)
	if r.summary {
		r.tally.print(r.stderr, r.total)
	}
	if r.total.Withheld > 0 {
		return &exitError{codeWithheld, fmt.Errorf("%d lines could not be scanned and were withheld", r.total.Withheld)}
	}
	if unread > 0 {
		return &exitError{codeIO, fmt.Errorf("%d of %d files could not be read to their end; the others are done", unread, len(files))}
	}
	return nil
}

// prepare checks the flags and builds the pipeline's options.
func (r *redactCommand) prepare(stdin io.Reader, files []string) error {
	switch {
	case r.format != "lines" && r.format != "ndjson-text":
		return wrongUse(fmt.Errorf("--record-format %q: want lines or ndjson-text", r.format))
	case r.workers < 1 || r.workers > 1024:
		return wrongUse(fmt.Errorf("--workers %d: want 1 to 1024", r.workers))
	case r.inPlace && len(files) == 0:
		return wrongUse(errors.New("--in-place: name the files"))
	}
	if err := r.apart(stdin, files); err != nil {
		return wrongUse(err)
	}
	set, err := r.rules.load()
	if err != nil {
		return err
	}
	policy, err := r.policy.parse()
	if err != nil {
		return err
	}
	ring, err := r.keys.ring(r.stderr)
	if err != nil {
		return err
	}
	db, err := r.rules.compile(set, r.stderr)
	if err != nil {
		return err
	}
	if r.findings != "" {
		if r.report, err = createFindings(r.findings, ring[0].ID()); err != nil {
			return wrongUse(err)
		}
	}
	r.worker = pipeline.Options{
		Database: db, Policy: policy, Key: ring[0], Attribute: r.findings != "" || r.summary, Suppress: suppressions(set, r.stderr),
	}
	r.tally = newTally()
	r.options = lines.Options{
		Workers:   r.workers,
		NewWorker: func() (*pipeline.Worker, error) { return pipeline.NewWorker(r.worker) },
	}
	return nil
}

// leaveInEngine lets the scheduler run one goroutine more than there are workers.
// Without that it takes the processor away from each worker that is in the engine
// for long, and gives it back: a twentieth of the time on one core.
func leaveInEngine(workers int) {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), workers+1))
}

// one redacts one file, or standard input for "-".
func (r *redactCommand) one(stdin io.Reader, name string) error {
	src := stdin
	r.worker.Path = name
	if name != "-" {
		if err := r.replaceable(name); err != nil {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("%w: %w", lines.ErrInput, err)
		}
		defer file.Close()
		src = file
	}
	if r.report != nil || r.summary {
		r.options.OnFound = func(f lines.Found) error {
			r.tally.add(f)
			if r.report == nil {
				return nil
			}
			return r.report.add(name, f)
		}
	}
	if r.inPlace && name != "-" {
		return r.replace(src, name)
	}
	return r.copy(r.stdout, src)
}

func (r *redactCommand) copy(dst io.Writer, src io.Reader) error {
	run := lines.Copy
	if r.format == "ndjson-text" {
		run = lines.CopyObjects
	}
	stats, err := run(dst, src, r.options)
	r.total.Bytes += stats.Bytes
	r.total.Lines += stats.Lines
	r.total.Findings += stats.Findings
	r.total.Withheld += stats.Withheld
	return err
}
