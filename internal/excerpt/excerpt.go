// Package excerpt cuts a few words around a mask out of masked text, for people to
// see where a value stood. It must never cut a mask, or any other long word, in two:
// half of a secret is one that no scan finds. What it returns has to be scanned again
// before it is kept.
package excerpt

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max bounds an excerpt, in bytes.
const Max = 200

// reach is how far around the mask is looked at.
const reach = 4 * Max

// Around returns the text around the mask with the fingerprint, in valid UTF-8, what
// moves a cursor or hides written visibly, at most Max bytes. It is empty when the mask
// is not in the text as it stands (inside base64, or by another policy), or is longer.
func Around(masked []byte, fingerprint string) string {
	at := bytes.Index(masked, []byte(fingerprint))
	if fingerprint == "" || at < 0 {
		return ""
	}
	lo, hi := max(0, at-reach), min(len(masked), at+len(fingerprint)+reach)
	before, after := visible(masked[lo:at]), visible(masked[at+len(fingerprint):hi])
	text := before + fingerprint + after
	first, last := word(text, len(before))
	mask := text[first:last]
	if !isMask(mask) || len(mask) > Max {
		return ""
	}
	first, last = grow(text, first, last)
	return strings.TrimSpace(text[first:last])
}

// grow takes in whole words on both sides, in turn, as long as they fit.
func grow(text string, first, last int) (lo, hi int) {
	lo, hi = first, last
	for left, right := true, true; left || right; {
		if left {
			n := stepBack(text, lo)
			if left = n < lo && hi-n <= Max; left {
				lo = n
			}
		}
		if right {
			n := step(text, hi)
			if right = n > hi && n-lo <= Max; right {
				hi = n
			}
		}
	}
	return lo, hi
}

// inWord reports whether a byte is one of those that tokens and masks are made of,
// encoded ones included: cut at such a byte, a piece of a value would be left.
func inWord(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/' || c == '%' || c == '=' || c == '\\'
}

// isMaskByte is of the narrower set that a mask alone is made of.
func isMaskByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

// word returns the bounds of the mask around a place.
func word(text string, at int) (first, last int) {
	first, last = at, at
	for first > 0 && isMaskByte(text[first-1]) {
		first--
	}
	for last < len(text) && isMaskByte(text[last]) {
		last++
	}
	return first, last
}

func isMask(word string) bool {
	return strings.Contains(word, "REDACTED.") || strings.Contains(word, "HASHED.")
}

// step returns the end of the word or of the character that begins at a place; the
// place itself at the end. The border of what is looked at is out of reach: an excerpt
// that came to it would be too long.
func step(text string, at int) int {
	end := at
	for end < len(text) && inWord(text[end]) {
		end++
	}
	if end > at || end == len(text) {
		return end
	}
	_, n := utf8.DecodeRuneInString(text[at:])
	return at + n
}

// stepBack is step in the other direction.
func stepBack(text string, at int) int {
	begin := at
	for begin > 0 && inWord(text[begin-1]) {
		begin--
	}
	if begin < at || begin == 0 {
		return begin
	}
	_, n := utf8.DecodeLastRuneInString(text[:at])
	return at - n
}

// visible writes what moves a cursor, hides, reorders or ends a line as the six
// characters \u001b, and replaces what is no UTF-8.
func visible(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		if Unclean(r) {
			Escape(&b, r)
		} else {
			b.WriteRune(r) // an invalid byte arrives as U+FFFD
		}
	}
	return b.String()
}

// Unclean reports whether r moves a cursor, hides, reorders or ends a line.
func Unclean(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Escape writes r visibly.
func Escape(b *strings.Builder, r rune) {
	hex := strconv.FormatInt(int64(r), 16)
	if r > 0xffff {
		b.WriteString(`\U` + strings.Repeat("0", 8-len(hex)) + hex)
		return
	}
	b.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
}
