package main

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// What the table must show whatever the seed: a whole verifier is always found
// behind a strong key, and words never behind a weak one.
func TestMeasure(t *testing.T) {
	m, err := newMeter()
	if err != nil {
		t.Fatal(err)
	}
	defer m.scanner.Close()
	const n = 300
	for _, c := range classes {
		r, err := m.measure(c, n, rand.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.name == "base64url 43" && (r.accepted[0] < n || r.random < n):
			t.Errorf("%s: %+v", c.name, r)
		case c.name == "*words*" && (r.accepted[4] > 0 || r.random > 0):
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestReportIsOfItsSeed(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := report(w, 20, 7); err != nil {
			t.Fatal(err)
		}
	}
	if a.String() != b.String() || strings.Count(a.String(), "\n") != len(classes)+2 {
		t.Errorf("got\n%s", a.String())
	}
}
