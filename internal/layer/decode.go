package layer

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how often percent-encoding is undone.
const maxDepth = 4

// Decode appends the fully decoded value of raw to dst: escapes are resolved to
// any depth, so that 4%252F0A, 4%2F0A and 4\/0A give one value. Of a base64
// blob it is what follows the first Lead decoded bytes; a blob that does not
// decode is its own value.
func (f Form) Decode(dst, raw []byte) []byte {
	start := len(dst)
	dst = f.unescape(dst, raw)
	if f.Base64 == NoBase64 {
		return dst
	}
	text, ok := f.decodeBlob(dst[start:])
	if !ok || len(text) < f.Lead {
		return dst
	}
	if f.Gzip {
		dst, _ = Inflate(dst[:start], text)
		return dst
	}
	return append(dst[:start], text[f.Lead:]...)
}

// unescape resolves backslash and percent escapes as far as the form has them.
func (f Form) unescape(dst, raw []byte) []byte {
	start := len(dst)
	dst = append(dst, raw...)
	if f.Backslash {
		dst = dst[:start+unslash(dst[start:])]
	}
	if f.Entity {
		dst = dst[:start+unentity(dst[start:])]
	}
	for range maxDepth {
		if !f.Percent {
			break
		}
		n := unpercent(dst[start:])
		if start+n == len(dst) {
			break
		}
		dst = dst[:start+n]
	}
	return dst
}

// unpercent resolves %XX once, in place, and returns the new length.
func unpercent(b []byte) int {
	w := 0
	for r := 0; r < len(b); r++ {
		c := b[r]
		if c == '%' && r+2 < len(b) {
			if h, l := unhex(b[r+1]), unhex(b[r+2]); h < 16 && l < 16 {
				c = h<<4 | l
				r += 2
			}
		}
		b[w] = c
		w++
	}
	return w
}

// unslash resolves \/ \" \' \` \\ \uXXXX \xXX, with any number of backslashes,
// in place, and returns the new length. A run of backslashes that escapes
// nothing is one backslash.
func unslash(b []byte) int {
	w := 0
	for r := 0; r < len(b); {
		if b[r] != '\\' {
			b[w] = b[r]
			w, r = w+1, r+1
			continue
		}
		r += slashes(b[r:])
		n := unslashOne(b, w, r)
		w, r = w+n.written, r+n.read
	}
	return w
}

type step struct{ read, written int }

// unslashOne writes at w what stands at r behind backslashes. What it writes
// is never longer than what was read with its backslashes.
func unslashOne(b []byte, w, r int) step {
	if c, ok := hexRune(b[r:]); ok {
		read := 5
		if utf16.IsSurrogate(c) {
			more := slashes(b[r+read:])
			low, ok := hexRune(b[r+read+more:])
			pair := utf16.DecodeRune(c, low)
			c = utf8.RuneError
			if ok && more > 0 && pair != utf8.RuneError {
				c, read = pair, read+more+5
			}
		}
		return step{read, utf8.EncodeRune(b[w:w+utf8.UTFMax], c)}
	}
	switch {
	case r+3 <= len(b) && b[r] == 'x' && unhex(b[r+1]) < 16 && unhex(b[r+2]) < 16:
		b[w] = unhex(b[r+1])<<4 | unhex(b[r+2])
		return step{3, 1}
	case r < len(b) && (b[r] == '/' || b[r] == '"' || b[r] == '\'' || b[r] == '`'):
		b[w] = b[r]
		return step{1, 1}
	}
	b[w] = '\\'
	return step{0, 1}
}

// slashes counts the backslashes that b begins with.
func slashes(b []byte) int {
	n := 0
	for n < len(b) && b[n] == '\\' {
		n++
	}
	return n
}

// hexRune reads uXXXX.
func hexRune(b []byte) (rune, bool) {
	if len(b) < 5 || b[0] != 'u' {
		return 0, false
	}
	c := rune(0)
	for _, digit := range b[1:5] {
		d := unhex(digit)
		if d > 15 {
			return 0, false
		}
		c = c<<4 | rune(d)
	}
	return c, true
}

func unhex(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case c|0x20-'a' < 6 && c|0x20 >= 'a':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

func (f Form) encoding() *base64.Encoding {
	if f.Base64 == Base64URL {
		return base64.RawURLEncoding
	}
	return base64.RawStdEncoding
}

func (f Form) decodeBlob(blob []byte) ([]byte, bool) {
	if f.Base64 >= HexLower {
		out := make([]byte, hex.DecodedLen(len(blob)))
		n, err := hex.Decode(out, blob)
		return out[:n], err == nil
	}
	blob = bytes.TrimRight(blob, "=")
	out := make([]byte, f.encoding().DecodedLen(len(blob)))
	n, err := f.encoding().Decode(out, blob)
	return out[:n], err == nil
}
