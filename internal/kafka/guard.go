package kafka

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// guard runs fn and turns a panic into an error that names the place, and never
// the value: it may hold a record's bytes.
func guard(what string, fn func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s: panic at %s", what, panicPlace())
		}
	}()
	return fn()
}

// panicPlace is the innermost frame outside of the runtime that panicked.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicked := false
	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicked && !inRuntime {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		panicked = panicked || inRuntime
		if !more {
			return "an unknown place"
		}
	}
}
