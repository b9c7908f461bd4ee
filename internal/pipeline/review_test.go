package pipeline

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func random(n int) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, n)
	for i := range out {
		out[i] = letters[rand.IntN(len(letters))]
	}
	return string(out)
}

func attributing(t *testing.T) *Worker {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorker(Options{Database: db, Key: redact.RandomKey(), Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// A value that is masked is not told as a client identifier, wherever it stands.
func TestNoClientIsASecret(t *testing.T) {
	w := attributing(t)
	s := random(40)
	token := "gh" + "o_" + random(36)
	basic := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, line := range []string{
		"client_id=" + s + "&client_secret=" + s,
		`{"client_id":"x` + s + `","client_secret":"` + s + `"}`,
		"client_id=" + token + " code_verifier=" + random(43),
		"Authorization: Basic " + basic(token+":x-oauth-basic"),
		"Authorization: Basic " + basic(token+":"),
		"Authorization: Basic " + basic(s+":"+s),
	} {
		got := w.masked([]byte(line))
		if len(got.Results) == 0 {
			t.Errorf("nothing found in %s", line)
		}
		for _, r := range got.Results {
			for _, id := range append(r.Client.Candidates, r.Client.ID) {
				if strings.Contains(id, s) || strings.Contains(id, token) {
					t.Errorf("a secret is told as the client of %s", line)
				}
			}
		}
		for _, word := range strings.FieldsFunc(string(got.Text()), func(c rune) bool { return strings.ContainsRune(` "&=:{},`, c) }) {
			if text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "=")); err == nil && strings.Contains(string(text), token) {
				t.Errorf("the token is left inside base64: %s", line)
			}
		}
	}
}

// Credentials behind a scheme, however they are set off from it.
func TestSchemesAndTheirBlanks(t *testing.T) {
	w := attributing(t)
	padded := base64.StdEncoding.EncodeToString([]byte(random(40)))
	for _, text := range []string{
		`{"Authorization":"Bearer V"}`, `"Authorization: Bearer V"`, `Authorization: Bearer  V`,
		`Authorization: Bearer "V"`, `Authorization: Bearer 'V'`, `Authorization: DPoP  V`,
	} {
		line := strings.ReplaceAll(text, "V", padded)
		if got := string(w.masked([]byte(line)).Text()); strings.Contains(got, padded[:16]) {
			t.Errorf("%s stays", text)
		}
	}
}
