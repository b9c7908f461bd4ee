package detect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// blobGlues are ways in which logs show base64. B is the blob.
var blobGlues = []string{
	`{"resource":"/token","body":"B","isBase64Encoded":true}`, "data: B", "src=data:application/json;base64,B", "GET /cb/B HTTP/1.1",
	"state=B&x=1", `msg="published" payload="B"`, `{"m":"{\"body\":\"B\"}"}`, "b'B'", "oauth.json: B", "got B", `{"l":"a\nB"}`,
}

var blobTexts = []string{
	`{"client_id":"a","client_secret":"V"}`, `{"accessToken":"V"}`, "grant_type=refresh_token&refresh_token=V&client_id=a", "CLIENT_SECRET=V\n",
	`{"id":"é?>~","x":{"code_verifier":"V"}}`, "a=%3E&code_verifier=V", `{ "access_token" : "V" }`, "x=1&client_assertion=V", "client_secret: V",
}

// What stands in base64 is found at each place of a key in its group of three, in
// both alphabets, with and without padding.
func TestBase64IsLookedInto(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, glue := range blobGlues {
		for _, text := range blobTexts {
			for lead := range 3 {
				for i, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
					if i < 2 && strings.HasPrefix(glue, "state=") {
						continue // + would be a blank
					}
					value := random(base64url[:62], 44) + "7"
					blob := enc.EncodeToString([]byte(strings.Repeat(" ", lead) + strings.Replace(text, "V", value, 1)))
					wantBlob(t, s, strings.Replace(glue, "B", blob, 1), blob, value)
				}
			}
		}
	}
}

func wantBlob(t *testing.T, s *Scanner, line, blob, value string) {
	t.Helper()
	found := scanText(t, s, line)
	if len(found) != 1 || len(found[0].Inside) != 1 || string(found[0].Value(nil, []byte(line))) != value {
		t.Errorf("%q: %s", line, shown(line, found))
		return
	}
	got := line[found[0].Start:found[0].End]
	if !strings.HasSuffix(blob, got) && !strings.HasSuffix(got, blob) {
		t.Errorf("%q: %q is not the blob", line, got)
	}
}

// The characters of base64 may be escaped themselves.
func TestEscapedBase64IsLookedInto(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 20 {
		value := random(base64url[:62], 44) + "7"
		blob := base64.StdEncoding.EncodeToString([]byte(`{"a":"?>~??>~>ÿÿ` + random("?>~", 9) + `","client_secret":"` + value + `","z":"??"}`))
		once := url.QueryEscape(blob)
		for _, written := range []string{once, strings.ReplaceAll(once, "%", "%25"), strings.ReplaceAll(blob, "/", `\/`), strings.ToLower(once[:0]) + once} {
			wantBlob(t, s, "body="+written+" x", written, value)
			wantBlob(t, s, `{"body":"`+written+`"}`, written, value)
		}
	}
}

// Base64 in base64 needs a key in the outer one; beyond the depth that is looked
// into, a blob is masked whole.
func TestBase64InBase64(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	value := random(base64url[:62], 44) + "7"
	text := `{"client_secret":"` + value + `"}`
	for depth := 1; depth <= maxBlobDepth+2; depth++ {
		text = fmt.Sprintf(`{"client_secret":"%s","p":"%s"}`, value, base64.StdEncoding.EncodeToString([]byte(text)))
		found := scanText(t, s, "b="+base64.StdEncoding.EncodeToString([]byte(text)))
		if len(found) != 1 || len(found[0].Inside) != 2 {
			t.Fatalf("depth %d: %d findings", depth, len(found))
		}
	}
}

// Two blobs that only a character of base64 parts are one run with groups that begin
// at two places: what both hold is masked.
func TestJoinedBlobs(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for pad := range 6 {
		one, two := random(base64url[:62], 44)+"7", random(base64url[:62], 44)+"7"
		first := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", pad) + "client_secret=" + one + "&a=b"))
		line := "GET /cb/" + first + "/" + base64.RawStdEncoding.EncodeToString([]byte(`{"access_token":"`+two+`"}`)) + " x"
		found := scanText(t, s, line)
		switch {
		case len(found) != 1:
			t.Errorf("%s", shown(line, found))
		case len(found[0].Inside) == 1: // not both of them
			t.Errorf("%d: one of two is found", pad)
		case len(found[0].Inside) == 0 && (found[0].Start > strings.Index(line, first)+3 || found[0].End != len(line)-2):
			t.Errorf("%s", shown(line, found))
		}
	}
}

