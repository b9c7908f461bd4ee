package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// every calls fn for each command of ours.
func every(cmd *cobra.Command, fn func(*cobra.Command)) {
	fn(cmd)
	for _, child := range cmd.Commands() {
		every(child, fn)
	}
}

// Each command says what it does, and each flag too.
func TestHelpIsComplete(t *testing.T) {
	every(newRoot(), func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		got := leakveil(t, "", append(path, "--help")...)
		got.want(t, 0, "Usage:", strings.TrimSpace(strings.SplitN(cmd.Long, "\n", 2)[0]))
		if cmd.Short == "" || cmd.Long == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short and Long say what it does, Short without a full stop", cmd.CommandPath())
		}
		if !cmd.HasSubCommands() && cmd.Example == "" {
			t.Errorf("%s: no example", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || !strings.Contains(got.stdout, "--"+f.Name) {
				t.Errorf("%s --%s: not in the help", cmd.CommandPath(), f.Name)
			}
		})
	})
}

func TestWrongUse(t *testing.T) {
	for line, want := range map[string]string{
		"nothing":                              `unknown command "nothing"`,
		"--nothing":                            "unknown flag: --nothing",
		"rules":                                "say which: list, check, explain, triggers",
		"rules nothing":                        `unknown command "nothing"`,
		"rules list x":                         `unknown command "x"`,
		"rules list --format xml":              "want text or json",
		"rules list --disable nothing":         `cannot disable "nothing"`,
		"rules list --rules /nowhere":          "no such file",
		"rules explain":                        "accepts 1 arg",
		"rules explain verifiers-of-pkce":      "did you mean pkce-",
		"scan --format xml":                    "want text, json or sarif",
		"scan --workers 0":                     "want 1 to 1024",
		"scan --key-file /nowhere":             "no such file",
		"key new":                              "accepts 1 arg",
		"fingerprint":                          "--key-file is missing",
		"fingerprint secret":                   "never on the command line",
		"config check":                         "accepts 1 arg",
		"config check /nowhere":                "no such file",
		"redact --policy jwt":                  "want kind=action",
		"redact --policy jwt=a":                "is no action",
		"redact --policy a=mask":               "is no kind",
		"redact --policy jwt=a --policy jwt=b": "given twice",
	} {
		got := leakveil(t, "", strings.Fields(line)...)
		got.want(t, 2, "leakveil: ", want)
		if strings.Count(got.stderr, "leakveil: ") != 1 || got.stdout != "" {
			t.Errorf("%s: want one message on standard error, have\n%s%s", line, got.stdout, got.stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	leakveil(t, "", "version").want(t, 0, "leakveil ", "go       go1.", "engine   hyperscan ", "rules    ")
}

func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	leakveil(t, "", "man", dir).want(t, 0)
	every(newRoot(), func(cmd *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if !cmd.Hidden && (err != nil || !strings.Contains(string(page), ".SH SYNOPSIS")) {
			t.Errorf("%s: %v", cmd.CommandPath(), err)
		}
	})
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		leakveil(t, "", "completion", shell).want(t, 0, "leakveil")
	}
	leakveil(t, "", "__complete", "rules", "explain", "pkce").want(t, 0, "pkce-verifier")
	leakveil(t, "", "__complete", "scan", "--format", "").want(t, 0, "sarif")
}

// binary builds the program, once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "leakveil")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// What only a process shows: its exit code, its closed pipes, a full disk.
func TestProcess(t *testing.T) {
	program := binary(t)
	leak := file(t, "leak.log", strings.Repeat("client_id=web code_verifier="+randomSecret()+"\n", 20000))
	for line, want := range map[string]string{
		`"$0" scan "$1" >/dev/null; echo $?`:                                "1",
		`"$0" scan /dev/null; echo $?`:                                      "0",
		`"$0" scan --nothing 2>/dev/null; echo $?`:                          "2",
		`"$0" scan "$1" >/dev/full 2>/dev/null; echo $?`:                    "2",
		`{ { "$0" scan "$1"; echo $? >&3; } | head -n 1 >/dev/null; } 3>&1`: "1",
		`{ { "$0" rules triggers; echo $? >&3; } | true; } 3>&1`:            "0",
		`"$0" version >/dev/full 2>/dev/null; echo $?`:                      "1",
	} {
		out, err := exec.Command("sh", "-c", line, program, leak).Output()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: got %q, %v, want %s", line, out, err, want)
		}
	}
}
