package detect

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// wrapText breaks text into lines of a width.
func wrapText(text string, width int, end string) string {
	var out []string
	for len(text) > width {
		out, text = append(out, text[:width]), text[width:]
	}
	return strings.Join(append(out, text), end)
}

func compressed(t *testing.T, text string, to func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := to(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zlibAt(level int) func(t *testing.T, text string) string {
	return func(t *testing.T, text string) string {
		b := compressed(t, text, func(w io.Writer) io.WriteCloser {
			z, err := zlib.NewWriterLevel(w, level)
			if err != nil {
				t.Fatal(err)
			}
			return z
		})
		return `{"body":"` + base64.StdEncoding.EncodeToString(b) + `"}`
	}
}

// Base64 over lines, cut into pieces anywhere: the value inside is masked on each line
// that it stands on, and no line behind it.
func TestBase64OverLines(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 60 {
		value := random(base64url, 120)
		body := base64.StdEncoding.EncodeToString([]byte(`{"client_id":"w` + random("abcdefgh", rand.IntN(9)) + `","access_token":"` + value + `","state":"` + random(base64url, 90) + `"}`))
		for _, width := range []int{60, 64, 70, 76, 77} {
			rows := strings.Split(wrapText(body, width, "\n"), "\n")
			text := "body:\n" + strings.Join(rows, "\n") + "\nafter " + random(base64url, 40) + "\n"
			var kept []string
			for _, n := range []int{0, 1, 2} {
				left := text
				for _, v := range overLinesFound(t, s, text, n) {
					left = strings.Replace(left, v, "*", 1)
				}
				kept = append(kept, left)
			}
			if kept[0] != kept[1] || kept[0] != kept[2] {
				t.Fatalf("width %d: in pieces\n%s\n%s\n%s", width, kept[0], kept[1], kept[2])
			}
			clean := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(kept[0], "body:\n"), "\n"), "\n", "")
			clean = clean[:strings.Index(clean, "after ")]
			for part := range strings.SplitSeq(clean, "*") {
				for lead := range 4 {
					if lead > len(part) {
						break
					}
					got, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(part[lead:], "=")[:(len(strings.TrimRight(part[lead:], "=")))/4*4])
					for p := 0; p+minCut+4 <= len(value); p++ {
						if bytes.Contains(got, []byte(value[p:p+minCut+4])) {
							t.Fatalf("width %d: a part of the value is left: %s", width, kept[0])
						}
					}
				}
			}
			if !strings.Contains(kept[0], rows[len(rows)-1]+"\nafter ") {
				t.Fatalf("width %d: a line behind the value changed\n%s", width, kept[0])
			}
		}
	}
}

// holders write a text with a secret into blobs that are found by what is in them.
var holders = map[string]func(t *testing.T, text string) string{
	"wrapped at 64": func(_ *testing.T, text string) string {
		return `{"body":"` + wrapText(base64.StdEncoding.EncodeToString([]byte(text)), 64, `\n`) + `","x":1}`
	},
	"wrapped at 76": func(_ *testing.T, text string) string {
		return `{"body":"` + wrapText(base64.StdEncoding.EncodeToString([]byte(text)), 76, `\r\n`) + `\r\n"}`
	},
	"wrapped, escaped": func(_ *testing.T, text string) string {
		return `{"m":"{\"body\":\"` + wrapText(base64.StdEncoding.EncodeToString([]byte(text)), 76, `\\n`) + `\"}"}`
	},
	"wrapped at 30": func(_ *testing.T, text string) string {
		return `{"body":"` + wrapText(base64.StdEncoding.EncodeToString([]byte(text)), 30, `\n`) + `","x":1}`
	},
	"wrapped at 45": func(_ *testing.T, text string) string {
		return `body: "` + wrapText(base64.StdEncoding.EncodeToString([]byte(text)), 45, `\r\n`) + `"`
	},
	"zlib, fast":  zlibAt(zlib.BestSpeed),
	"zlib, level": zlibAt(4),
	"zlib, small": zlibAt(zlib.BestCompression),
	"zlib": func(t *testing.T, text string) string {
		b := compressed(t, text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
		return `{"body":"` + base64.StdEncoding.EncodeToString(b) + `"}`
	},
	"gzip, wrapped": func(t *testing.T, text string) string {
		b := compressed(t, text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
		return `{"body":"` + wrapText(base64.StdEncoding.EncodeToString(b), 76, `\n`) + `"}`
	},
	"base64": func(_ *testing.T, text string) string {
		return "body=" + base64.StdEncoding.EncodeToString([]byte(text))
	},
	"hex": func(_ *testing.T, text string) string { return "body=" + hex.EncodeToString([]byte(text)) },
}

// What blobs hide is found, whatever the place of its key in them.
func TestBlobsByWhatIsInThem(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for name, hold := range holders {
		for _, body := range []string{
			`{"pad":"{b64u60}","access_token":"<AT>","z":"{b64u60}"}`,
			`{"pad":"{b64u60}","refreshToken":"<RT>","z":"{b64u60}"}`,
			`{"pad":"{b64u60}","ClientSecret":"<SECRET>","z":"{b64u60}"}`,
			`{"pad":"{b64u60}","idToken":"<JWT>","z":"{b64u60}"}`,
			`{"pad":"{b64u60}","t":"<JWT>","z":"{b64u60}"}`,
			`{"pad":"{b64u60}","state":"{b64u60}","nonce":"{b64u43}"}`,
		} {
			if name == "hex" && strings.Contains(body, "ClientSecret") {
				continue
			}
			for lead := range 3 {
				text, want := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), strings.Repeat("x", lead)+body)
				line := hold(t, text)
				found := scanText(t, s, line)
				if len(found) != len(want) {
					t.Fatalf("%s, %s: found %s", name, body, shown(line, found))
				}
				for _, f := range found {
					value := line[f.Start:f.End]
					if strings.ContainsAny(value, `{}":`) || len(value) < len(want[0]) {
						t.Fatalf("%s, %s: found %q", name, body, value)
					}
				}
			}
		}
	}
}
