package detect

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// minBlobLiteral is the shortest literal that is looked for: 60 bits, which random
// base64 of 30 MB has by chance once in 10^10 times.
const minBlobLiteral = 10

// blobKeys are the strong keys that are looked for in base64.
var blobKeys = []string{
	"code_verifier", "client_secret", "access_token", "refresh_token", "id_token", "client_assertion",
}

// blobWord is what is looked for in base64 for a rule's key, or "". The last word of
// a key may be all that a rule has of it; it alone is too short.
func blobWord(key string) string {
	switch {
	case slices.Contains(blobKeys, key):
		return key
	case key == "verifier":
		return "code_verifier"
	}
	return ""
}

// blobTriggers spells a key in base64, in base64 once more, and in hexadecimal: snake,
// camel and upper case at each place.
func blobTriggers(r *rules.Rule, key string) []*Trigger {
	out := spelledTriggers(r, key, quotedSpellings(key), false)
	for i, word := range wordSpellings(key) {
		out = append(out, spelledTriggers(r, key, []string{word}, true)...)
		if i == 2 { // the environment is seldom encoded twice
			continue
		}
		for lead := range 3 {
			for again := range 3 {
				out = appendBlob(out, r, key, "base64 of base64 of "+word, middle(middle(word, lead), again), layer.Base64Std, phase(again))
			}
		}
	}
	return out
}

// spelledTriggers spell words in base64, and in hexadecimal.
func spelledTriggers(r *rules.Rule, key string, words []string, inHex bool) []*Trigger {
	var out []*Trigger
	for _, word := range words {
		if inHex {
			digits := hex.EncodeToString([]byte(word))
			out = appendBlob(out, r, key, "hex of "+word, digits, layer.HexLower, 0)
			out = appendBlob(out, r, key, "hex of "+word, strings.ToUpper(digits), layer.HexUpper, 0)
		}
		for lead := range 3 {
			out = appendBlob(out, r, key, "base64 of "+word, middle(word, lead), layer.Base64Std, phase(lead))
		}
	}
	return out
}

// appendBlob adds a trigger, unless its literal is too short.
func appendBlob(out []*Trigger, r *rules.Rule, key, name, text string, enc layer.Base64, phase int) []*Trigger {
	if len(text) < minBlobLiteral {
		return out
	}
	t := &Trigger{Rule: r, Key: name, word: key, form: formBlob, tail: len(text), enc: enc, phase: phase}
	t.elems = literalElems(text, false)
	return append(out, t)
}

// phase is where middle(word, lead) begins in its group of four characters.
func phase(lead int) int { return (lead*8 + 5) / 6 % 4 }

// wordSpellings are the ways in which a key stands in JSON, in forms and in the
// environment.
func wordSpellings(key string) []string {
	var camel, upper []byte
	for i := 0; i < len(key); i++ {
		c := key[i]
		up := c
		if isLower(c) {
			up = c - 'a' + 'A'
		}
		upper = append(upper, up)
		switch {
		case c == '_':
		case i > 0 && key[i-1] == '_':
			camel = append(camel, up)
		default:
			camel = append(camel, c)
		}
	}
	return []string{key, string(camel), string(upper)}
}

// quotedSpellings are those whose base64 is too short to be looked for without what
// stands around them (idToken), and Pascal case.
func quotedSpellings(key string) []string {
	camel := wordSpellings(key)[1]
	pascal := strings.ToUpper(camel[:1]) + camel[1:]
	if len(middle(camel, 0)) >= minBlobLiteral {
		return []string{pascal}
	}
	return []string{`"` + camel + `"`, `"` + pascal + `"`, camel + "=", pascal + "="}
}

// joseHeads begin the base64 of JOSE headers, after their first members.
var joseHeads = []string{"eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJlbmMiOi"}

// zlibHeads begin the base64 of zlib data with a window of 32 KiB (RFC 1950 §2.2), at
// each level of compression.
var zlibHeads = []struct{ head, next string }{{"eA", "EFGH"}, {"eF", "4567"}, {"eJ", "wxyz"}, {"eN", "opqr"}}

// zlibTriggers find zlib data in base64 where a value begins: three characters say less
// than gzip's.
func zlibTriggers(r *rules.Rule) []*Trigger {
	var out []*Trigger
	for _, before := range []string{`"`, "'", "=", ": "} {
		for _, z := range zlibHeads {
			t := &Trigger{Rule: r, Key: "zlib in base64", word: z.head, form: formBlob, gzip: true, enc: layer.Base64Std}
			t.elems = append(literalElems(before+z.head, false), elem{set: setOf(z.next), n: 1}, elem{set: inBlob, n: weakTail})
			t.tail = len(z.head) + 1 + weakTail
			out = append(out, t)
		}
	}
	return out
}

// joseTriggers find JWTs in base64 and hexadecimal.
func joseTriggers(r *rules.Rule) []*Trigger {
	var out []*Trigger
	for _, head := range joseHeads {
		out = append(out, spelledTriggers(r, "jwt", []string{head}, true)...)
	}
	return out
}

// middle is what of word's base64 does not depend on its neighbours, when lead
// bytes of its group of three come before it.
func middle(word string, lead int) string {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, lead), word...))
	return text[(lead*8+5)/6 : (lead+len(word))*8/6]
}

// gzipTriggers find gzip data in base64: its magic, its method, and no flags but
// perhaps a file name.
func gzipTriggers(r *rules.Rule) []*Trigger {
	var out []*Trigger
	for _, magic := range []string{"H4sIA", "H4sIC"} {
		t := &Trigger{Rule: r, Key: "gzip in base64", word: magic, form: formBlob, gzip: true, enc: layer.Base64Std}
		t.elems = append(literalElems(magic, false), elem{set: inBlob, n: weakTail})
		t.tail = len(magic) + weakTail
		out = append(out, t)
	}
	return out
}

// minGzip is the least number of characters of gzip data in base64: a header, a
// trailer and a secret's bytes have more.
const minGzip = 40

// inBlob are the characters of base64 and those that begin an escape of one.
var inBlob = setOf(rules.Alphabets["base64url"] + "+/%\\")
