package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// found reads a findings file.
func found(t *testing.T, path string) []findingLine {
	t.Helper()
	var out []findingLine
	for line := range strings.Lines(read(t, path)) {
		var f findingLine
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		out = append(out, f)
	}
	return out
}

// The input with the ranges of --findings replaced is the output, whatever bytes
// stand around; and a second run changes nothing.
func TestFindingsAreWhatWasReplaced(t *testing.T) {
	s := []string{randomSecret(), randomSecret(), randomSecret(), randomSecret()}
	in := "\xff\x00 client_id=a code_verifier=" + s[0] + "\x00\r\n\n\r\n" +
		"code_verifier=" + s[1] + "\rcode_verifier=" + s[2] + "\u2028\n" +
		"no final newline client_secret=" + s[3]
	key, report := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "f")
	leakveil(t, "", "key", "new", key).want(t, 0)
	got := leakveil(t, in, "redact", "--key-file", key, "--findings", report, "--workers", "3")
	got.want(t, 0)
	lines := strings.Split(in, "\n")
	all := found(t, report)
	if len(all) != 4 {
		t.Fatalf("%d findings, want 4", len(all))
	}
	for i, f := range slices.Backward(all) {
		line := &lines[f.Line]
		if (*line)[f.Start:f.End] != s[i] || f.File != nil {
			t.Errorf("finding %d: %+v", i, f)
		}
		mask := "REDACTED." + f.Kind + "." + f.KeyID + "." + f.Fingerprint
		*line = (*line)[:f.Start] + mask + (*line)[f.End:]
	}
	if want := strings.Join(lines, "\n"); got.stdout != want {
		t.Errorf("got  %q\nwant %q", got.stdout, want)
	}
	again := leakveil(t, got.stdout, "redact", "--key-file", key, "--findings", report)
	again.want(t, 0)
	if again.stdout != got.stdout || read(t, report) != "" {
		t.Errorf("a second run changed something:\n%q", again.stdout)
	}
}

func TestFindingsNameTheirFile(t *testing.T) {
	a, b := file(t, "a.log", "x\n"+leak("a", randomSecret())), file(t, "b.log", leak("b", randomSecret()))
	report := filepath.Join(t.TempDir(), "f")
	leakveil(t, leak("c", randomSecret()), "redact", "--findings", report, a, "-", b).want(t, 0)
	all := found(t, report)
	if len(all) != 3 || *all[0].File != a || all[1].File != nil || *all[2].File != b || all[0].Line != 1 || all[2].Line != 0 {
		t.Fatalf("got %+v", all)
	}
	for i, want := range []string{"a", "c", "b"} {
		if all[i].ClientID == nil || *all[i].ClientID != want {
			t.Errorf("finding %d: got %v", i, all[i].ClientID)
		}
	}
}

func TestPolicies(t *testing.T) {
	secret := randomSecret()
	in := "before\nclient_id=web refresh_token=" + secret + " after\r\nbehind\n"
	for action, want := range map[string]string{
		"mask": "client_id=web refresh_token=REDACTED.refresh_token.", "hash": "client_id=web refresh_token=HASHED.",
		"partial": ".REDACTED after\r\n", "remove": "client_id=web refresh_token= after\r\n",
		"drop_record": "before\n\r\nbehind\n", "report": in,
	} {
		got := leakveil(t, in, "redact", "--policy", "refresh_token="+action)
		got.want(t, 0, want)
		if !strings.HasPrefix(got.stdout, "before\n") || !strings.HasSuffix(got.stdout, "\r\nbehind\n") || strings.Count(got.stdout, "\n") != 3 {
			t.Errorf("%s: got %q", action, got.stdout)
		}
		if action != "report" && strings.Contains(got.stdout, secret[8:24]) {
			t.Errorf("%s: the value is left", action)
		}
	}
}

