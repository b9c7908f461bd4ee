package suppress

import (
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func list(day string, entries ...rules.Suppression) *List {
	now, err := time.Parse(time.DateTime, day)
	if err != nil {
		panic(err)
	}
	for i := range entries {
		entries[i].Expires = "2030-06-15"
	}
	return New(&rules.Set{Suppress: entries}, func() time.Time { return now })
}

// found is a finding of value behind X-Own-Token=.
func found(value string) (detect.Finding, []byte) {
	arena := []byte("a X-Own-Token=" + value + "\n")
	start := strings.IndexByte(string(arena), '=') + 1
	return detect.Finding{
		Rule: &rules.Rule{ID: "access-token"}, Kind: rules.AccessToken, RecordLow: 0, RecordHigh: len(arena) - 1,
		KeyStart: strings.Index(string(arena), "Token"), Start: start, Blob: start, End: len(arena) - 1,
	}, arena
}

func TestFits(t *testing.T) {
	print := redact.NewFingerprinter(redact.RandomKey()).Of([]byte("some value"))
	fp := string(print[:])
	f, arena := found("some value")
	over, repeat, part := f, f, f
	over.Lines, repeat.Repeat, part.Part = 1, true, true
	const during = "2030-06-15 23:59:59"
	for name, tc := range map[string]struct {
		entry rules.Suppression
		f     detect.Finding
		file  string
		day   string
		want  bool
	}{
		"kind":                     {rules.Suppression{Kind: rules.AccessToken}, f, "-", during, true},
		"other kind":               {rules.Suppression{Kind: rules.JWT}, f, "-", during, false},
		"expired":                  {rules.Suppression{Kind: rules.AccessToken}, f, "-", "2030-06-16 00:00:00", false},
		"rule":                     {rules.Suppression{Rule: "access-token"}, f, "-", during, true},
		"rule, other kind":         {rules.Suppression{Rule: "access-token", Kind: rules.JWT}, f, "-", during, false},
		"fingerprint":              {rules.Suppression{Fingerprint: fp}, f, "-", during, true},
		"fingerprint, lines":       {rules.Suppression{Fingerprint: fp}, over, "-", during, false},
		"other fingerprint":        {rules.Suppression{Fingerprint: strings.Repeat("A", 22)}, f, "-", during, false},
		"whole key":                {rules.Suppression{Key: "x_own_token"}, f, "-", during, true},
		"end of the key":           {rules.Suppression{Key: "token"}, f, "-", during, false},
		"key of a repeat":          {rules.Suppression{Key: "x_own_token"}, repeat, "-", during, false},
		"key of a part":            {rules.Suppression{Key: "x_own_token"}, part, "-", during, false},
		"base name":                {rules.Suppression{Path: "test-*.log"}, f, "logs/test-1.log", during, true},
		"whole path":               {rules.Suppression{Path: "logs/*.log"}, f, "./logs/test-1.log", during, true},
		"other folder":             {rules.Suppression{Path: "logs/*.log"}, f, "logs/deep/test-1.log", during, false},
		"no path, as of a record":  {rules.Suppression{Path: "*"}, f, "", during, false},
		"service":                  {rules.Suppression{Service: "shop"}, f, "", during, true},
		"other service":            {rules.Suppression{Service: "shop-2"}, f, "a.log", during, false},
		"service and other kind":   {rules.Suppression{Service: "shop", Kind: rules.JWT}, f, "a.log", during, false},
		"path and another's kind":  {rules.Suppression{Path: "*", Kind: rules.JWT}, f, "a.log", during, false},
		"path and kind, both true": {rules.Suppression{Path: "*", Kind: rules.AccessToken}, f, "a.log", during, true},
	} {
		l := list(tc.day, tc.entry)
		if got := l.Passes(&tc.f, print, arena, tc.file, func() string { return "shop" }); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
		if want := int64(map[bool]int{true: 1}[tc.want]); l.Passed() != want {
			t.Errorf("%s: counted %d", name, l.Passed())
		}
	}
}

func TestNoEntries(t *testing.T) {
	f, arena := found("x")
	if l := New(&rules.Set{}, nil); l != nil || l.Passes(&f, redact.Fingerprint{}, arena, "", nil) || l.States() != nil || l.Passed() != 0 {
		t.Error("a list without entries lets something pass")
	}
}
