package detect

import (
	"errors"
	"strings"
	"testing"
)

// over is a clock that counts how often it is asked, and says stop from a number on.
func over(from int) (func() bool, *int) {
	asked := 0
	return func() bool { asked++; return from > 0 && asked >= from }, &asked
}

func TestScanGivesUpWhenTimeIsOver(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	many := &Batch{}
	many.SetLines([]byte(strings.Repeat("code_verifier="+strings.Repeat("aB3-", 11)+"\n", 1000)))
	large := &Batch{}
	large.SetLines([]byte(strings.Repeat("nothing to see here\n", 100_000)))

	ask, asked := over(0)
	s.GiveUpWhen(ask)
	findings, _, err := s.Scan(many)
	if err != nil || len(findings) != 1000 || *asked < 1000/eventsPerCheck {
		t.Fatalf("%d findings, %v, asked %d times", len(findings), err, *asked)
	}
	for name, b := range map[string]*Batch{"in the middle of the events": many, "between windows": large} {
		ask, asked := over(5)
		s.GiveUpWhen(ask)
		findings, observations, err := s.Scan(b)
		if !errors.Is(err, ErrExpired) || len(findings) > 0 || len(observations) > 0 || *asked != 5 {
			t.Errorf("%s: %d findings, %v, asked %d times", name, len(findings), err, *asked)
		}
	}
	s.GiveUpWhen(nil)
	if findings, _, err := s.Scan(many); err != nil || len(findings) != 1000 {
		t.Errorf("the scanner cannot be used again: %d findings, %v", len(findings), err)
	}
}