// Blobs may be cut anywhere behind the secret, and within it.
func TestCutBase64(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	value := random(base64url[:62], 44) + "7"
	text := `{"client_secret":"` + value + `","more":"` + random(base64url, 90) + `"}`
	for cut := range 60 {
		blob := base64.StdEncoding.EncodeToString([]byte(text))
		blob = blob[:len(blob)-8-cut]
		found := scanText(t, s, "got "+blob+"... (cut)")
		if len(found) != 1 || len(found[0].Inside) != 1 || string(found[0].Value(nil, []byte("got "+blob))) != value {
			t.Errorf("%d: %s", cut, shown("got "+blob+"... (cut)", found))
		}
	}
	for left := 30; left < 44; left++ {
		blob := base64.RawStdEncoding.EncodeToString([]byte(text[:18+left]))
		if found := scanText(t, s, "got "+blob+"..."); len(found) != 1 {
			t.Errorf("%d left: %d findings", left, len(found))
		}
	}
}

// Hexadecimal of text, and base64 of base64 whose outer text has no key of its own.
func TestHexAndDoubleBase64AreLookedInto(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, glue := range blobGlues {
		for _, text := range blobTexts {
			value := random(base64url[:62], 44) + "7"
			text = strings.Replace(text, "V", value, 1)
			blob := hex.EncodeToString([]byte(text))
			wantBlob(t, s, strings.Replace(glue, "B", blob, 1), blob, value)
			wantBlob(t, s, strings.Replace(glue, "B", "0x"+strings.ToUpper(blob), 1), strings.ToUpper(blob), value)
			for lead := range 9 {
				if strings.HasPrefix(text, "CLIENT") {
					break // capitals are looked for in base64 once
				}
				text := strings.Repeat(" ", lead/3) + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", lead%3)+text))
				blob := base64.StdEncoding.EncodeToString([]byte(text))
				wantBlob(t, s, strings.Replace(glue, "B", blob, 1), blob, value)
			}
		}
	}
}

// gzipped is gzip data in base64.
func gzipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// Compressed data in base64 is looked into, cut or not, and masked whole.
func TestGzipIsLookedInto(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, glue := range blobGlues {
		for _, text := range append(blobTexts, "Authorization: Bearer V") {
			value := random(base64url[:62], 44) + "7"
			blob := gzipped(strings.Replace(text, "V", value, 1))
			line := strings.Replace(glue, "B", blob, 1)
			wantBlob(t, s, line, blob, value)
			wantBlob(t, s, "body="+url.QueryEscape(blob), url.QueryEscape(blob), value)
			wantBlob(t, s, `{"a":"`+strings.ReplaceAll(blob, "/", `\/`)+`"}`, strings.ReplaceAll(blob, "/", `\/`), value)
			if got := scanText(t, s, line)[0]; line[got.Start:got.End] != blob {
				t.Errorf("%q of %q", line[got.Start:got.End], line)
			}
			rest := gzipped(strings.Replace(text, "V", value, 1) + "\n" + random(base64url, 400))
			for cut := range 4 {
				left := rest[:len(rest)-100-cut]
				whole := left
				if len(left)%4 == 1 {
					whole = left[:len(left)-1]
				}
				wantBlob(t, s, "got "+left+"...", whole, value)
			}
		}
		line := strings.Replace(glue, "B", gzipped(random(base64url, 600)+strings.Repeat("no secret ", 100)), 1)
		if found := scanText(t, s, line); len(found) > 0 {
			t.Errorf("%s", shown(line, found))
		}
	}
}

// A bomb is not inflated beyond the bounds, and is masked whole.
func TestGzipBombs(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	bomb := gzipped(strings.Repeat("a", 64<<20))
	foundIn(t, s, "got V here", bomb)
}

// Words, examples and masks in base64 are what they are outside.
func TestCleanBase64(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		`{"error":"invalid_grant","error_description":"access_token expired"}`, `{"access_token":"REDACTED.access_token.k1.` + random(base64url, 22) + `"}`,
		"client_secret=${CLIENT_SECRET}", `{"client_secret":"****"}`, "the refresh_token was rejected", `{"id_token":null}`, "public func accessToken() -> String",
	} {
		for lead := range 3 {
			line := "body=" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", lead)+text))
			if found := scanText(t, s, line); len(found) > 0 {
				t.Errorf("%q: %s", text, shown(line, found))
			}
		}
	}
}

// A value that is base64 as a whole stays one finding of its key.
func TestBlobInsideAValue(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	text, _ := json.Marshal(map[string]string{"access_token": random(base64url, 43)})
	foundIn(t, s, "refresh_token=V&a=b", base64.RawURLEncoding.EncodeToString(text))
}
