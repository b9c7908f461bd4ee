// Command leakveil finds OAuth secrets in logs, masks them, and says which
// client each of them belongs to.
//
// This package is thin: it reads flags, calls the packages that do the work, and
// turns errors into exit codes. It must never print a value that was found.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/leakveil/leakveil/internal/harden"
)

func main() {
	if err := harden.Apply(); err != nil {
		fmt.Fprintf(os.Stderr, "leakveil: warning: %v\n", err)
	}
	// Without this the runtime ends the program at the first write to a closed
	// pipe; that is a normal end here (see exitCode), with its own code.
	signal.Ignore(syscall.SIGPIPE)
	root := newRoot()
	os.Exit(finish(os.Stderr, root.Execute()))
}
