package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suppressing writes a rules folder with one entry.
func suppressing(t *testing.T, entry string) string {
	t.Helper()
	dir := t.TempDir()
	text := "pack: own\nsuppress:\n  - " + entry + "\n"
	if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSuppress(t *testing.T) {
	key, _ := newKeyFile(t)
	known, other := randomSecret(), randomSecret()
	mask := strings.TrimSpace(leakveil(t, "code_verifier="+known, "redact", "--key-file", key).stdout)
	fp := mask[strings.LastIndexByte(mask, '.')+1:]
	text := "code_verifier=" + known + "\ncode_verifier=" + other + "\n"
	log := file(t, "a.log", text)
	dir := suppressing(t, "{fingerprint: "+fp+", reason: a fixture, expires: 2999-12-31}")

	got := leakveil(t, "", "redact", "--rules", dir, "--key-file", key, "--workers", "1", log)
	got.want(t, 0, "1 suppress entries are in force: findings that they fit pass UNMASKED",
		"1 findings were suppressed and passed UNMASKED", `own.yaml:3 ("a fixture", until 2999-12-31)`)
	if lines := strings.Split(got.stdout, "\n"); lines[0] != "code_verifier="+known || strings.Contains(lines[1], other[:8]) {
		t.Errorf("got %q", got.stdout)
	}
	scan := leakveil(t, "", "scan", "--rules", dir, "--key-file", key, log)
	scan.want(t, 1, ":2:15 code_verifier", "1 findings were suppressed")
	if strings.Count(scan.stdout, "\n") != 1 {
		t.Errorf("got %s", scan.stdout)
	}
	// Another key gives another fingerprint: nothing passes.
	leakveil(t, "", "redact", "--rules", dir, log).hides(t, known)
}

func TestSuppressByService(t *testing.T) {
	dir := suppressing(t, "{kind: code_verifier, service: shop, reason: r, expires: 2999-12-31}")
	theirs, others := randomSecret(), randomSecret()
	log := file(t, "a.log", `{"service.name":"shop","code_verifier":"`+theirs+`"}`+"\n"+`{"service.name":"bank","code_verifier":"`+others+`"}`+"\n")
	got := leakveil(t, "", "redact", "--rules", dir, log)
	got.hides(t, others)
	if !strings.Contains(got.stdout, theirs) {
		t.Errorf("got %s", got.stdout)
	}
}

func TestSuppressByPath(t *testing.T) {
	dir := suppressing(t, "{kind: code_verifier, path: 'fixture.log', reason: r, expires: 2999-12-31}")
	a, b := file(t, "fixture.log", "code_verifier="+randomSecret()+"\n"), file(t, "app.log", "code_verifier="+randomSecret()+"\n")
	got := leakveil(t, "", "scan", "--rules", dir, a, b)
	got.want(t, 1, b+":1:15")
	if strings.Contains(got.stdout, a) {
		t.Errorf("got %s", got.stdout)
	}
}

func TestSuppressExpired(t *testing.T) {
	dir := suppressing(t, "{kind: code_verifier, reason: r, expires: 2001-01-01}")
	value := randomSecret()
	got := leakveil(t, "code_verifier="+value+"\n", "redact", "--rules", dir)
	got.want(t, 0, "own.yaml:3: suppress entry expired on 2001-01-01 and no longer applies", "0 findings were suppressed")
	got.hides(t, value)
}

func TestSuppressWithoutNarrowing(t *testing.T) {
	dir := suppressing(t, "{reason: r, expires: 2999-12-31}")
	leakveil(t, "", "redact", "--rules", dir).want(t, 2, "own.yaml:3: suppress: needs fingerprint, kind, rule, key, path or service")
}
