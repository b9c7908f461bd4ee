// Package backend starts real receivers for the tests of sinks: OpenSearch, an
// OpenTelemetry Collector, Tenzir, syslog-ng and rsyslog. Each is fetched once
// into .cache/backends of the repository. It must be imported by tests alone.
package backend

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/freeport"
)

// cached returns the folder of a receiver's programs, and fills it with fetch
// when that has not been done. Test processes of several packages wait for each
// other.
func cached(t testing.TB, name string, fetch func(dir string) error) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".cache", "backends", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	complete := filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return dir
	}
	if err := fetch(dir); err != nil {
		t.Fatalf("backend: %s is not to be had: %v", name, err)
	}
	if err := os.WriteFile(complete, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func repository() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, gone := os.Stat(filepath.Join(dir, "deploy", "kafka", "pom.xml")); gone == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			err = errors.New("backend: not below the repository")
		}
		dir = up
	}
	return "", err
}

// command runs a program to its end.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// debian unpacks packages below dir without installing them.
func debian(dir string, packages ...string) error {
	if err := command(dir, "apt-get", append([]string{"download", "-q"}, packages...)...); err != nil {
		if err := command(dir, "apt-get", "update", "-qq"); err != nil {
			return err
		}
		if err := command(dir, "apt-get", append([]string{"download", "-q"}, packages...)...); err != nil {
			return err
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	for _, name := range names {
		err = errors.Join(err, command(dir, "dpkg", "-x", name, dir))
	}
	return err
}

// Process is a receiver that runs.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu  sync.Mutex
	log bytes.Buffer
}

// Write keeps what the process says.
func (p *Process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

// Log returns what the process has said so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// begin starts cmd for the length of a test and waits until ready says so.
func begin(t testing.TB, cmd *exec.Cmd, ready func() error) *Process {
	t.Helper()
	p := &Process{cmd: cmd, done: make(chan struct{})}
	cmd.Stderr = p
	if cmd.Stdout == nil {
		cmd.Stdout = p
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.err = cmd.Wait(); close(p.done) }()
	t.Cleanup(p.Stop)
	for begun := time.Now(); ; {
		err := ready()
		if err == nil {
			return p
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended: %v\n%s", cmd.Path, p.err, p.Log())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begun) > 3*time.Minute {
			t.Fatalf("%s is not ready: %v\n%s", cmd.Path, err, p.Log())
		}
	}
}

// Stop ends the process and its children, and waits for it.
func (p *Process) Stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Freeze stops the process's clock until the returned function is called: a
// receiver that takes connections and says nothing.
func (p *Process) Freeze() (thaw func()) {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGSTOP)
	return func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGCONT) }
}

// FreePort returns a port of 127.0.0.1 that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := freeport.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// listens is a ready function for a port.
func listens(port int) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
}

// Eventually waits until what the test looks for is there.
func Eventually(t testing.TB, what string, look func() bool) {
	t.Helper()
	for begun := time.Now(); !look(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("not seen: %s", what)
		}
	}
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// shared returns a folder that a server under another user can enter.
func shared(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "leakveil-backend-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
