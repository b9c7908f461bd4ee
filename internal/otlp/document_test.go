package otlp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func TestDocumentsAreMasked(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	for _, form := range []string{
		`{"code_verifier":%s}`, `{"code_verifier":{"value":%s}}`, `[{"name":"code_verifier","value":%s}]`,
		`{"headers":[["authorization",["Bearer x%[1]s"]]]}`, `{"headers":{"x-refresh-token":["a",%s]}}`,
		`{"a":{"b":[[{"refresh_token":%s}]]}}`, `{"args":["--code-verifier",%s]}`, `{"msg":"code_verifier=x%[1]s"}`,
		`"code_verifier=x%[1]s"`, `["code_verifier=x%[1]s"]`, `{"code_verifier=x%[1]s":1}`, `{"cookies":{"sid":%s}}`,
	} {
		text := fmt.Sprintf(strings.ReplaceAll(strings.ReplaceAll(form, "%s", `"%[1]s"`), "x%[1]s", "%[1]s"), v)
		got, out, err := m.Document([]byte(text), time.Time{})
		if err != nil || !out.Changed || len(out.Detections) != 1 || bytes.Contains(got, []byte(v)) || !json.Valid(got) {
			t.Errorf("%s: %v, %s, %d detections", text, err, got, len(out.Detections))
			continue
		}
		if again, out, err := m.Document(got, time.Time{}); err != nil || out.Changed || !bytes.Equal(again, got) {
			t.Errorf("%s: a second run: %v, %s", got, err, again)
		}
	}
}

// Outside of what is masked every byte stays: spaces, escapes, numbers, order, names that
// come twice.
func TestDocumentsStayAsTheyAreWritten(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	form := "{ \"\\u0061\" : 1e3,\t\"a\":\"\\/\\u00e9<&>\\ud83d\\ude00\\ud800 code_verifier=%s \\u00e9\\/\\ud83d\\ude00é\",\n\"a\":12345678901234567890123,\"code\\u005fverifier\":\"%s\", \"z\":[ null , true ] } "
	text := strings.ReplaceAll(form, "%s", v)
	got, out, err := m.Document([]byte(text), time.Time{})
	if err != nil || len(out.Detections) != 2 {
		t.Fatalf("%v, %+v", err, out)
	}
	mask := "REDACTED.code_verifier." + m.worker.KeyID() + "." + out.Detections[0].Fingerprint
	if want := strings.ReplaceAll(form, "%s", mask); string(got) != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	if d := out.Detections[1].Where; d.Field != "value.code_verifier" || d.Start != 0 || d.End != len(v) || d.Signal != "" {
		t.Errorf("%+v", d)
	}
}

func TestDocumentsAndTheirClients(t *testing.T) {
	m := testMasker(t, nil)
	at := time.UnixMilli(1700000000123)
	_, out, err := m.Document([]byte(`{"client_id":"web-shop","body":{"code_verifier":"`+secret()+`"}}`), at)
	if err != nil || len(out.Detections) != 1 {
		t.Fatalf("%v, %+v", err, out)
	}
	if d := out.Detections[0]; d.Client.ID != "web-shop" || d.Client.How != event.SameRecord || !d.Time.Equal(at) || d.ID == "" {
		t.Errorf("%+v", d)
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	for _, text := range []string{
		"", " ", "code_verifier=" + v, `{"code_verifier":"` + v, `{"a":1}{"b":2}`, `{"a":1},`, `[1,]`, `{"a"}`, "{\"a\":\"\xff\"}", `]`,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat(`{"a":`, 1<<16), `"` + strings.Repeat("a", MaxPayload) + `"`,
	} {
		if got, _, err := m.Document([]byte(text), time.Time{}); !errors.Is(err, ErrDecode) || got != nil || strings.Contains(err.Error(), v) {
			t.Errorf("%.80q: %v, %.80q", text, err, got)
		}
	}
	deepest := strings.Repeat("[", maxDepth) + `"code_verifier=` + v + `"` + strings.Repeat("]", maxDepth)
	if got, out, err := m.Document([]byte(deepest), time.Time{}); err != nil || bytes.Contains(got, []byte(v)) || len(out.Withheld) > 0 {
		t.Errorf("%v, %s, %v", err, got, out.Withheld)
	}
}

func TestDocumentsAreDropped(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Pipeline.Policy = redact.Policy{rules.CodeVerifier: redact.ActionDropRecord} })
	_, out, err := m.Document([]byte(`{"code_verifier":"`+secret()+`"}`), time.Time{})
	if err != nil || !out.Emptied || out.Dropped != 1 || len(out.Detections) != 1 {
		t.Errorf("%v, %+v", err, out)
	}
}

// The time is linear in the size, whatever the form.
func TestLargeDocuments(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	for name, text := range map[string]string{
		"members":  `{` + strings.Repeat(`"a":"b",`, 300_000) + `"code_verifier":"` + v + `"}`,
		"elements": `["code_verifier=` + v + `"` + strings.Repeat(`,"b"`, 600_000) + `]`,
		"text":     `"code_verifier=` + v + ` ` + strings.Repeat(`\u0061`, 500_000) + `"`,
	} {
		got, out, err := m.Document([]byte(text), time.Time{})
		if err != nil || !out.Changed || bytes.Contains(got, []byte(v)) || len(got) < len(text) {
			t.Errorf("%s: %v, %d of %d bytes", name, err, len(got), len(text))
		}
	}
}

// Whatever JSON comes: what comes out is JSON of the same shape, numbers and all, and
// what has no finding stays byte for byte.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,"b",{"c":null}],"code_verifier":"@"}`, `["Bearer @"]`, `"\ud800\udc00 code_verifier=@\ud800"`, `{"a\u0000":"\"@\\"}`,
		`{"name":"refresh_token","value":"@"}`, `-0.1e+5`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := testMasker(t, nil)
		v := secret()
		in := bytes.ReplaceAll(text, []byte("@"), []byte(v))
		before := bytes.Clone(in)
		out, outcome, err := m.Document(in, time.Time{})
		if !bytes.Equal(before, in) {
			t.Fatal("the text itself was changed")
		}
		if err != nil {
			if !errors.Is(err, ErrDecode) {
				t.Fatal(err)
			}
			return
		}
		if !outcome.Changed && !bytes.Equal(out, in) {
			t.Fatalf("%q became %q", in, out)
		}
		var was, is any
		if json.Unmarshal(in, &was) != nil || json.Unmarshal(out, &is) != nil {
			t.Fatalf("no JSON: %q, %q", in, out)
		}
		if shapeOf(was) != shapeOf(is) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

// shapeOf is a value without its texts and names.
func shapeOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return fmt.Sprint(len(v) > 0) // names that come twice may become two
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(shapeOf(e) + ",")
		}
		return "[" + b.String() + "]"
	case string:
		return "text"
	}
	return fmt.Sprint(reflect.TypeOf(v), v)
}
