package pipeline

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/redact"
)

// secretOf is a random value that every strong key is found with.
func secretOf(rnd *rand.Rand) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	out := []byte("q7")
	for len(out) < 47 {
		out = append(out, letters[rnd.IntN(len(letters))])
	}
	return string(out) + "7"
}

// Several secrets of one blob get a mask each, and what it was stays: JSON in base64
// with the same padding, whose other members are unchanged.
func TestMasksInsideBase64(t *testing.T) {
	w := worker(t, everywhere(redact.ActionMask))
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 3))
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for pad := range 4 {
			secret, verifier := secretOf(rnd), secretOf(rnd)
			body := fmt.Sprintf(`{"client_id":"shop","x":"%s","client_secret":"%s","code_verifier":"%s","z":1}`, strings.Repeat("p", pad), secret, verifier)
			in := `{"body":"` + enc.EncodeToString([]byte(body)) + `","isBase64Encoded":true}`
			out := w.masked([]byte(in))
			if len(out.Results) != 1 || out.Results[0].Client.ID != "shop" {
				t.Fatalf("%d results", len(out.Results))
			}
			var event struct{ Body string }
			if err := json.Unmarshal(out.Text(), &event); err != nil {
				t.Fatal(err)
			}
			text, err := enc.DecodeString(event.Body)
			if err != nil {
				t.Fatalf("no base64 any more: %v", err)
			}
			var got map[string]any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if got["client_id"] != "shop" || got["z"] != 1.0 || got["client_secret"] == secret || got["code_verifier"] == verifier ||
				!strings.HasPrefix(got["client_secret"].(string), "REDACTED.client_secret.") || !strings.HasPrefix(got["code_verifier"].(string), "REDACTED.") {
				t.Errorf("%s", text)
			}
			masked := string(out.Text())
			if again := w.masked([]byte(masked)); len(again.Results) != 0 {
				t.Errorf("found again: %q", masked)
			}
		}
	}
}

// The mask in a blob carries the fingerprint that the value has anywhere else.
func TestFingerprintInsideBase64(t *testing.T) {
	w := worker(t, everywhere(redact.ActionMask))
	secret := secretOf(rand.New(rand.NewPCG(rand.Uint64(), 4)))
	text := "client_secret=" + secret + "&a=b"
	plain := w.masked([]byte(text)).Results[0].Fingerprint
	out := w.masked([]byte("body=" + base64.StdEncoding.EncodeToString([]byte(text))))
	if len(out.Results) != 1 || out.Results[0].Fingerprint != plain {
		t.Fatalf("%d results", len(out.Results))
	}
}

// Whatever is around a secret in base64 and around its blob: no panic, no 8 bytes of
// the secret in what any group of the output decodes to, and nothing to do twice.
func FuzzBase64(f *testing.F) {
	f.Add([]byte(`{"a":"b",`), []byte(`","x":1}`), []byte("body="), []byte(" x"), uint64(1), uint8(0))
	f.Add([]byte(" "), []byte("&a=b"), []byte("/cb/path/"), []byte("/more"), uint64(2), uint8(5))
	f.Add([]byte("\xff\xfe"), []byte("\n"), []byte(`{"m":"a\n`), []byte(`"}`), uint64(3), uint8(2))
	f.Fuzz(func(t *testing.T, before, after, left, right []byte, seed uint64, how uint8) {
		if len(before)+len(after)+len(left)+len(right) > 1<<12 {
			return
		}
		w := worker(t, everywhere(spliced[int(how/7)%2]))
		secret := secretOf(rand.New(rand.NewPCG(seed, 1)))
		twice := func(b []byte) string {
			return base64.StdEncoding.EncodeToString([]byte(base64.RawURLEncoding.EncodeToString(b)))
		}
		packed := func(b []byte) string {
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			_, _ = z.Write(b)
			_ = z.Close()
			return base64.StdEncoding.EncodeToString(out.Bytes())
		}
		encode := []func([]byte) string{
			base64.StdEncoding.EncodeToString, base64.RawStdEncoding.EncodeToString, base64.URLEncoding.EncodeToString,
			base64.RawURLEncoding.EncodeToString, hex.EncodeToString, twice, packed,
		}[how%7]
		// A blob that begins like a vendor's token (EAA…) is one to other rules.
		text := "{" + string(before) + "\n\"client_secret\":\"" + secret + "\"\n" + string(after)
		in := string(left) + " " + encode([]byte(text)) + " " + string(right)
		out := string(w.masked([]byte(in)).Text())
		for p := 0; p+8 <= len(secret); p++ {
			if holdsBase64(out, secret[p:p+8]) && !strings.Contains(string(before)+string(after)+string(left)+string(right), secret[p:p+8]) {
				t.Fatalf("%q still holds part of %q: %q", in, secret, out)
			}
		}
		if how%7 == 6 && strings.Contains(out, "H4sI") {
			t.Fatalf("%q was not masked", in)
		}
		if again := string(w.masked([]byte(out)).Text()); again != out {
			t.Fatalf("a second run changed %q to %q", out, again)
		}
	})
}

// holdsBase64 reports whether text has part as it is, in hexadecimal or in base64, at any place of a
// group.
func holdsBase64(text, part string) bool {
	if strings.Contains(text, hex.EncodeToString([]byte(part))) {
		return true
	}
	for lead := range 3 {
		all := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", lead) + part))
		middle := all[(lead*8+5)/6 : (lead+len(part))*8/6]
		if strings.Contains(text, middle) || strings.Contains(text, strings.NewReplacer("-", "+", "_", "/").Replace(middle)) {
			return true
		}
	}
	return strings.Contains(text, part)
}
