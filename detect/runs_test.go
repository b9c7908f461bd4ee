package detect

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plainLongWords is longWords, byte by byte.
func plainLongWords(arena []byte, least int) (out []bounds) {
	ends := func(c byte) bool { return c < '-' || c > 'z' || c == '/' || c > '9' && c < 'A' }
	for lo := 0; lo < len(arena); lo++ {
		hi := lo
		for hi < len(arena) && !ends(arena[hi]) {
			hi++
		}
		if hi-lo >= least {
			out = append(out, bounds{uint32(lo), uint32(hi)})
		}
		lo = hi
	}
	return out
}

func collectLongWords(arena []byte, least, level int) (out []bounds) {
	var buf [runsPerCall]bounds
	longWords(arena, least, &buf, level, func(b bounds) { out = append(out, b) })
	return out
}

// Runs of every length at every place are found as a plain loop finds them, with
// whatever instructions the processor has.
func TestLongWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 7))
	for range 3000 {
		arena := make([]byte, rnd.IntN(1500))
		for i := range arena {
			arena[i] = byte(rnd.IntN(256))
			if rnd.IntN(40) > 0 { // mostly what ends no word
				arena[i] = "azAZ09-._"[rnd.IntN(9)]
			}
		}
		least := 33 + rnd.IntN(32)
		for level := range bestLevel + 1 {
			if got, want := collectLongWords(arena, least, level), plainLongWords(arena, least); !slices.Equal(got, want) {
				t.Fatalf("level %d, %d bytes, least %d: got %v, want %v", level, len(arena), least, got, want)
			}
		}
	}
}

func FuzzLongWords(f *testing.F) {
	f.Add([]byte("a long-enough.word_of.many-bytes-that-goes-on-and-on-for-a-while and then not"), uint8(0))
	f.Fuzz(func(t *testing.T, arena []byte, extra uint8) {
		least := 33 + int(extra)%32
		for level := range bestLevel + 1 {
			if got, want := collectLongWords(arena, least, level), plainLongWords(arena, least); !slices.Equal(got, want) {
				t.Errorf("level %d, least %d: got %v, want %v", level, least, got, want)
			}
		}
	})
}

func BenchmarkLongWords(b *testing.B) {
	arena := []byte{}
	for len(arena) < 256<<10 {
		arena = append(arena, `10.1.2.3 - ann [2026-11-20T08:15:02.000Z] "POST /api/v1/orders/7321/items HTTP/1.1" 201 1832 "-" "okhttp/4.12.0" upstream=10.2.3.4:8080`+"\n"...)
	}
	var buf [runsPerCall]bounds
	b.SetBytes(int64(len(arena)))
	for b.Loop() {
		longWords(arena, 51, &buf, bestLevel, func(bounds) { b.Fatal("there is none") })
	}
}
