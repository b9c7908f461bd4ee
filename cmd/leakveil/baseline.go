package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/scan"
	"github.com/leakveil/leakveil/redact"
)

// baselineFlags are scan's --baseline and --write-baseline.
type baselineFlags struct {
	read, write string
	known, next *scan.Baseline
}

func (f *baselineFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.read, "baseline", "", "leave out the findings that this `file` knows; needs the --key-file that it was made with")
	cmd.Flags().StringVar(&f.write, "write-baseline", "", "write all findings, known ones included, to this `file` as a baseline; needs --key-file")
}

// prepare returns scan.Options.Known, nil without flags.
func (f *baselineFlags) prepare(key redact.Key, kept bool) (func(scan.Finding) bool, error) {
	if f.read == "" && f.write == "" {
		return nil, nil
	}
	if !kept {
		return nil, errors.New("--baseline and --write-baseline need --key-file: without it each run has a key of its own, and no finding is known again")
	}
	var err error
	if f.read != "" {
		if f.known, err = scan.ReadBaseline(f.read, key); err != nil {
			return nil, fmt.Errorf("--baseline: %w", err)
		}
	}
	if f.write != "" {
		if err := scan.CanWrite(f.write); err != nil {
			return nil, fmt.Errorf("--write-baseline: %w; only a baseline is replaced", err)
		}
		f.next = scan.NewBaseline(key)
	}
	return func(found scan.Finding) bool {
		if f.next != nil {
			f.next.Add(found)
		}
		return f.known != nil && f.known.Has(found)
	}, nil
}

// finish writes the new baseline and says what was left out.
func (f *baselineFlags) finish(stderr io.Writer, stats scan.Stats) error {
	if f.known != nil {
		fmt.Fprintf(stderr, "leakveil: %d findings are known to %s and not reported\n", stats.Known, f.read)
	}
	if f.next == nil {
		return nil
	}
	if err := f.next.Write(f.write); err != nil {
		return fmt.Errorf("--write-baseline: %w", err)
	}
	fmt.Fprintf(stderr, "leakveil: %d known findings written to %s\n", f.next.Len(), f.write)
	return nil
}
