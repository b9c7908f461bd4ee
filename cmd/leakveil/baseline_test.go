package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScanBaseline(t *testing.T) {
	key, _ := newKeyFile(t)
	old, fresh := randomSecret(), randomSecret()
	log := file(t, "a.log", "code_verifier="+old+"\n")
	base := filepath.Join(t.TempDir(), "known.json")
	leakveil(t, "", "scan", "--key-file", key, "--write-baseline", base, log).want(t, 1, "1 known findings written")
	text, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	ran{stdout: string(text)}.hides(t, old)

	known := leakveil(t, "", "scan", "--key-file", key, "--baseline", base, log)
	known.want(t, 0, "1 findings are known to "+base)
	if known.stdout != "" {
		t.Errorf("a known finding is reported: %s", known.stdout)
	}

	// A new value, and the same value in another file, are not known.
	if err := os.WriteFile(log, []byte("x\ncode_verifier="+old+"\ncode_verifier="+fresh+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	more := leakveil(t, "", "scan", "--key-file", key, "--baseline", base, "--write-baseline", base, log)
	more.want(t, 1, log+":3:15 code_verifier", "2 known findings written")
	if strings.Count(more.stdout, "\n") != 1 {
		t.Errorf("got %s", more.stdout)
	}
	leakveil(t, "", "scan", "--key-file", key, "--baseline", base, log).want(t, 0)
	leakveil(t, "", "scan", "--key-file", key, "--baseline", base, file(t, "b.log", "code_verifier="+old+"\n")).want(t, 1)
}

func TestScanBaselineRefusals(t *testing.T) {
	key, _ := newKeyFile(t)
	other, _ := newKeyFile(t)
	value := randomSecret()
	log := file(t, "a.log", "code_verifier="+value+"\n")
	base := filepath.Join(t.TempDir(), "known.json")
	leakveil(t, "", "scan", "--key-file", "k="+key, "--write-baseline", base, log).want(t, 1)
	leakveil(t, "", "scan", "--baseline", base, log).want(t, 2, "need --key-file")
	leakveil(t, "", "scan", "--key-file", other, "--baseline", base, log).want(t, 2, "was made with key k, and this run's key is")
	leakveil(t, "", "scan", "--key-file", "k="+other, "--baseline", base, log).want(t, 2, "another key of the same id k")
	leakveil(t, "", "scan", "--key-file", key, "--baseline", log, log).want(t, 2, "is not a baseline")
	refused := leakveil(t, "", "scan", "--key-file", key, "--write-baseline", log, log)
	refused.want(t, 2, "only a baseline is replaced")
	refused.hides(t, value)
	if text, err := os.ReadFile(log); err != nil || string(text) != "code_verifier="+value+"\n" {
		t.Error("the log was replaced")
	}
}
