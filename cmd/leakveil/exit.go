package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of all commands; scan and rules check give 1 and 2 a meaning of
// their own and say so in their help.
const (
	codeOK       = 0
	codeIO       = 1 // input or output failed on the way
	codeUse      = 2 // wrong use or configuration
	codeWithheld = 3 // something had to be withheld
)

// exitError is an error that chooses the exit code. Without err nothing is
// printed: the command has said it already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// wrongUse makes err end the program with code 2.
func wrongUse(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{codeUse, err}
}

// typed gives every command's own errors a code, so that what is left without
// one comes from cobra: unknown commands, wrong arguments. Those are wrong use.
func typed(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			var coded *exitError
			if err == nil || errors.As(err, &coded) {
				return err
			}
			return &exitError{codeIO, err}
		}
	}
	for _, child := range cmd.Commands() {
		typed(child)
	}
}

// exitCode returns the code for a command's error.
func exitCode(err error) int {
	var coded *exitError
	switch {
	case err == nil, brokenPipe(err):
		return codeOK
	case errors.As(err, &coded):
		return coded.code
	}
	return codeUse
}

// brokenPipe reports whether the reader of standard output has gone, as in
// "leakveil redact x | head". A connection of the network that breaks is another
// matter, so the file is looked at.
func brokenPipe(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() && errors.Is(failed.Err, syscall.EPIPE)
}

// finish prints the error, once, and returns the exit code.
func finish(stderr io.Writer, err error) int {
	var coded *exitError
	silent := errors.As(err, &coded) && coded.err == nil
	if err != nil && !silent && !brokenPipe(err) {
		fmt.Fprintf(stderr, "leakveil: %v\n", err)
	}
	return exitCode(err)
}
