package detect

import "bytes"

// Sentences: "access token issued for web / 17: V", "code verifier is V",
// "client secret (from file) = V". Between the key and what leads to the value stand
// words; the value must look random (glue.strict).

const (
	// maxSentence bounds the bytes of words between a key and its value.
	maxSentence = 96
	// maxWords bounds their number.
	maxWords = 8
)

// leading are words that a value follows without a colon.
var leading = map[string]bool{"is": true, "was": true, "value": true, "equals": true}

// got are words that may stand between a colon and the value.
var got = map[string]bool{"got": true, "received": true, "was": true, "is": true, "actual": true, "expected": true, "want": true, "value": true}

// moves are words behind which to and from lead to a value: set to V.
var moves = map[string]bool{"set": true, "changed": true, "updated": true, "replaced": true, "rotated": true}

// others are words that say what follows the colon, or the value, is: another thing
// than the secret that the sentence began with.
var others = map[string]bool{
	"id": true, "ids": true, "uuid": true, "guid": true, "jti": true, "kid": true, "key": true, "hash": true, "hashed": true, "digest": true,
	"sha256": true, "sha1": true, "md5": true, "hmac": true, "checksum": true, "fingerprint": true, "thumbprint": true, "signature": true,
	"session": true, "request": true, "user": true, "client": true, "subject": true, "sub": true, "realm": true, "tenant": true, "issuer": true,
	"trace": true, "span": true, "correlation": true, "state": true, "nonce": true, "challenge": true, "family": true,
	"uri": true, "url": true, "endpoint": true, "path": true, "file": true, "class": true, "type": true, "scope": true, "account": true,
	"by": true, "at": true, "in": true, "on": true, "from": true, "of": true, "for": true, "error": true, "etag": true, "version": true,
	"application": true, "app": true, "device": true, "node": true, "commit": true, "image": true, "resource": true, "audience": true,
	"identifier": true, "ref": true, "reference": true, "expiry": true, "name": true, "algorithm": true, "method": true,
}

// sentence steps over words to a value behind a colon, an equals sign or a word
// that leads to it.
func (g *glue) sentence(b []byte, hi int) bool {
	hi = min(hi, g.start+maxSentence)
	p := g.start
	other := false // the last word names another thing
	var lastBuf [maxWord]byte
	last := lastBuf[:0]
	for range maxWords {
		for p < hi && indexByte(" \t()/,'\"", b[p]) {
			p++
		}
		start := p
		p = run(b, p, hi, inEncoder)
		if p == start || p >= hi || p-start > maxWord {
			return false
		}
		var buf [maxWord]byte
		word := lowerWord(&buf, b[start:p])
		before := other
		to := (string(word) == "to" || string(word) == "from") && moves[string(last)]
		last = append(last[:0], word...)
		other = namesOther(word) || isCamel(b[start:p])
		for p < hi && indexByte("()'\"", b[p]) {
			p++
		}
		switch {
		case p+1 >= hi:
			return false
		case b[p] == ':' || isBlank(b[p]) && (b[p+1] == ':' || b[p+1] == '='):
			if isBlank(b[p]) {
				p++
			}
			return !other && g.led(b, p+1, hi, b[p])
		case !indexByte(" \t/,", b[p]):
			return false
		case to || leading[string(word)]:
			if before { // the token's id is V
				return false
			}
			q := p
			for q < hi && isBlank(b[q]) {
				q++
			}
			if q < hi && (b[q] == ':' || b[q] == '=') {
				q++
			}
			end := run(b, q, hi, inEncoder)
			if end-q >= minLed || q < hi && indexByte("\"'`[<", b[q]) {
				return g.led(b, q, hi, ' ')
			}
		}
	}
	return false
}

// isCamel reports whether a word is a key of several words: passwordChangedAt.
func isCamel(word []byte) bool {
	for i := 1; i < len(word); i++ {
		if isUpper(word[i]) && isLower(word[i-1]) {
			return true
		}
	}
	return false
}

// namesOther reports whether the word before a colon names another thing: one of
// others, or a key of several words (client_id).
func namesOther(word []byte) bool {
	return others[string(word)] || bytes.IndexByte(word, '_') >= 0 || len(word) > 4 && bytes.HasSuffix(word, []byte("id"))
}

// minLed is the least length of a value at the end of a sentence.
const minLed = 16

func (g *glue) led(b []byte, p, hi int, sep byte) bool {
	start := run(b, p, hi, blank)
	end := run(b, start, hi, inEncoder)
	var buf [maxWord]byte
	if got[string(lowerWord(&buf, b[start:end]))] && end < hi && (isBlank(b[end]) || b[end] == ':' || b[end] == '=') {
		p = end + 1
	}
	g.start, g.sep, g.strict = p, sep, true
	return p < hi
}
