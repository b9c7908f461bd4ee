package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/leakveil/leakveil/internal/dbcache"
)

// removing names a file that the test program, started again, removes on a signal.
const removing = "LEAKVEIL_TEST_REMOVE_ON_SIGNAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(removing); path != "" {
		removeOnSignal(func() string { return path })
		fmt.Println("ready")
		select {}
	}
	var err error
	if buildDir, err = os.MkdirTemp("", "leakveil-test-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	databases = dbcache.In(filepath.Join(buildDir, "cache")) // not the user's own
	code := m.Run()
	_ = os.RemoveAll(buildDir)
	os.Exit(code)
}

// buildDir is where binary builds the program.
var buildDir string

func leak(client, secret string) string {
	return "client_id=" + client + "&code_verifier=" + secret + "\n"
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// only fails when the folder of path holds anything but the named files.
func only(t *testing.T, path string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %v, want %v", have, names)
	}
}

func TestInPlace(t *testing.T) {
	secret := randomSecret()
	path := file(t, "a.log", "clean\n"+leak("web", secret))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(path), "link.log")
	if err := os.Symlink("a.log", link); err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "redact", "--in-place", link).want(t, 0)
	got := read(t, path)
	if strings.Contains(got, secret) || !strings.HasPrefix(got, "clean\nclient_id=web&code_verifier=REDACTED.") {
		t.Errorf("got %q", got)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(link); err != nil || to != "a.log" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	only(t, path, "a.log", "link.log")
}

// Whoever follows a clean file goes on following it.
func TestInPlaceLeavesCleanFilesAlone(t *testing.T) {
	path := file(t, "a.log", "nothing here\n")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "redact", "--in-place", path).want(t, 0)
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("a clean file was replaced (%v)", err)
	}
	only(t, path, "a.log")
}

// As root --in-place /dev/null once replaced the device by a file, and a named
// pipe was waited for and then replaced.
func TestInPlaceRefusesWhatIsNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "redact", "--in-place", pipe).want(t, 2, "is no regular file")
	if info, err := os.Lstat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe is %v, %v", info.Mode(), err)
	}
	only(t, pipe, "pipe")
	leakveil(t, "", "redact", "--in-place", t.TempDir()).want(t, 2, "is no regular file")
}

// appending is a file that grows while it is read.
type appending struct {
	t    *testing.T
	path string
	r    *strings.Reader
}

func (a *appending) Read(p []byte) (int, error) {
	file, err := os.OpenFile(a.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		a.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("late\n"); err != nil {
		a.t.Fatal(err)
	}
	return a.r.Read(p)
}

// What a service wrote while its log was masked is not lost.
func TestInPlaceKeepsWhatGrew(t *testing.T) {
	text := leak("web", randomSecret())
	path := file(t, "a.log", text)
	r := &redactCommand{format: "lines", workers: 1, inPlace: true, stdout: os.Stdout, stderr: os.Stderr}
	if err := r.prepare(strings.NewReader(""), []string{path}); err != nil {
		t.Fatal(err)
	}
	err := r.replace(&appending{t, path, strings.NewReader(text)}, path)
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") || exitCode(&exitError{codeIO, err}) != 1 {
		t.Errorf("got %v", err)
	}
	if got := read(t, path); !strings.HasPrefix(got, text+"late\n") {
		t.Errorf("got %q", got)
	}
	only(t, path, "a.log")
}

func TestRemoveOnSignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		path := file(t, ".leakveil-1", "half")
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), removing+"="+path)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if ready, err := bufio.NewReader(out).ReadString('\n'); err != nil || ready != "ready\n" {
			t.Fatalf("got %q, %v", ready, err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != s {
			t.Errorf("%v: ended with %v", s, cmd.ProcessState)
		}
		only(t, path)
	}
}

// Killed in the middle, nothing stays beside the original, which is whole.
func TestInPlaceKilledLeavesNothing(t *testing.T) {
	text := strings.Repeat(leak("web", randomSecret()), 20_000)
	path := file(t, "a.log", text)
	pipe := filepath.Join(t.TempDir(), "findings")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "redact", "--no-cache", "--in-place", "--findings", pipe, path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	findings, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer findings.Close()
	if _, err := findings.Read(make([]byte, 1)); err != nil { // it is at work, and waits for the pipe
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if read(t, path) != text {
		t.Error("the original has changed")
	}
	only(t, path, "a.log")
}
