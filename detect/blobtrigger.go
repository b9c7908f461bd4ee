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
	var out []*Trigger
	add := func(how, word, text string, enc layer.Base64, phase int) {
		if len(text) < minBlobLiteral {
			return
		}
		t := &Trigger{Rule: r, Key: how + " of " + word, word: key, form: formBlob, tail: len(text), enc: enc, phase: phase}
		t.elems = literalElems(text, false)
		out = append(out, t)
	}
	for i, word := range wordSpellings(key) {
		add("hex", word, hex.EncodeToString([]byte(word)), layer.HexLower, 0)
		add("hex", word, strings.ToUpper(hex.EncodeToString([]byte(word))), layer.HexUpper, 0)
		for lead := range 3 {
			once := middle(word, lead)
			add("base64", word, once, layer.Base64Std, phase(lead))
			if i == 2 { // the environment is seldom encoded twice
				continue
			}
			for lead := range 3 {
				add("base64 of base64", word, middle(once, lead), layer.Base64Std, phase(lead))
			}
		}
	}
	return out
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
