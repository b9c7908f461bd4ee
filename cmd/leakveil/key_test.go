package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/redact"
)

// newKeyFile makes a key by the command and returns its file and id.
func newKeyFile(t *testing.T) (path, id string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key.bin")
	got := leakveil(t, "", "key", "new", path)
	got.want(t, 0)
	return path, strings.TrimSpace(got.stdout)
}

func TestKeyNew(t *testing.T) {
	path, id := newKeyFile(t)
	key, err := redact.ReadKeyFile("", path)
	if err != nil || key.ID() != id {
		t.Fatalf("id %q, want %q, %v", key.ID(), id, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() < redact.MinKeyBytes {
		t.Fatalf("%v, %v", info, err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := leakveil(t, "", "key", "new", path)
	got.want(t, 2, "is there already")
	got.hides(t, string(before))
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Error("the key was replaced")
	}
	leakveil(t, "", "key", "new", filepath.Join(path, "below")).want(t, 1, "not a directory")
}

func TestFingerprint(t *testing.T) {
	first, firstID := newKeyFile(t)
	second, secondID := newKeyFile(t)
	value := randomSecret()
	want := ""
	for _, path := range []string{first, second} {
		key, err := redact.ReadKeyFile("", path)
		if err != nil {
			t.Fatal(err)
		}
		fp := redact.NewFingerprinter(key).Of([]byte(value))
		want += key.ID() + " " + string(fp[:]) + "\n"
	}
	for _, stdin := range []string{value, value + "\n", value + "\r\n"} {
		got := leakveil(t, stdin, "fingerprint", "--key-file", first, "--key-file", second)
		got.want(t, 0, firstID, secondID)
		got.hides(t, value)
		if got.stdout != want {
			t.Errorf("got %q, want %q", got.stdout, want)
		}
	}
	// One newline alone is not the value's, nor is a carriage return without one.
	for _, stdin := range []string{value + "\n\n", value + "\r"} {
		if got := leakveil(t, stdin, "fingerprint", "--key-file", first); strings.Contains(want, got.stdout) || got.code != 0 {
			t.Errorf("got %+v", got)
		}
	}
	leakveil(t, "", "fingerprint", value).hides(t, value)
	leakveil(t, "\n", "fingerprint", "--key-file", first).want(t, 2, "holds no value")
	long := leakveil(t, strings.Repeat(value, maxValue/len(value)+1), "fingerprint", "--key-file", first)
	long.want(t, 2, "longer than")
	long.hides(t, value)

	short := file(t, "key.bin", "tooshort")
	got := leakveil(t, value, "fingerprint", "--key-file", short)
	got.want(t, 2, "needs 32 bytes or more")
	got.hides(t, "tooshort")
}

// The fingerprint of a value is the one that scan and redact tell.
func TestFingerprintIsTheAlerts(t *testing.T) {
	path, id := newKeyFile(t)
	value := randomSecret()
	asked := strings.Fields(leakveil(t, value, "fingerprint", "--key-file", path).stdout)
	if len(asked) != 2 || asked[0] != id {
		t.Fatalf("got %q", asked)
	}
	leakveil(t, "code_verifier="+value, "scan", "--format", "json", "--key-file", path).want(t, 1,
		`"fingerprint":"`+asked[1]+`","key_id":"`+id+`"`)
	leakveil(t, "code_verifier="+value, "redact", "--key-file", path).want(t, 0,
		"code_verifier=REDACTED.code_verifier."+id+"."+asked[1])
}
