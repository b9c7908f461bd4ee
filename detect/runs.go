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

// mask64 has a bit for each of 64 bytes that ends a word.
typedef uint64_t (*mask64)(const uint8_t *);

// next returns an offset within the next run of min (33 to 64) bytes that end no
// word, or n when there is none. The byte before at ends a word, or is none.
static inline __attribute__((always_inline)) size_t next(const uint8_t *b, size_t n, size_t at, size_t min, mask64 mask) {
	if (mask) {
		uint64_t middle = ~0ull << (64 - min) & ~0ull >> (64 - min); // in every run of min of 64
		size_t have = 0; // bytes before at that end no word
		for (; at + 64 <= n; at += 64) {
			uint64_t m = mask(b + at);
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
	}
	while (n - at >= min) { // back from where a run of min would end
		size_t p = at + min;
		while (p > at && !ends(b[p - 1])) p--;
		if (p == at) return at;
		at = p;
	}
	return n;
}

#ifdef __x86_64__
#include <immintrin.h>

static inline uint64_t sse2_16(const uint8_t *p) {
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8('-')); // signed: from 0x80 on as well
	__m128i high = _mm_cmpgt_epi8(v, _mm_set1_epi8('z'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));
	__m128i colon = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('9')), _mm_cmplt_epi8(v, _mm_set1_epi8('A')));
	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, high), _mm_or_si128(slash, colon)));
}

static inline uint64_t sse2_64(const uint8_t *p) {
	return sse2_16(p) | sse2_16(p + 16) << 16 | sse2_16(p + 32) << 32 | sse2_16(p + 48) << 48;
}

#define AVX2 __attribute__((target("avx2,bmi")))

AVX2 static inline uint64_t avx2_32(const uint8_t *p) {
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	__m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8('-'), v);
	__m256i high = _mm256_cmpgt_epi8(v, _mm256_set1_epi8('z'));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));
	__m256i colon = _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8('9')), _mm256_cmpgt_epi8(_mm256_set1_epi8('A'), v));
	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(low, high), _mm256_or_si256(slash, colon)));
}

AVX2 static inline uint64_t avx2_64(const uint8_t *p) { return avx2_32(p) | avx2_32(p + 32) << 32; }

AVX2 static size_t next_avx2(const uint8_t *b, size_t n, size_t at, size_t min) { return next(b, n, at, min, avx2_64); }

// level is the best that may be used: 0 single bytes, 1 SSE2, 2 AVX2.
static size_t next_run(const uint8_t *b, size_t n, size_t at, size_t min, int level) {
	if (level >= 2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) return next_avx2(b, n, at, min);
	return level >= 1 ? next(b, n, at, min, sse2_64) : next(b, n, at, min, 0);
}

#else
static size_t next_run(const uint8_t *b, size_t n, size_t at, size_t min, int level) {
	(void)level;
	return next(b, n, at, min, 0);
}
#endif

// end is where the word around p ends.
static size_t end(const uint8_t *b, size_t n, size_t p) {
#ifdef __x86_64__
	for (; p + 64 <= n; p += 64) {
		uint64_t m = sse2_64(b + p);
		if (m) return p + (size_t)__builtin_ctzll(m);
	}
#endif
	while (p < n && !ends(b[p])) p++;
	return p;
}

// lv_runs writes the bounds of runs from *at on, at most cap of them, and moves
// *at behind the last. It returns how many there are.
static size_t lv_runs(const uint8_t *b, size_t n, size_t min, size_t *at, uint32_t *bounds, size_t cap, int level) {
	size_t count = 0;
	while (count < cap) {
		size_t lo = next_run(b, n, *at, min, level);
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

// bestLevel lets C use the widest instructions that the processor has.
const bestLevel = 2

// longWords calls fn with each run of at least least (33 to 64) bytes of arena
// between bytes that end a word. In C, since it looks at every byte: with AVX2 it
// costs an eighth of what the engine does, byte by byte several times that
// (docs/design/0007).
func longWords(arena []byte, least int, buf *[runsPerCall]bounds, level int, fn func(bounds)) {
	if len(arena) < least {
		return
	}
	at := C.size_t(0)
	for int(at) < len(arena) {
		n := C.lv_runs((*C.uint8_t)(unsafe.Pointer(&arena[0])), C.size_t(len(arena)), C.size_t(least), &at,
			(*C.uint32_t)(unsafe.Pointer(buf)), runsPerCall, C.int(level))
		for _, b := range buf[:n] {
			fn(b)
		}
	}
}
