package redact_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func printOf(text string) (fp redact.Fingerprint) {
	copy(fp[:], text)
	return fp
}

var someprint = printOf("0123456789abcdefABCD-_")

func TestApplyActions(t *testing.T) {
	const value = "abcdefghijklmnopqrstuvwxyz0123456789"
	const src = `{"access_token": "` + value + `", "n": 1}`
	start := strings.Index(src, value)
	for _, tc := range []struct {
		action redact.Action
		want   string
	}{
		{redact.ActionMask, "REDACTED.access_token.k1.0123456789abcdefABCD-_"},
		{redact.ActionHash, "HASHED.k1.0123456789abcdefABCD-_"},
		{redact.ActionPartial, "abcd.REDACTED"},
		{redact.ActionRemove, ""},
		{redact.ActionDropRecord, "REDACTED.access_token.k1.0123456789abcdefABCD-_"},
		{redact.ActionReport, value},
		{"unknown", "REDACTED.access_token.k1.0123456789abcdefABCD-_"},
	} {
		t.Run(string(tc.action), func(t *testing.T) {
			r := redact.NewRedactor(redact.Policy{rules.AccessToken: tc.action}, "k1")
			spans := []redact.Span{{Start: start, End: start + len(value), Blob: start, Kind: rules.AccessToken, Fingerprint: someprint}}
			got, err := r.Apply([]byte("before "), []byte(src), spans, false)
			if want := "before " + strings.Replace(src, value, tc.want, 1); err != nil || string(got) != want {
				t.Errorf("got %s, %v\nwant %s", got, err, want)
			}
			got, err = r.Apply(nil, []byte(src), spans, true)
			if err != nil || len(got) != len(src) || tc.action != redact.ActionReport && bytes.Contains(got, []byte(value[4:12])) {
				t.Errorf("equal length: got %s, %v", got, err)
			}
		})
	}
}

func TestApplyBasic(t *testing.T) {
	for _, user := range []string{"", "u", "us", "user", "us?ab>"} {
		for _, password := range []string{"p", "pa", "hunter2hunter2", strings.Repeat("long", 60)} {
			for action, want := range map[redact.Action]string{
				redact.ActionMask:   "REDACTED.basic_credentials.k1.0123456789abcdefABCD-_",
				redact.ActionHash:   "HASHED.k1.0123456789abcdefABCD-_",
				redact.ActionRemove: "",
			} {
				blob := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
				src := "Basic " + blob + " rest"
				lead := len(user) + 1
				span := redact.Span{
					Start: 6 + lead*8/6, End: 6 + len(blob), Blob: 6, Kind: rules.BasicCredentials,
					Form: layer.Form{Base64: layer.Base64Std, Lead: lead}, Fingerprint: someprint,
				}
				r := redact.NewRedactor(redact.Policy{rules.BasicCredentials: action}, "k1")
				got := applied(t, r, src, span, false)
				if got[:span.Start] != src[:span.Start] {
					t.Errorf("%s: bytes before the password changed: %s", action, got)
				}
				if text := basicText(t, got); text != user+":"+want {
					t.Errorf("%s: decodes to %q, want %q", action, text, user+":"+want)
				}
				equal := applied(t, r, src, span, true)
				text := basicText(t, equal)
				if len(equal) != len(src) || !strings.HasPrefix(text, user+":") || !rules.IsMask([]byte(text[lead:])) {
					t.Errorf("%s, equal length: %q of %q", action, text, user+":"+password)
				}
			}
		}
	}
}

func applied(t *testing.T, r *redact.Redactor, src string, s redact.Span, equal bool) string {
	t.Helper()
	out, err := r.Apply(nil, []byte(src), []redact.Span{s}, equal)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func basicText(t *testing.T, header string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(strings.Fields(header)[1])
	if err != nil {
		t.Fatalf("%s: %v", header, err)
	}
	return string(text)
}

// A blob that does not write back is masked whole, in its own length if asked.
func TestApplyBlobThatDoesNotWriteBack(t *testing.T) {
	const blob = "dXNlcjpzZWNyZR==" // bits behind the last byte
	r := redact.NewRedactor(nil, "k1")
	span := redact.Span{
		Start: 6, End: 6 + len(blob), Blob: 6, Kind: rules.BasicCredentials,
		Form: layer.Form{Base64: layer.Base64Std, Lead: 5}, Fingerprint: someprint,
	}
	if got := applied(t, r, "Basic "+blob+"!", span, false); got != "Basic REDACTED.basic_credentials.k1.0123456789abcdefABCD-_!" {
		t.Errorf("got %s", got)
	}
	if got := applied(t, r, "Basic "+blob+"!", span, true); got != "Basic REDACTED--------!" {
		t.Errorf("equal length: got %s", got)
	}
}

// The escapes of a password's own characters make its blob longer than a mask's.
func TestApplyEqualLengthOfAnEscapedBlob(t *testing.T) {
	blob := url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("user:~~~~~~~~~~~?????")))
	if !strings.Contains(blob, "%2B") && !strings.Contains(blob, "%2F") {
		t.Fatal("the case needs escapes")
	}
	span := redact.Span{
		Start: 0, End: len(blob), Blob: 0, Kind: rules.BasicCredentials,
		Form: layer.Form{Percent: true, Base64: layer.Base64Std, Lead: 5}, Fingerprint: someprint,
	}
	got := applied(t, redact.NewRedactor(nil, "k1"), blob, span, true)
	if len(got) != len(blob) || !rules.IsMask([]byte(got)) {
		t.Errorf("%d bytes became %d: %s", len(blob), len(got), got)
	}
}

