package main

import (
	"bytes"
	"testing"
)

func grow(n int, at func(i int) int64) []sample {
	out := make([]sample, n)
	for i := range out {
		out[i] = sample{fed: int64(i), resident: at(i)}
	}
	return out
}

func TestFlatTellsGrowth(t *testing.T) {
	const mb = 1 << 20
	if err := flat(grow(40, func(i int) int64 { return 100*mb + int64(i%3)*mb }), 8*mb); err != nil {
		t.Errorf("steady memory: %v", err)
	}
	if err := flat(grow(40, func(i int) int64 { return min(int64(i), 3) * 30 * mb }), 8*mb); err != nil {
		t.Errorf("memory that settles: %v", err)
	}
	if flat(grow(40, func(i int) int64 { return int64(100+i) * mb }), 8*mb) == nil {
		t.Error("steady growth was called flat")
	}
	if flat(grow(5, func(int) int64 { return mb }), mb) == nil {
		t.Error("five samples were enough")
	}
}

func TestParseResident(t *testing.T) {
	if n, err := parseResident("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n"); err != nil || n != 2<<20 {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := parseResident("Name:\tx\nState:\tZ (zombie)\n"); err == nil {
		t.Error("a process that has ended has memory")
	}
}

// sink is an input that counts, and ends after some bytes.
type sink struct {
	bytes.Buffer
	closed bool
}

func (s *sink) Close() error { s.closed = true; return nil }

func TestFeedGivesExactlyWholeBlocks(t *testing.T) {
	fed := make(chan int64, 100)
	to := &sink{}
	if err := feed(to, []byte("one\ntwo\n"), 20, fed); err != nil {
		t.Fatal(err)
	}
	if !to.closed || to.String() != "one\ntwo\none\ntwo\none\ntwo\n" {
		t.Errorf("fed %q, closed %v", to.String(), to.closed)
	}
}
