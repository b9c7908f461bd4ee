package otlp

import (
	"bytes"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// What is found in the text of a document is found in its structure.
func TestStructureSaysWhatItsTextSays(t *testing.T) {
	m := testMasker(t, nil)
	long := strings.Repeat("abcdefgh.", 16)
	for _, form := range []string{
		`{"x":[{"id":"code_verifier","val":"@"}]}`, `{"x":[{"n":"code_verifier","v":"@"}]}`, `{"x":[{"NAME":"code_verifier","VALUE":"@"}]}`,
		`{"x":[{"label":"code_verifier","text":"@"}]}`, `{"x":[{"property":"client_secret","value":"@"}]}`,
		`{"x":[{"type":"access_token","value":"@"}]}`, `{"type":"refresh_token","value":"@"}`, `{"key":"code_verifier","value":"@"}`,
		`{"name":"code_verifier","value":"@"}`, `{"value":"@","name":"code_verifier"}`, `{"Key":"client_secret","Value":"@"}`,
		`{"code_verifier":{"#text":"@"}}`, `{"code_verifier":{"$t":"@"}}`, `{"code_verifier":{"raw":"@"}}`, `{"code_verifier":{"S":"@"}}`,
		`{"code_verifier":{"type":"string","value":"@"}}`, `{"code_verifier":{"id":"my-verifier","value":"@"}}`, `{"code":{"type":"string","value":"@"}}`,
		`{"` + long + `code_verifier":["@"]}`, `{"` + long + `code_verifier":{"value":"@"}}`, `{"a":{"` + long + `code_verifier":"@"}}`,
	} {
		v := secret()
		d, err := parse([]byte(strings.ReplaceAll(form, "@", v)))
		if err != nil {
			t.Fatal(err)
		}
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		d.value.Map().CopyTo(records.AppendEmpty().Attributes())
		d.value.CopyTo(records.AppendEmpty().Body())
		records.AppendEmpty().Body().SetStr(strings.ReplaceAll(form, "@", v))
		_, err = m.Logs(ld)
		for i, where := range []string{"attributes", "body", "text"} {
			one := plog.NewLogs()
			records.At(i).CopyTo(one.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
			raw, failed := (&plog.ProtoMarshaler{}).MarshalLogs(one)
			if err != nil || failed != nil || bytes.Contains(raw, []byte(v[2:14])) || !bytes.Contains(raw, []byte("REDACTED.")) {
				t.Errorf("%s of %.60s: %v %v", where, form, err, failed)
			}
		}
	}
}

// Pairs of other things stay.
func TestPairsOfOtherThings(t *testing.T) {
	m := testMasker(t, nil)
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, text := range []string{
		`{"id":"7","value":"d290f1ee-6c54-4b01-90e6-d288748bca69"}`, `{"type":"token_type","value":"Bearer"}`, `{"type":"grant_type","value":"authorization_code"}`,
		`{"key":"user_name","value":"Alice"}`, `{"label":"code_challenge_method","text":"S256"}`, `{"type":"client_id","value":"web-shop"}`,
		`{"msg":{"raw":"user logged in","#text":"hello"}}`, `{"value":"42"}`, `{"id":"session_count","value":"12"}`, `{"type":"error_code","value":"invalid_grant"}`,
	} {
		d, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d.value.Map().CopyTo(records.AppendEmpty().Attributes())
		d.value.CopyTo(records.AppendEmpty().Body())
	}
	ld.MarkReadOnly()
	if out, err := m.Logs(ld); err != nil || out.Changed {
		t.Errorf("%v %+v", err, out)
	}
}

// A record that the policy drops does not hide the client that the one behind it names.
func TestClientsBehindDroppedRecords(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Pipeline.Policy = redact.Policy{rules.CodeVerifier: redact.ActionDropRecord} })
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, text := range []string{"code_verifier=" + secret(), "client_id=web-shop asks"} {
		l := records.AppendEmpty()
		l.SetTraceID(pcommon.TraceID{1})
		l.Body().SetStr(text)
	}
	out, err := m.Logs(ld)
	if err != nil || records.Len() != 1 || len(out.Detections) != 1 || out.Detections[0].Client.ID != "web-shop" {
		t.Errorf("%v: %d records, %+v", err, records.Len(), out.Detections)
	}
}
