package harden

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary runs itself; this variable tells it which part to play.
const part = "LEAKVEIL_HARDEN_PART"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(part) {
	case "":
		os.Exit(m.Run())
	case "state":
		err = playState()
	case "crash":
		if err = Apply(); err == nil {
			_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT) // ends the process
			select {}
		}
	case "open":
		err = playVictim(false)
	case "private":
		err = playVictim(true)
	case "read":
		err = playReader(os.Args[1])
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func playState() error {
	if err := Apply(); err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	fmt.Printf("core %d %d dumpable %d\n", limit.Cur, limit.Max, dumpable)
	return err
}

// becomeNobody gives up the superuser's rights, which no setting holds against.
func becomeNobody() error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	return errors.Join(syscall.Setgid(65534), syscall.Setuid(65534))
}

func playVictim(private bool) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return err
	}
	if private {
		if err := Apply(); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin) // until the test is done
	return err
}

func playReader(pid string) error {
	if err := becomeNobody(); err != nil {
		return err
	}
	f, err := os.Open("/proc/" + pid + "/environ")
	if err != nil {
		fmt.Println("refused")
		return nil
	}
	fmt.Println("opened")
	return f.Close()
}

func play(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), part+"="+role)
	return cmd
}

func TestApplySetsBoth(t *testing.T) {
	out, err := play(t, "state").CombinedOutput()
	if err != nil || string(out) != "core 0 0 dumpable 0\n" {
		t.Errorf("%s%v", out, err)
	}
}

func TestACrashLeavesNoCore(t *testing.T) {
	cmd := play(t, "crash")
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Env, "GOTRACEBACK=crash")
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the process did not crash: %v", err)
	}
	status := exit.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.CoreDump() {
		t.Errorf("signalled %v, core dumped %v", status.Signaled(), status.CoreDump())
	}
	if files, err := filepath.Glob(filepath.Join(cmd.Dir, "*")); err != nil || len(files) > 0 {
		t.Error(files, err)
	}
}

func TestMemoryIsPrivate(t *testing.T) {
	for role, want := range map[string]string{"open": "opened\n", "private": "refused\n"} {
		victim := play(t, role)
		in, err := victim.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || strings.TrimSpace(line) != "ready" {
			t.Fatal(line, err)
		}
		got, err := play(t, "read", fmt.Sprint(victim.Process.Pid)).CombinedOutput()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s%v, want %s", role, got, err, want)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := victim.Wait(); err != nil {
			t.Error(role, err)
		}
	}
}
