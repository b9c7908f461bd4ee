package pipeline

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
)

// slowWorker has a clock that goes on by a millisecond at each look: time is work.
func slowWorker(t *testing.T, timeout time.Duration) *Worker {
	t.Helper()
	now := time.Unix(0, 0)
	w, err := NewWorker(Options{Database: database, Key: testKey, Attribute: true, Timeout: timeout, Now: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func verifiers(rnd *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString("code_verifier=" + draw(rnd, base64url, 42) + "7&")
	}
	return b.String()
}

// A line that takes too long is tried alone, then withheld; its neighbours are not.
func TestLineThatTakesTooLongIsWithheldAlone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 21))
	w := slowWorker(t, 50*time.Millisecond)
	slow, light := verifiers(rnd, 2000), verifiers(rnd, 1)
	in := light + "\nclean\n" + slow + "\n" + light + "\n"
	got := w.masked([]byte(in))
	lines := strings.Split(string(got.Text()), "\n")
	if len(lines) != 5 || got.Withheld != 1 || len(got.Results) != 2 {
		t.Fatalf("%d lines, %d withheld, %d findings", len(lines), got.Withheld, len(got.Results))
	}
	if want := string(Stub(nil, "timeout", len(slow))); lines[2] != want {
		t.Errorf("stub %q, want %q", lines[2][:min(len(lines[2]), 200)], want)
	}
	if lines[1] != "clean" || !strings.HasPrefix(lines[0], "code_verifier=REDACTED.") || lines[3] != lines[0] {
		t.Errorf("the neighbours are %q", append(lines[:2:2], lines[3]))
	}
}

// Lines that are too much together are withheld in no case: each has its own time.
func TestTimeoutIsTriedAgainAlone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 22))
	w := slowWorker(t, 50*time.Millisecond)
	in := strings.Repeat(verifiers(rnd, 20)+"\n", 100)
	b := &detect.Batch{}
	b.SetLines([]byte(in))
	if _, err := w.Find(b); !TimedOut(err) {
		t.Fatalf("together: %v, want a time-out", err)
	}
	got := w.masked([]byte(in))
	if got.Withheld != 0 || len(got.Results) != 2000 || bytes.Count(got.Text(), []byte("=REDACTED.")) != 2000 {
		t.Errorf("%d withheld, %d findings", got.Withheld, len(got.Results))
	}
}

// Masking is a part of the work.
func TestTimeIsOverWhileMasking(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 23))
	w := slowWorker(t, time.Hour)
	if _, err := w.Find(newBatch(verifiers(rnd, 1))); err != nil {
		t.Fatal(err)
	}
	w.time.start = w.time.start.Add(-2 * time.Hour)
	if out, changed, _, err := w.MaskSegment(nil, 0, false); !TimedOut(err) || changed || len(out) > 0 {
		t.Errorf("%d bytes, changed %t, error %v", len(out), changed, err)
	}
}
