package detect

import (
	"bytes"
	_ "embed"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

//go:generate go run ./internal/bigram -out bigram.bin

//go:embed bigram.bin
var bigram string

// classes maps bytes to bigram classes; what is outside base64url counts as '-'.
var classes = func() (out [256]uint8) {
	const order = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
	for i := range out {
		out[i] = 62
	}
	for i := 0; i < len(order); i++ {
		out[order[i]] = uint8(i)
	}
	return out
}()

// maxScored bounds how much of a value is scored; more tells nothing more.
const maxScored = 64

// score is the bigram log-likelihood ratio of random against text, in bits:
// positive means random. Words and identifiers score far below zero.
func score(v []byte) int {
	sum := 0
	prev := uint8(62)
	for i := 0; i < len(v) && i < maxScored; i++ {
		class := classes[v[i]]
		if i > 0 {
			sum += int(int8(bigram[int(prev)<<6|int(class)]))
		}
		prev = class
	}
	return sum / 8
}

// randomBits is the score from which a value counts as drawn at random.
const randomBits = 8

// looksRandom reports whether a value looks drawn at random, or has a format
// that tokens have and that scores low: UUIDs in a row, long hexadecimal.
func looksRandom(v []byte) bool {
	return score(v) >= randomBits || isUUIDs(v[:min(len(v), uuidLen)]) || isLongHex(v)
}

// uuidLen is the length of a UUID as text. What begins with one (Keycloak's codes:
// UUID, session, UUID) counts as random, whatever follows.
const uuidLen = 36

// isLongHex reports whether v is 20 or more hexadecimal digits, with or without
// the -1 that some servers add to their handles.
func isLongHex(v []byte) bool {
	v = bytes.TrimSuffix(v, []byte("-1"))
	if len(v) < 20 {
		return false
	}
	digits, letters := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case unhex(c) < 16:
			letters++
		default:
			return false
		}
	}
	return digits > 0 && letters > 0
}

// isUUIDs reports whether v is one or more UUIDs joined by dots.
func isUUIDs(v []byte) bool {
	for len(v) >= 36 {
		for i := 0; i < 36; i++ {
			dash := i == 8 || i == 13 || i == 18 || i == 23
			if dash != (v[i] == '-') || !dash && unhex(v[i]) > 15 {
				return false
			}
		}
		if v = v[36:]; len(v) == 0 {
			return true
		}
		if v[0] != '.' {
			return false
		}
		v = v[1:]
	}
	return false
}

// A single word of longWord letters scores below wordBits: words of that length
// do so by far, while one random code in a hundred has no digit and scores little.
const (
	longWord = 20
	wordBits = -16
)

// isWords reports whether a value is made of plain words: letters alone,
// joined by separators, that do not look random.
func isWords(v []byte) bool {
	joined := false
	for _, c := range v {
		if !isLower(c) && !isUpper(c) {
			if c != '_' && c != '-' && c != '.' && c != ' ' && c != '/' {
				return false
			}
			joined = true
		}
	}
	if !joined && len(v) >= longWord {
		return score(v) < wordBits
	}
	return score(v) < randomBits
}

// isPlaceholder reports whether a value stands for a secret without being one:
// a mask of leakveil or of others, a variable, a word that says "nothing".
func isPlaceholder(v []byte) bool { return isNothing(v) || fewDistinct(v) }

// isNothing is isPlaceholder but for repetition, which names may have (app-a).
func isNothing(v []byte) bool {
	if len(v) == 0 || rules.IsMask(v) || len(v) <= 12 && placeholders[lowerString(v)] {
		return true
	}
	first, last := v[0], v[len(v)-1]
	switch {
	case first == '<' && last == '>', first == '[' && last == ']', first == '{' && last == '}',
		first == '%' && last == '%', first == '$' && len(v) > 1 && (v[1] == '{' || isUpper(v[1]) && isWords(v[1:])):
		return true
	}
	return containsMark(v)
}

var placeholders = map[string]bool{
	"null": true, "nil": true, "none": true, "undefined": true, "redacted": true, "masked": true,
	"filtered": true, "hidden": true, "secret": true, "test": true, "changeme": true, "example": true,
	"true": true, "false": true, "string": true, "empty": true, "unknown": true, "(null)": true,
}

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

// marks are what other redactors leave inside a value.
var marks = [][]byte{[]byte("****"), []byte("xxxxxx"), []byte("XXXXXX")}

// maxMarked is the length up to which a value may be a word about a value.
const maxMarked = 24

// containsMark finds what other redactors leave: stars, xxxxxx, REDACTED, and
// what documentation writes: your_client_secret.
func containsMark(v []byte) bool {
	for _, mark := range marks {
		if bytes.Contains(v[:min(len(v), maxScored)], mark) {
			return true
		}
	}
	if len(v) > maxMarked {
		return false
	}
	word := lowerString(v)
	return strings.Contains(word, "redacted") || strings.HasPrefix(word, "your_") || strings.HasPrefix(word, "your-")
}

// maxWord is the length up to which something can be a word.
const maxWord = 24

// lowerString is v in lower case, or "" when v is too long to be a word.
func lowerString(v []byte) string {
	if len(v) > maxWord {
		return ""
	}
	var out [maxWord]byte
	for i, c := range v {
		out[i] = lower(c)
	}
	return string(out[:len(v)])
}
