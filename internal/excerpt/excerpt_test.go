package excerpt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const print = "AbCdEfGhIjKlMnOpQrStUv"

func mask(fingerprint string) string { return "REDACTED.code_verifier.k1." + fingerprint }

func TestAround(t *testing.T) {
	m := mask(print)
	long := strings.Repeat("x", 160)
	for in, want := range map[string]string{
		"":                                      "",
		"nothing":                               "",
		print:                                   "", // no mask
		m:                                       m,
		"a=1&code_verifier=" + m + "&b=2":       "a=1&code_verifier=" + m + "&b=2",
		`{"t":"x","code_verifier":"` + m + `"}`: `{"t":"x","code_verifier":"` + m + `"}`,
		"line\x1b[31m " + m + "\r\nnext\u202e":  `line\u001b[31m ` + m + `\u000d\u000anext\u202e`,
		long + " " + m + " " + long:             m + " " + long[:0],
		long + "x " + m + " y":                  m + " y",
		strings.Repeat("ü ", 200) + m + strings.Repeat(" é", 200):                     "",
		"REDACTED.access_token.k1." + strings.Repeat("z", 180) + " and " + m + " end": "and " + m + " end",
		"REDACTED." + strings.Repeat("k", 300) + "." + print:                          "",
		"HASHED.k1." + print + " x":                                                   "HASHED.k1." + print + " x",
	} {
		got := Around([]byte(in), print)
		if strings.Contains(in, "ü") {
			if len(got) < Max-3 || !strings.HasPrefix(got, "ü ü") || !strings.HasSuffix(got, " é") {
				t.Errorf("%q", got)
			}
			continue
		}
		if got != strings.TrimSpace(want) {
			t.Errorf("%q\n gives %q\n  not %q", in, got, want)
		}
	}
	if Around([]byte(m), "") != "" {
		t.Error("without a fingerprint")
	}
}

func words(s string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || !inWord(byte(r)) }) {
		all[w] = true
	}
	return all
}

// Whatever stands around a mask: the excerpt is short, valid, holds the mask whole,
// and every word of it is a whole word of the text.
func TestNoWordIsCut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		piece := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9._~+/%=-]{1,90}`), rapid.String(), rapid.SampledFrom([]string{" ", "&", `"`, "\n", "\xff", "\u202e", ": ", "日本"}),
			rapid.Map(rapid.StringMatching(`[A-Za-z0-9_-]{22}`), func(s string) string { return mask(s) }),
		)
		before, after := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(r, "before"), ""), strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(r, "after"), "")
		in := before + " " + mask(print) + " " + after
		got := Around([]byte(in), print)
		if strings.Contains(before, print) {
			return
		}
		if len(got) > Max || !utf8.ValidString(got) || !strings.Contains(got, mask(print)) {
			r.Fatalf("%d bytes: %q of %q", len(got), got, in)
		}
		whole := words(visible([]byte(in)))
		for w := range words(got) {
			if !whole[w] {
				r.Fatalf("%q is a part of a word: %q of %q", w, got, in)
			}
		}
		if strings.ContainsFunc(got, Unclean) {
			r.Fatalf("%q", got)
		}
	})
}

func FuzzAround(f *testing.F) {
	f.Add([]byte("a=1&b="+mask(print)+"&c"), print)
	f.Fuzz(func(t *testing.T, text []byte, fingerprint string) {
		if got := Around(text, fingerprint); len(got) > Max || !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
	})
}
