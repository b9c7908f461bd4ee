package layer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/internal/layer"
)

var (
	plain     = layer.Form{}
	percent   = layer.Form{Percent: true}
	backslash = layer.Form{Backslash: true}
	both      = layer.Form{Percent: true, Backslash: true}
)

func TestDecode(t *testing.T) {
	for _, tc := range []struct {
		name string
		form layer.Form
		raw  string
		want string
	}{
		{"as it is", plain, `4%2F0A\/`, `4%2F0A\/`},
		{"empty", both, ``, ``},
		{"percent once", percent, `4%2F0A`, `4/0A`},
		{"percent twice", percent, `4%252f0A`, `4/0A`},
		{"percent four times", percent, `4%2525252F0A`, `4/0A`},
		{"percent five times leaves one", percent, `4%252525252F0A`, `4%2F0A`},
		{"no percent escape", percent, `50%`, `50%`},
		{"half a percent escape", percent, `50%2`, `50%2`},
		{"percent is not asked for", backslash, `4%2F`, `4%2F`},
		{"slash", backslash, `4\/0A`, `4/0A`},
		{"slash, doubled", backslash, `4\\\/0A`, `4/0A`},
		{"quotes", backslash, `a\"b\'c`, `a"b'c`},
		{"backslash", backslash, `DOMAIN\\user`, `DOMAIN\user`},
		{"backslash, doubled", backslash, `DOMAIN\\\\user`, `DOMAIN\user`},
		{"backslash at the end", backslash, `abc\\`, `abc\`},
		{"u escape", backslash, `a\u0026b\u003Dc`, `a&b=c`},
		{"u escape, doubled", backslash, `a\\u0026b`, `a&b`},
		{"u escape beyond ASCII", backslash, `caf\u00e9 \u4e2d`, "caf\u00e9 \u4e2d"},
		{"surrogate pair", backslash, `\ud83d\ude00!`, "\U0001F600!"},
		{"surrogate pair, doubled", backslash, `\\ud83d\\ude00!`, "\U0001F600!"},
		{"half a surrogate pair", backslash, `\ud83d!`, "\uFFFD!"},
		{"half a pair and another", backslash, `\ud83d\u0041`, "\uFFFDA"},
		{"half a pair and text", backslash, `\ud83dude00`, "\uFFFDude00"},
		{"half an u escape", backslash, `\u00`, `\u00`},
		{"x escape", backslash, `a\x26b`, `a&b`},
		{"half an x escape", backslash, `a\x2`, `a\x2`},
		{"both", both, `4\u00252F0A`, `4/0A`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.form.Decode([]byte("before:"), []byte(tc.raw)); string(got) != "before:"+tc.want {
				t.Errorf("Decode(%q) = %q, want %q behind what was there", tc.raw, got, tc.want)
			}
		})
	}
}

func TestDecodeBlob(t *testing.T) {
	std := layer.Form{Base64: layer.Base64Std, Lead: 5}
	for _, tc := range []struct{ name, raw, want string }{
		{"padded", "dXNlcjpzZWNyZQ==", "secre"},
		{"padding left out", "dXNlcjpzZWNyZQ", "secre"},
		{"no base64: its own value", "dXNlcjp!", "dXNlcjp!"},
		{"shorter than the lead: its own value", "dXNl", "dXNl"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := std.Decode(nil, []byte(tc.raw)); string(got) != tc.want {
				t.Errorf("Decode(%q) = %q, want %q", tc.raw, got, tc.want)
			}
		})
	}
}

func TestEncodeKeepsTheWriting(t *testing.T) {
	blob := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	std := func(f layer.Form) layer.Form {
		f.Base64, f.Lead = layer.Base64Std, len("us?ab>:")
		return f
	}
	before, after := blob("us?ab>:secr"), blob("us?ab>:MASK")
	if !strings.Contains(before, "/") || !strings.Contains(before, "+") || !strings.Contains(before, "=") {
		t.Fatal("the case needs characters that are escaped")
	}
	escape := func(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }
	upper := []string{"+", "%2B", "/", "%2F", "=", "%3D"}
	for _, tc := range []struct {
		name  string
		form  layer.Form
		pairs []string
	}{
		{"plain", std(plain), nil},
		{"percent", std(percent), upper},
		{"percent, small letters", std(percent), []string{"+", "%2b", "/", "%2f", "=", "%3d"}},
		{"percent twice", std(percent), []string{"+", "%252B", "/", "%252F", "=", "%253D"}},
		{"slash", std(backslash), []string{"/", `\/`}},
		{"slash, doubled", std(backslash), []string{"/", `\\\/`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw, want := escape(before, tc.pairs...), escape(after, tc.pairs...)
			got, ok := tc.form.Encode([]byte("x"), []byte(raw), []byte("MASK"))
			if !ok || string(got) != "x"+want {
				t.Errorf("Encode(%q) = %q, %t, want %q", raw, got, ok, "x"+want)
			}
		})
	}
}

func TestEncodeRefusesWhatItCannotWriteBack(t *testing.T) {
	form := layer.Form{Percent: true, Backslash: true, Base64: layer.Base64Std, Lead: 5}
	for _, tc := range []struct{ name, raw string }{
		{"no base64", "dXNlcjp!zZWNyZQ=="},
		{"shorter than the lead", "dXNl"},
		{"bits behind the last byte", "dXNlcjpzZWNyZR=="},
		{"padding of the wrong length", "dXNlcjpzZWNyZQ="},
		{"escapes mixed", "dXNlcjpzZWNyZQ=%3D"},
		{"letter cases mixed", "dXNlcjpzZWNyZQ%3D%3d"},
		{"a letter escaped", "%64XNlcjpzZWNyZQ=="},
		{"a line end inside", "dXNlcjpz\nZWNyZQ=="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, ok := form.Encode([]byte("x"), []byte(tc.raw), []byte("MASK")); ok || string(got) != "x" {
				t.Errorf("Encode(%q) = %q, %t, want nothing appended and false", tc.raw, got, ok)
			}
		})
	}
}

// One value has one decoded form, however it is written: fingerprints depend on it.
func TestDecodeUndoesEveryWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[A-Za-z0-9._~/+=&:"é中-]{1,40}`).Draw(t, "value")
		levels := rapid.IntRange(1, 3).Draw(t, "levels")
		inPercent, inJSON := value, value
		for range levels {
			inPercent = url.QueryEscape(inPercent)
			quoted, err := json.Marshal(inJSON)
			if err != nil {
				t.Fatal(err)
			}
			inJSON = string(quoted[1 : len(quoted)-1])
		}
		if got := percent.Decode(nil, []byte(inPercent)); string(got) != value {
			t.Errorf("from percent level %d: %q, want %q", levels, got, value)
		}
		if got := backslash.Decode(nil, []byte(inJSON)); string(got) != value {
			t.Errorf("from JSON level %d: %q, want %q", levels, got, value)
		}
	})
}