func TestApplyRefusesWrongSpans(t *testing.T) {
	src := []byte("0123456789")
	basic := layer.Form{Base64: layer.Base64Std, Lead: 1}
	for _, tc := range []struct {
		name  string
		spans []redact.Span
	}{
		{"overlap", []redact.Span{{Start: 1, End: 4, Blob: 1}, {Start: 3, End: 6, Blob: 3}}},
		{"overlap of a blob", []redact.Span{{Start: 1, End: 4, Blob: 1}, {Start: 5, End: 6, Blob: 3, Form: basic}}},
		{"unsorted", []redact.Span{{Start: 5, End: 6, Blob: 5}, {Start: 1, End: 2, Blob: 1}}},
		{"past the end", []redact.Span{{Start: 5, End: 11, Blob: 5}}},
		{"negative", []redact.Span{{Start: -1, End: 2, Blob: -1}}},
		{"backwards", []redact.Span{{Start: 5, End: 4, Blob: 5}}},
		{"empty", []redact.Span{{Start: 5, End: 5, Blob: 5}}},
		{"blob behind its start", []redact.Span{{Start: 3, End: 5, Blob: 4, Form: basic}}},
		{"blob without base64", []redact.Span{{Start: 3, End: 5, Blob: 1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range tc.spans {
				tc.spans[i].Kind, tc.spans[i].Fingerprint = rules.JWT, someprint
			}
			out, err := redact.NewRedactor(nil, "k1").Apply([]byte("x"), src, tc.spans, false)
			if !errors.Is(err, redact.ErrSpans) || string(out) != "x" {
				t.Errorf("got %q, %v, want nothing appended and ErrSpans", out, err)
			}
		})
	}
}

// A redactor is used for a million records: it must leave nothing behind but
// the output.
func BenchmarkApply(b *testing.B) {
	line := "2026-01-02T03:04:05Z INFO token=" + strings.Repeat("v", 43) + " client_id=web " + strings.Repeat("text ", 20) + "\n"
	for name, spansPerLine := range map[string]int{"clean": 0, "one a line": 1} {
		b.Run(name, func(b *testing.B) {
			src := []byte(strings.Repeat(line, 100))
			var spans []redact.Span
			for i := range 100 * spansPerLine {
				at := i*len(line) + 32
				spans = append(spans, redact.Span{Start: at, End: at + 43, Blob: at, Kind: rules.AccessToken, Fingerprint: someprint})
			}
			r := redact.NewRedactor(nil, "k1")
			out := make([]byte, 0, 2*len(src))
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = r.Apply(out[:0], src, spans, false); err != nil {
					b.Fatal(err)
				}
			}
			if got := bytes.Count(out, []byte("token=REDACTED.access_token.k1.")); got != len(spans) {
				b.Fatalf("%d masks, want %d", got, len(spans))
			}
		})
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	src := []byte("token=" + strings.Repeat("v", 43) + " rest")
	spans := []redact.Span{{Start: 6, End: 49, Blob: 6, Kind: rules.AccessToken, Fingerprint: someprint}}
	r, prints := redact.NewRedactor(nil, "k1"), redact.NewFingerprinter(redact.RandomKey())
	out := make([]byte, 0, 1024)
	n := byte(0)
	value := bytes.Repeat([]byte("v"), 43)
	if allocs := testing.AllocsPerRun(200, func() {
		value[0] = n // half of these were not seen before
		n++
		prints.Of(value)
		prints.Of(value)
		out, _ = r.Apply(out[:0], src, spans, false)
	}); allocs != 0 {
		t.Errorf("%v allocations a record", allocs)
	}
}
