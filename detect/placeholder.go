package detect

import (
	"bytes"
	"maps"
	"slices"

	"github.com/leakveil/leakveil/rules"
)

// isPlaceholder reports whether a value stands for a secret without being one:
// a mask of leakveil or of others, a variable, a word that says "nothing".
func isPlaceholder(v []byte) bool { return isNothing(v) || fewDistinct(v) }

// isNothing is isPlaceholder but for repetition, which names may have (app-a).
func isNothing(v []byte) bool {
	if len(v) == 0 || rules.IsMask(bytes.TrimRight(v, "=")) { // what stood behind the value may have been padding to no one
		return true
	}
	var buf [maxWord]byte
	if len(v) <= longestPlaceholder && beginsPlaceholder[v[0]] && placeholders[string(lowerWord(&buf, v))] {
		return true
	}
	if inner := unwrapped(v); len(inner) < len(v) {
		return !isReal(inner)
	}
	return v[0] == '$' && len(v) > 1 && isUpper(v[1]) && isWords(v[1:]) || containsMark(v)
}

var placeholders = map[string]bool{
	"null": true, "nil": true, "none": true, "undefined": true, "redacted": true, "masked": true,
	"filtered": true, "hidden": true, "secret": true, "test": true, "changeme": true, "example": true,
	"true": true, "false": true, "string": true, "empty": true, "unknown": true, "(null)": true,
}

const longestPlaceholder = 9

// beginsPlaceholder are the bytes that placeholders begin with.
var beginsPlaceholder = firstOf(slices.Collect(maps.Keys(placeholders)))

// fewDistinct reports whether v repeats itself: ****, xxxxxxxx, abababab.
func fewDistinct(v []byte) bool {
	if len(v) < 4 {
		return false
	}
	var seen [3]byte
	n := 0
next:
	for _, c := range v {
		for _, have := range seen[:n] {
			if have == c {
				continue next
			}
		}
		if n == len(seen) {
			return false
		}
		seen[n] = c
		n++
	}
	return true
}

// closers maps what opens a placeholder to what closes it. Round brackets are
// none: people write secrets that begin and end with them.
var closers = [256]byte{'<': '>', '[': ']', '{': '}', '%': '%'}

// unwrapped returns what one pair of brackets around the whole of v holds, or v.
func unwrapped(v []byte) []byte {
	inner := v
	if len(inner) > 2 && inner[0] == '$' && inner[1] == '{' {
		inner = inner[1:]
	}
	if n := len(inner) - 1; n >= 1 && closers[inner[0]] != 0 && inner[n] == closers[inner[0]] {
		return inner[1:n]
	}
	return v
}

// isReal reports whether what stands in brackets is a value and no word about
// one: brackets alone make no placeholder of a token (token=<eyJ…>).
func isReal(inner []byte) bool {
	return looksRandom(inner) && !rules.IsMask(inner) && !containsMark(inner) && !namesMask(inner)
}

// maskWords begin what other redactors write in brackets, before a hash or a
// number that may look random: [masked:9f86d081884c7d65], <sha256:…>. Behind a
// short one no character may stand that tokens have: a token may begin with md5_.
var maskWords = []string{
	"redacted", "masked", "filtered", "hidden", "removed", "scrubbed", "hashed", "hash", "sha256", "sha1", "md5", "encrypted",
}

const longMaskWord = 6

func namesMask(v []byte) bool {
	n := 0
	for n < len(v) && isAlnum(v[n]) {
		n++
	}
	if n == len(v) || n < longMaskWord && indexByte("-_.~", v[n]) {
		return false
	}
	for _, mask := range maskWords {
		if equalFold(v[:n], mask) {
			return true
		}
	}
	return false
}

var redactedWord, yourWord = []byte("redacted"), []byte("your")

// marks are what other redactors leave inside a value.
var marks = [][]byte{[]byte("****"), []byte("xxxxxx"), []byte("XXXXXX")}

const (
	// maxMarked is the length up to which a value may be a word about a value.
	maxMarked = 24
	// realPart is how many bytes in a row beside a mark make a value a secret all
	// the same: as many as no mask of leakveil leaves. Redactors leave four, at most
	// six, so that people can tell one value from another.
	realPart = 8
)

// containsMark finds what other redactors leave: stars, xxxxxx, REDACTED, and
// what documentation writes: your_client_secret.
func containsMark(v []byte) bool {
	if mayHoldMark(v) {
		for _, mark := range marks {
			if bytes.Contains(v[:min(len(v), maxScored)], mark) {
				return !hasRealPart(v)
			}
		}
	}
	if len(v) > maxMarked {
		return false
	}
	var buf [maxWord]byte
	word := lowerWord(&buf, v)
	return bytes.Contains(word, redactedWord) || bytes.HasPrefix(word, yourWord) && len(word) > len(yourWord) && indexByte("_- ", word[len(yourWord)])
}

// mayHoldMark looks at every fourth byte: one of them is in each run of four.
func mayHoldMark(v []byte) bool {
	for i := 3; i < len(v) && i < maxScored; i += 4 {
		if v[i] == '*' || v[i]|0x20 == 'x' {
			return true
		}
	}
	return false
}

// hasRealPart reports whether a value with a mark in it (four or more of one of
// *xX in a row) shows realPart bytes in a row that are no words, as a vendor's
// prefix or a name are.
func hasRealPart(v []byte) bool {
	for p, start := 0, 0; p <= len(v); p++ {
		n := p
		for n < len(v) && v[n] == v[p] && (v[p] == '*' || v[p]|0x20 == 'x') {
			n++
		}
		if p < len(v) && n-p < 4 {
			continue
		}
		if part := v[start:p]; len(part) >= realPart && !isWords(part) {
			return true
		}
		p, start = n, n
	}
	return false
}

// maxWord is the length up to which something can be a word.
const maxWord = 24

// lowerWord is v in lower case, written to buf, or nothing when v is too long to be
// a word.
func lowerWord(buf *[maxWord]byte, v []byte) []byte {
	if len(v) > maxWord {
		return nil
	}
	for i, c := range v {
		buf[i] = lower(c)
	}
	return buf[:len(v)]
}
