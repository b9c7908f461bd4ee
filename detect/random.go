package detect

import (
	"bytes"
	_ "embed"
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
// that tokens have and that scores low: UUIDs in a row, long hexadecimal, Slack's codes.
func looksRandom(v []byte) bool {
	return score(v) >= randomBits || isUUIDs(v[:min(len(v), uuidLen)]) || isLongHex(v) || slackCode(v)
}

// drawnBits is the score from which a value needs nothing beside it to say that it was
// drawn at random.
const drawnBits = 24

// isDrawn reports whether a value of letters and digits was surely drawn at random, and is
// no digest, id in small letters or number.
func isDrawn(v []byte) bool {
	const all = madeUpper | madeLower | madeDigits | madeWide
	return len(v) >= longWord && madeOf(v)&all == all && score(v) >= drawnBits && allIn(v, alphabets["unreserved"])
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

// maxNumeral is the length up to which digits behind a word are the number of a name:
// HS256, P-521, 2048.
const maxNumeral = 4

// maxNamed is the length of the longest word of such a name.
const maxNamed = 12

// isName reports whether a value is a name with a number in it, of parts that each are
// a word, a number or a word with its number, all in capitals or all in small letters:
// ECDHE-RSA-AES128-GCM-SHA256, HS256/JWK, v1.2.3-rc4. One random value of 8 characters
// in a thousand has that form, none of twenty.
func isName(v []byte) bool {
	var made makeup
	for p := 0; p < len(v); p++ {
		start := p
		for p < len(v) && (isLower(v[p]) || isUpper(v[p])) {
			p++
		}
		end := run(v, p, len(v), digits)
		made |= madeOf(v[start:end])
		if p-start > maxNamed || end-p > maxNumeral || end == start || end < len(v) && !indexByte("-_./:+", v[end]) {
			return false
		}
		p = end
	}
	return made&madeDigits != 0 && (made&madeUpper != 0) != (made&madeLower != 0)
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
