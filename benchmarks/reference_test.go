//go:build cgo

package benchmarks

import (
	"os"
	"strings"
	"testing"

	"github.com/flier/gohs/hyperscan"
)

// The reference that raw speed is compared with is what it is said to be, and the
// engine compiles it.
func TestReferenceExpressions(t *testing.T) {
	text, err := os.ReadFile("reference-expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var patterns []*hyperscan.Pattern
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		p, err := hyperscan.ParsePattern(line)
		if err != nil || p.Id != len(patterns) {
			t.Fatalf("%s: %v", line, err)
		}
		patterns = append(patterns, p)
	}
	if len(patterns) != 54 {
		t.Errorf("%d reference expressions, want 54", len(patterns))
	}
	db, err := hyperscan.NewBlockDatabase(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scratch, err := hyperscan.NewScratch(db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := scratch.Free(); err != nil {
			t.Error(err)
		}
	}()
	events := 0
	line := "GET /cb?code=a1B2c3D4e5F6 HTTP/1.1 {\"code_verifier\": \"a1B2c3D4\"} device_code%3Da1B2c3D4 Bearer a1B2c3D4"
	count := func(uint, uint64, uint64, uint, any) error { events++; return nil }
	if err := db.Scan([]byte(line), scratch, count, nil); err != nil {
		t.Fatal(err)
	}
	if events != 4 {
		t.Errorf("%d events where four expressions match", events)
	}
}
