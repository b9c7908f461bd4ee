package lines

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces of the inside of a JSON string; \ud83d and \ude00 are a pair together.
var pieces = []string{
	`a`, ` `, `é`, `😀`, "\u2028", `\n`, `\"`, `\\`, `\/`, `\u0041`, `\u00e9`, `\uFFFF`, `\u0000`, `\ud83d`, `\ude00`, `\ud83d\ude00`,
	"\xff", "\xc3", "\xed\xa0\x80",
}

// Every offset of the decoded text is found where encoding/json reads it.
func TestPlaceIsEncodingJSONs(t *testing.T) {
	for range 20_000 {
		var raw []byte
		for range rand.IntN(12) {
			raw = append(raw, pieces[rand.IntN(len(pieces))]...)
		}
		var text string
		if err := json.Unmarshal([]byte(`"`+string(raw)+`"`), &text); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		w := place{raw: raw}
		for i := range text {
			at := w.to(i)
			var head string
			if at < 0 || json.Unmarshal([]byte(`"`+string(raw[:at])+`"`), &head) != nil || head != text[:i] {
				t.Fatalf("%q: offset %d is at %d", raw, i, at)
			}
		}
		if w.to(len(text)) != len(raw) || w.to(len(text)+1) != -1 {
			t.Fatalf("%q: its end is at %d of %d", raw, w.at, len(raw))
		}
	}
}

// What stands around a mask stays byte for byte. Once the whole text was written
// anew: lone surrogates and bytes that are not UTF-8 became U+FFFD.
func TestObjectsKeepTheTextAroundMasks(t *testing.T) {
	o := options(t)
	for range 300 {
		var in bytes.Buffer
		var rest []string
		n := 1 + rand.IntN(4)
		var secrets []string
		for i := range n {
			around := ""
			for range rand.IntN(8) {
				around += pieces[rand.IntN(len(pieces))]
			}
			if i == 0 {
				around = `{"a":1.0,"text":"` + around
			}
			rest = append(rest, around+" code_verifier=")
			secrets = append(secrets, secret(43))
			in.WriteString(rest[i] + secrets[i] + " ")
		}
		rest = append(rest, `"  , "b":"\/"}`+"\r\n")
		in.WriteString(rest[n])
		findings := 0
		o.OnFound = func(Found) error { findings++; return nil }
		var out bytes.Buffer
		if _, err := CopyObjects(&out, bytes.NewReader(in.Bytes()), o); err != nil {
			t.Fatal(err)
		}
		left := out.String()
		for i, part := range rest {
			at := strings.Index(left, part)
			if at < 0 || i == 0 && at > 0 || i > 0 && !isMask(strings.TrimSuffix(left[:at], " ")) {
				t.Fatalf("in  %q\nout %q: %q is gone", in.String(), out.String(), part)
			}
			left = left[at+len(part):]
		}
		if left != "" || findings != n {
			t.Fatalf("%d of %d findings, %q is left", findings, n, left)
		}
	}
}

func isMask(s string) bool {
	return strings.HasPrefix(s, "REDACTED.code_verifier.") && !strings.ContainsAny(s, " \\\"")
}
