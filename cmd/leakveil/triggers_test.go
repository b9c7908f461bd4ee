//go:build cgo

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/flier/gohs/hyperscan"
)

// What triggers prints, the engine compiles.
func TestRulesTriggers(t *testing.T) {
	line := regexp.MustCompile(`^(\d+):/(.+)/([im]*)$`)
	all := strings.Split(strings.TrimSpace(leakveil(t, "", "rules", "triggers").stdout), "\n")
	if len(all) < 100 {
		t.Fatalf("%d triggers", len(all))
	}
	var patterns []*hyperscan.Pattern
	for i, text := range all {
		if !line.MatchString(text) {
			t.Fatalf("line %d: %s", i, text)
		}
		p, err := hyperscan.ParsePattern(text)
		if err != nil || p.Id != i {
			t.Fatalf("line %d: %s: %v", i, text, err)
		}
		patterns = append(patterns, p)
	}
	db, err := hyperscan.NewBlockDatabase(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
