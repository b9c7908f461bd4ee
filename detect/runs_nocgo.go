//go:build !cgo

package detect

// bounds are those of a run of bytes in an arena.
type bounds struct{ lo, hi uint32 }

// runsPerCall is how many runs the caller's buffer holds; here none is needed.
const runsPerCall = 1

// bestLevel is the one way there is.
const bestLevel = 0

// wordEnds tells the bytes that end a word; detect/runs.go has the same in C.
var wordEnds = func() (ends set) {
	for c := range ends {
		ends[c] = c < '-' || c > 'z' || c == '/' || c > '9' && c < 'A'
	}
	return ends
}()

// longWords calls fn with each run of at least least (33 to 64) bytes of arena
// between bytes that end a word. It looks backwards from where a run would have to
// end, so that of short words it sees a byte or two.
func longWords(arena []byte, least int, _ *[runsPerCall]bounds, _ int, fn func(bounds)) {
	for at := 0; len(arena)-at >= least; {
		p := at + least
		for p > at && !wordEnds[arena[p-1]] {
			p--
		}
		if p > at {
			at = p
			continue
		}
		hi := at + least
		for hi < len(arena) && !wordEnds[arena[hi]] {
			hi++
		}
		fn(bounds{uint32(at), uint32(hi)})
		at = hi
	}
}
