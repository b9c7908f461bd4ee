package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
)

// The portable engine gives the same output, and is named at the start.
func TestPortableEngine(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	leakveil(t, "", "key", "new", key).want(t, 0)
	g := corpus.New(corpus.Auth)
	var text strings.Builder
	for range 300 {
		text.Write(g.Next().Text)
		text.WriteByte('\n')
	}
	want := leakveil(t, text.String(), "redact", "--key-file", key)
	got := leakveil(t, text.String(), "redact", "--key-file", key, "--engine", "portable")
	got.want(t, 0, "portable engine")
	if got.stdout != want.stdout || !strings.Contains(got.stdout, "REDACTED.") {
		t.Error("the engines' outputs differ, or nothing is masked")
	}
	leakveil(t, "", "demo", "--engine", "portable", "--records", "500", "--pause", "0").want(t, 0, "portable engine", "Summary")
}

func TestUnknownEngine(t *testing.T) {
	for _, args := range [][]string{{"redact"}, {"scan"}, {"demo"}} {
		leakveil(t, "", append(args, "--engine", "turbo")...).want(t, 2, `--engine "turbo": want hyperscan, portable or auto`)
	}
	for _, e := range detect.Engines() {
		leakveil(t, "", "version").want(t, 0, string(e))
		leakveil(t, "", "rules", "check").want(t, 0, string(e))
	}
}
