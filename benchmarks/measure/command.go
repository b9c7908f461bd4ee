package measure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Quiet runs a program that has nothing to say unless it fails.
func Quiet(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// Pinned is a command line on one core.
func Pinned(cpu int, command ...string) []string {
	return append([]string{"taskset", "-c", strconv.Itoa(cpu)}, command...)
}

// Spent is what a process took: user and system time, and the time on the wall.
type Spent struct{ CPU, Wall time.Duration }

// Run runs a command with its output thrown away. The Go runtime of it gets procs
// processors.
func Run(procs int, command []string) (Spent, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	start := time.Now()
	err := cmd.Run() // a nil Stdout is the null device
	spent := Spent{Wall: time.Since(start)}
	if cmd.ProcessState != nil {
		spent.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if ripgrep(command) && cmd.ProcessState.ExitCode() == 1 && complaints.Len() == 0 {
			err = nil // ripgrep found nothing to replace, and has printed all
		}
	}
	if err != nil {
		return Spent{}, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, firstLine(complaints.Bytes()))
	}
	return spent, nil
}

func ripgrep(command []string) bool { return len(command) > 3 && command[3] == "rg" }

// Raw is the program that runs the engine alone.
type Raw struct{ path string }

// BuildRaw compiles the raw scanner's C source into the folder work.
func BuildRaw(source, work string) (*Raw, error) {
	r := &Raw{filepath.Join(work, "rawscan")}
	return r, Quiet("cc", "-O2", "-o", r.path, source, "-lhs")
}

// Command scans a file for the expressions of another.
func (r *Raw) Command(cpu int, expressions, file string) []string {
	return Pinned(cpu, r.path, expressions, file)
}

// RawResult is what a raw scan says: CPU time of the scan alone, events, and the
// number of expressions.
type RawResult struct {
	CPU                 time.Duration
	Events, Expressions int64
}

// Scan runs a raw scan.
func (r *Raw) Scan(cpu int, expressions, file string) (RawResult, error) {
	command := r.Command(cpu, expressions, file)
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return RawResult{}, fmt.Errorf("rawscan: %w: %s", err, firstLine(exit.Stderr))
		}
		return RawResult{}, fmt.Errorf("rawscan: %w", err)
	}
	var size, events, count, database int64
	var seconds float64
	if _, err := fmt.Sscan(string(out), &size, &seconds, &events, &count, &database); err != nil {
		return RawResult{}, fmt.Errorf("rawscan: its answer is no five numbers: %w", err)
	}
	return RawResult{time.Duration(seconds * float64(time.Second)), events, count}, nil
}

// WriteTriggers writes what `leakveil rules triggers` prints to a file and returns
// the number of expressions.
func WriteTriggers(leakveil, path string) (int, error) {
	expressions, err := exec.Command(leakveil, "rules", "triggers").Output()
	if err != nil {
		return 0, fmt.Errorf("%s rules triggers: %w", leakveil, err)
	}
	return bytes.Count(expressions, []byte("\n")), os.WriteFile(path, expressions, 0o600)
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(line)
}
