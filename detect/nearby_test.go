package detect

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Windows that move on say the same as looking at each of them alone.
func TestNearbyIsContains(t *testing.T) {
	words := [][]byte{[]byte("ab"), []byte("bab"), []byte("aca"), []byte("abcab")}
	for range 3000 {
		text := make([]byte, rand.IntN(200))
		for i := range text {
			text[i] = "abcddddddddd"[rand.IntN(3+rand.IntN(10))]
		}
		n := newNearby(words)
		n.reset()
		lo, hi := 0, 0
		for step := range 40 {
			lo = min(len(text), max(0, lo+rand.IntN(12)-1))
			hi = min(len(text), max(lo, hi-3+rand.IntN(20)))
			want := false
			for _, w := range words {
				want = want || bytes.Contains(text[lo:hi], w)
			}
			if got := n.in(text, lo, hi); got != want {
				t.Fatalf("step %d: %q[%d:%d]: %v", step, text, lo, hi, got)
			}
		}
	}
}

// Stretches that move on say the same as looking at each of them alone.
func TestLastFewIsFewDistinct(t *testing.T) {
	for range 3000 {
		text := make([]byte, 1+rand.IntN(200))
		for i := range text {
			text[i] = "abcddddddddd"[rand.IntN(3+rand.IntN(2)*rand.IntN(10))]
		}
		var l lastFew
		lo := 0
		for range 40 {
			lo = min(len(text), max(0, lo+rand.IntN(12)-2))
			hi := min(len(text), lo+rand.IntN(30))
			if got, want := l.in(text, lo, hi), fewDistinct(text[lo:hi]); got != want {
				t.Fatalf("%q[%d:%d]: %v", text, lo, hi, got)
			}
		}
	}
}