func drawBlob(t *rapid.T) (layer.Form, []byte, []byte) {
	text := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "text")
	f := layer.Form{Base64: layer.Base64Std, Lead: rapid.IntRange(0, len(text)).Draw(t, "lead")}
	enc := base64.StdEncoding
	if rapid.Bool().Draw(t, "url alphabet") {
		f.Base64, enc = layer.Base64URL, base64.URLEncoding
	}
	if rapid.Bool().Draw(t, "unpadded") && len(text)%3 != 0 {
		enc = enc.WithPadding(base64.NoPadding)
	}
	raw := enc.EncodeToString(text)
	for range rapid.IntRange(0, 3).Draw(t, "percent depth") {
		f.Percent = true
		raw = url.QueryEscape(raw)
	}
	return f, []byte(raw), text
}

func TestEncodeKeepsLeadAndCarriesReplacement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, raw, text := drawBlob(t)
		replacement := []byte(rapid.StringMatching(`[A-Za-z0-9._-]{0,80}`).Draw(t, "replacement"))
		out, ok := f.Encode(nil, raw, replacement)
		if !ok {
			t.Fatalf("Encode refused a blob in canonical writing: %q", raw)
		}
		if got := f.Decode(nil, out); !bytes.Equal(got, replacement) {
			t.Errorf("decodes to %q, want %q", got, replacement)
		}
		whole := f
		whole.Lead = 0
		if got := whole.Decode(nil, out)[:f.Lead]; !bytes.Equal(got, text[:f.Lead]) {
			t.Errorf("lead became %q, want %q", got, text[:f.Lead])
		}
		if same, ok := f.Encode(nil, raw, text[f.Lead:]); !ok || !bytes.Equal(same, raw) {
			t.Errorf("its own value encodes to %q, want %q", same, raw)
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("dXNlcjpzZWNyZQ%3D%3D"), []byte("MASK"), true, true, uint8(1), uint8(5))
	f.Add([]byte(`\ud83d\\u0026\`), []byte(""), false, true, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, raw, replacement []byte, pct, slash bool, kind, lead uint8) {
		form := layer.Form{Percent: pct, Backslash: slash, Base64: layer.Base64(kind % 3), Lead: int(lead)}
		saved := bytes.Clone(raw)
		value := form.Decode([]byte("x"), raw)
		if len(value) > len(raw)+1 || value[0] != 'x' {
			t.Fatalf("Decode(%q) = %q: longer than what it was made from", raw, value)
		}
		out, ok := form.Encode([]byte("x"), raw, replacement)
		if !ok && string(out) != "x" {
			t.Fatalf("Encode(%q) appended %q and refused", raw, out)
		}
		if ok && form.Base64 != layer.NoBase64 {
			if got := form.Decode(nil, out[1:]); !bytes.Equal(got, replacement) {
				t.Fatalf("Encode(%q) decodes to %q, want %q", raw, got, replacement)
			}
		}
		if !bytes.Equal(raw, saved) {
			t.Fatal("the input was changed")
		}
	})
}
