package harden

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Apply sets RLIMIT_CORE to 0, so that a crash writes no memory to disk, and
// PR_SET_DUMPABLE to 0, so that only the superuser may read or trace this process
// (prctl(2), ptrace(2)). Both are tried; the error names what failed.
func Apply() error {
	var errs []error
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("switching core dumps off (RLIMIT_CORE): %w", err))
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("keeping memory private (PR_SET_DUMPABLE): %w", err))
	}
	return errors.Join(errs...)
}
