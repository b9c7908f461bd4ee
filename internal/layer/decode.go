package layer

import (
	"bytes"
	"encoding/base64"
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
	return append(dst[:start], text[f.Lead:]...)
}

// unescape resolves backslash and percent escapes as far as the form has them.
func (f Form) unescape(dst, raw []byte) []byte {
	start := len(dst)
	dst = append(dst, raw...)
	if f.Backslash {
		dst = dst[:start+unslash(dst[start:])]
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

// unslash resolves \/ \" \\ \uXXXX \xXX, with any number of backslashes, in
// place, and returns the new length.
func unslash(b []byte) int {
	w := 0
	for r := 0; r < len(b); r++ {
		c := b[r]
		if c != '\\' {
			b[w] = c
			w++
			continue
		}
		for r < len(b) && b[r] == '\\' {
			r++
		}
		if r == len(b) {
			b[w] = '\\'
			return w + 1
		}
		c, n := escaped(b[r:])
		b[w] = c
		w++
		r += n - 1
	}
	return w
}

// escaped reads what stands behind backslashes: the byte and its length.
func escaped(b []byte) (byte, int) {
	switch {
	case b[0] == 'u' && len(b) >= 5 && b[1] == '0' && b[2] == '0' && unhex(b[3]) < 16 && unhex(b[4]) < 16:
		return unhex(b[3])<<4 | unhex(b[4]), 5
	case b[0] == 'x' && len(b) >= 3 && unhex(b[1]) < 16 && unhex(b[2]) < 16:
		return unhex(b[1])<<4 | unhex(b[2]), 3
	}
	return b[0], 1
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
	blob = bytes.TrimRight(blob, "=")
	out := make([]byte, f.encoding().DecodedLen(len(blob)))
	n, err := f.encoding().Decode(out, blob)
	return out[:n], err == nil
}
