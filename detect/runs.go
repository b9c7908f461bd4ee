package detect

/*
#include <stddef.h>
#include <stdint.h>

// ends tells the bytes that end a word here: all that is below '-', above 'z',
// '/', and ":;<=>?@". What else is in no shape ('[', '\\', ']', '^', '`') is rare
// and cut off by the caller.
static inline int ends(uint8_t c) {
	return c < '-' || c > 'z' || c == '/' || (c > '9' && c < 'A');
}

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t ends16(const uint8_t *p) {
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8('-')); // signed: from 0x80 on as well
	__m128i high = _mm_cmpgt_epi8(v, _mm_set1_epi8('z'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));
	__m128i colon = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('9')), _mm_cmplt_epi8(v, _mm_set1_epi8('A')));
	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, high), _mm_or_si128(slash, colon)));
}

// ends64 has a bit for each of 64 bytes that ends a word.
static inline uint64_t ends64(const uint8_t *p) {
	return ends16(p) | ends16(p + 16) << 16 | ends16(p + 32) << 32 | ends16(p + 48) << 48;
}
#endif

// find returns an offset within the next run of min (33 to 64) bytes that end no
// word, or n when there is none. The byte before at ends a word, or is none.
static size_t find(const uint8_t *b, size_t n, size_t at, size_t min) {
#ifdef __SSE2__
	uint64_t middle = ~0ull << (64 - min) & ~0ull >> (64 - min); // in every run of min of 64
	size_t have = 0; // bytes before at that end no word
	for (; at + 64 <= n; at += 64) {
		uint64_t m = ends64(b + at);
		if (m == 0) {
			if ((have += 64) >= min) return at;
			continue;
		}
		if (have + (size_t)__builtin_ctzll(m) >= min) return have ? at - 1 : at;
		if (!(m & middle)) {
			uint64_t in = ~m; // after these steps: min ones from here on
			in &= in >> 1, in &= in >> 2, in &= in >> 4, in &= in >> 8, in &= in >> 16, in &= in >> (min - 32);
			if (in) return at + (size_t)__builtin_ctzll(in);
		}
		have = (size_t)__builtin_clzll(m);
	}
	at -= have;
#endif
	while (n - at >= min) { // back from where a run of min would end
		size_t p = at + min;
		while (p > at && !ends(b[p - 1])) p--;
		if (p == at) return at;
		at = p;
	}
	return n;
}

// end is where the word around p ends.
static size_t end(const uint8_t *b, size_t n, size_t p) {
#ifdef __SSE2__
	for (; p + 64 <= n; p += 64) {
		uint64_t m = ends64(b + p);
		if (m) return p + (size_t)__builtin_ctzll(m);
	}
#endif
	while (p < n && !ends(b[p])) p++;
	return p;
}

// lv_runs writes the bounds of runs from *at on, at most cap of them, and moves
// *at behind the last. It returns how many there are.
static size_t lv_runs(const uint8_t *b, size_t n, size_t min, size_t *at, uint32_t *bounds, size_t cap) {
	size_t count = 0;
	while (count < cap) {
		size_t lo = find(b, n, *at, min);
		if (lo == n) {
			*at = n;
			break;
		}
		size_t hi = end(b, n, lo);
		while (lo > *at && !ends(b[lo - 1])) lo--;
		bounds[2 * count] = (uint32_t)lo;
		bounds[2 * count + 1] = (uint32_t)hi;
		count++;
		*at = hi;
	}
	return count;
}
*/
import "C"

import "unsafe"

// bounds are those of a run of bytes in an arena.
type bounds struct{ lo, hi uint32 }

// runsPerCall is how many runs one call into C returns; calls cost as much as
// scanning a few hundred bytes.
const runsPerCall = 256

// longWords calls fn with each run of at least least (33 to 64) bytes of arena
// between bytes that end a word. In C, since it looks at every byte: sixteen at a
// time it costs a tenth of what the engine does, and four times that in Go
// (docs/design/0007).
func longWords(arena []byte, least int, buf *[runsPerCall]bounds, fn func(bounds)) {
	if len(arena) < least {
		return
	}
	at := C.size_t(0)
	for int(at) < len(arena) {
		n := C.lv_runs((*C.uint8_t)(unsafe.Pointer(&arena[0])), C.size_t(len(arena)), C.size_t(least), &at,
			(*C.uint32_t)(unsafe.Pointer(buf)), runsPerCall)
		for _, b := range buf[:n] {
			fn(b)
		}
	}
}