// --findings once emptied the input, the key or the output when it named them;
// and an output that is an input grows without end.
func TestRedactReadsNothingThatItWrites(t *testing.T) {
	text := leak("web", randomSecret())
	log := file(t, "a.log", text)
	key := filepath.Join(t.TempDir(), "key")
	leakveil(t, "", "key", "new", key).want(t, 0)
	secret := read(t, key)
	leakveil(t, "", "redact", "--findings", log, log).want(t, 2, "this is also an input")
	leakveil(t, "", "redact", "--key-file", key, "--findings", key, log).want(t, 2, "this is the key file")
	leakveil(t, "", "redact", "--key-file", "k1="+key, "--findings", key, log).want(t, 2, "this is the key file")
	program := binary(t)
	for line, want := range map[string]string{
		`"$0" redact "$1" 2>&1 >>"$1"`:                            "is both input and output",
		`"$0" redact <"$1" 2>&1 >>"$1"`:                           "standard input is both input and output",
		`"$0" redact --findings "$1" <"$1" 2>&1`:                  "this is also an input",
		`"$0" redact --findings "$1.f" "$1" 2>&1 >"$1.f"`:         "standard output goes there as well",
		`ln "$1" "$1.2"; "$0" redact --findings "$1.2" "$1" 2>&1`: "this is also an input",
	} {
		out, err := exec.Command("sh", "-c", line, program, log).CombinedOutput()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	if read(t, log) != text || read(t, key) != secret {
		t.Error("a file was changed")
	}
}

// A line that has come whole is out, and its finding too, while the pipe is open.
func TestSlowPipe(t *testing.T) {
	report := filepath.Join(t.TempDir(), "f")
	cmd := exec.Command(binary(t), "redact", "--findings", report)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for i := range 3 {
		if _, err := io.WriteString(in, leak("web", randomSecret())+"half a line"); err != nil {
			t.Fatal(err)
		}
		// Blocks until the timeout of the tests if the line is kept back.
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "REDACTED.code_verifier.") {
			t.Fatalf("line %d: got %q, %v", i, line, err)
		}
	}
	if n := len(found(t, report)); n != 3 {
		t.Errorf("%d findings in the file, want 3", n)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

func TestRedactProcess(t *testing.T) {
	program := binary(t)
	log := file(t, "leak.log", strings.Repeat(leak("web", randomSecret()), 20000))
	for line, want := range map[string]string{
		`"$0" redact "$1" >/dev/full 2>/dev/null; echo $?`:                                "1",
		`"$0" redact --findings /dev/full "$1" 2>/dev/null >/dev/null; echo $?`:           "1",
		`"$0" redact "$1.not" 2>/dev/null; echo $?`:                                       "1",
		`"$0" redact / 2>/dev/null; echo $?`:                                              "1",
		`{ { "$0" redact "$1" 2>/dev/null; echo $? >&3; } | head -n 1 >/dev/null; } 3>&1`: "0",
		`"$0" redact </dev/null 2>/dev/null; echo $?`:                                     "0",
		`printf '\n\r\n\n' | "$0" redact 2>/dev/null | od -An -c | tr -d ' \n'`:           `\n\r\n\n`,
	} {
		out, err := exec.Command("sh", "-c", line, program, log).Output()
		if err != nil || !strings.HasPrefix(strings.TrimSpace(string(out)), want) {
			t.Errorf("%s: got %q, %v, want %s", line, out, err, want)
		}
	}
}

// A file that cannot be read keeps the others from nothing, and is named.
func TestRedactGoesOnBehindAnUnreadableFile(t *testing.T) {
	dir, secret := t.TempDir(), randomSecret()
	there, gone := filepath.Join(dir, "there.log"), filepath.Join(dir, "gone.log")
	if err := os.WriteFile(there, []byte("code_verifier="+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{gone, there}, {there, gone}, {dir, there}} {
		got := leakveil(t, "", append([]string{"redact", "--no-cache"}, files...)...)
		got.want(t, codeIO, "code_verifier=REDACTED.", "1 of 2 files")
		got.hides(t, secret)
	}
	leakveil(t, "", "redact", "--no-cache", gone).want(t, codeIO, "gone.log")
	got := leakveil(t, "", "redact", "--no-cache", "--in-place", gone, there)
	got.want(t, codeIO, "gone.log", "1 of 2 files")
	if text, err := os.ReadFile(there); err != nil || !strings.HasPrefix(string(text), "code_verifier=REDACTED.") {
		t.Errorf("the readable file is not masked: %v", err)
	}
}
