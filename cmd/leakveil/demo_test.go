package main

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDemo(t *testing.T) {
	got := leakveil(t, "", "demo", "--records", "20000", "--pause", "0")
	got.want(t, 0, "ALERT", "REDACTED.code_verifier.", "records        20000", "findings by kind", "clients to act on", "records/s")
}

func TestCutLineShowsTheMask(t *testing.T) {
	for _, line := range []string{
		"short REDACTED.jwt.k.f", strings.Repeat("é", 500) + "REDACTED.jwt.k.f" + strings.Repeat("x", 500), "REDACTED.jwt.k.f" + strings.Repeat("\xff", 300),
	} {
		for _, width := range []int{57, 77, 157, 237} {
			got := cutLine(line, width)
			if n := utf8.RuneCountInString(got); n > width || !strings.Contains(got, "REDACTED.jwt.k.f") {
				t.Errorf("width %d: %d characters: %q", width, n, got)
			}
		}
	}
}

// Without a reader --follow once ran for ever.
func TestDemoEndsWithItsReader(t *testing.T) {
	line := `{ { "$0" demo --follow --pause 0; echo $? >&3; } | head -n 1 >/dev/null; } 3>&1`
	if out, err := exec.Command("sh", "-c", line, binary(t)).Output(); err != nil || strings.TrimSpace(string(out)) != "0" {
		t.Errorf("got %q, %v", out, err)
	}
}
