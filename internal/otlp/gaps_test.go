package otlp

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// What other components miss by their own documents and code: contrib's
// redactionprocessor and transformprocessor, and Alloy's loki.secretfilter. Each is a
// test by its name.

// maskedLog masks one log record and returns it, and fails when one of the secrets is left.
func maskedLog(t *testing.T, write func(l plog.LogRecord, v string)) plog.LogRecord {
	t.Helper()
	ld := plog.NewLogs()
	l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	v := secret()
	write(l, v)
	out, err := testMasker(t, nil).Logs(ld)
	raw := bytesOr(err, func() ([]byte, error) { return (&plog.JSONMarshaler{}).MarshalLogs(ld) })
	if bytes.Contains(raw, []byte(v[:14])) || bytes.Contains(raw, []byte(v[24:])) || !out.Changed {
		t.Errorf("not masked: %s", raw)
	}
	return l
}

func jwtOf(t *testing.T) string {
	t.Helper()
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	var sig [32]byte
	_, _ = rand.Read(sig[:])
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"sub":"1","iat":1700000000}`) + "." + base64.RawURLEncoding.EncodeToString(sig[:])
}

func TestGapRedactionJSONInsideAStringBody(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) {
		l.Body().SetStr(`{"a":{"b":"{\"code_verifier\":\"` + v + `\",\"n\":1}"}}`)
	})
	var outer struct{ A struct{ B string } }
	var inner map[string]any
	if json.Unmarshal([]byte(l.Body().Str()), &outer) != nil || json.Unmarshal([]byte(outer.A.B), &inner) != nil || inner["n"] != 1.0 {
		t.Errorf("it is no JSON any more: %s", l.Body().Str())
	}
}

func TestGapRedactionBytesBody(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) { l.Body().SetEmptyBytes().FromRaw([]byte("code_verifier=" + v)) })
	if l.Body().Type() != pcommon.ValueTypeBytes {
		t.Errorf("the body is %s", l.Body().Type())
	}
}

func TestGapRedactionMapsAndSlicesKeepTheirStructure(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) {
		m := l.Attributes().PutEmptyMap("request")
		m.PutInt("size", 7)
		s := m.PutEmptySlice("access_tokens")
		s.AppendEmpty().SetBool(true)
		s.AppendEmpty().SetEmptyMap().PutStr("access_token", v)
	})
	v, _ := l.Attributes().Get("request")
	s, _ := v.Map().Get("access_tokens")
	if v.Type() != pcommon.ValueTypeMap || s.Type() != pcommon.ValueTypeSlice || s.Slice().At(0).Type() != pcommon.ValueTypeBool {
		t.Errorf("the structure is gone: %v", v.AsRaw())
	}
}

func TestGapRedactionAttributeKeys(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) {
		l.Attributes().PutStr("a", "1")
		l.Attributes().PutInt("token "+"code_verifier="+v, 2)
		l.Attributes().PutStr("z", "3")
	})
	var names []string
	for name := range l.Attributes().All() {
		names = append(names, name)
	}
	if len(names) != 3 || names[0] != "a" || names[2] != "z" || !strings.Contains(names[1], "REDACTED.") {
		t.Errorf("names: %q", names)
	}
}

func TestGapRedactionSeverityTextAndEventName(t *testing.T) {
	maskedLog(t, func(l plog.LogRecord, v string) { l.SetSeverityText("code_verifier=" + v) })
	maskedLog(t, func(l plog.LogRecord, v string) { l.SetEventName("code_verifier=" + v) })
}

func TestGapRedactionNameValuePairs(t *testing.T) {
	maskedLog(t, func(l plog.LogRecord, v string) {
		m := l.Body().SetEmptySlice().AppendEmpty().SetEmptyMap()
		m.PutStr("name", "client_secret")
		m.PutStr("value", v)
	})
}

// One value that is no secret does not switch masking off for the text around it.
func TestGapRedactionAnAllowedValueInTheSameText(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) {
		l.Body().SetStr("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbQjBQ1uE_cM&code_challenge_method=S256 access_token=null code_verifier=" + v)
	})
	if !strings.Contains(l.Body().Str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbQjBQ1uE_cM") {
		t.Errorf("the challenge is gone: %s", l.Body().Str())
	}
}

func TestGapRedactionSpanLinksStatusAndEventNames(t *testing.T) {
	for name, write := range map[string]func(s ptrace.Span, v string){
		"link":        func(s ptrace.Span, v string) { s.Links().AppendEmpty().Attributes().PutStr("access_token", v) },
		"link state":  func(s ptrace.Span, v string) { s.Links().AppendEmpty().TraceState().FromRaw("v=code_verifier=" + v) },
		"trace state": func(s ptrace.Span, v string) { s.TraceState().FromRaw("v=access_token=" + v) },
		"status":      func(s ptrace.Span, v string) { s.Status().SetMessage("401: code_verifier=" + v) },
		"event":       func(s ptrace.Span, v string) { s.Events().AppendEmpty().SetName("sent code_verifier=" + v) },
	} {
		td := ptrace.NewTraces()
		v := secret()
		write(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty(), v)
		_, err := testMasker(t, nil).Traces(td)
		if raw := bytesOr(err, func() ([]byte, error) { return (&ptrace.ProtoMarshaler{}).MarshalTraces(td) }); err != nil || bytes.Contains(raw, []byte(v[:14])) {
			t.Errorf("%s: %v, %q", name, err, raw)
		}
	}
}

func TestGapRedactionExemplars(t *testing.T) {
	md := pmetric.NewMetrics()
	p := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	v := secret()
	p.Exemplars().AppendEmpty().FilteredAttributes().PutStr("url", "/cb?code_verifier="+v)
	_, err := testMasker(t, nil).Metrics(md)
	if raw := bytesOr(err, func() ([]byte, error) { return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md) }); err != nil || bytes.Contains(raw, []byte(v[:14])) {
		t.Errorf("%v, %q", err, raw)
	}
}

func TestGapRedactionOAuthCodesInURLs(t *testing.T) {
	for _, name := range []string{"url.full", "url.query", "http.url", "http.target", "http.request.header.referer"} {
		maskedLog(t, func(l plog.LogRecord, v string) {
			l.Attributes().PutStr(name, "https://app.example/cb?state=af0ifjsldkj&code="+v+"&session_state=1")
		})
	}
}

// Arrays, numbers and objects behind a secret's name.
func TestGapTransformTypesBehindASecretsName(t *testing.T) {
	l := maskedLog(t, func(l plog.LogRecord, v string) {
		s := l.Attributes().PutEmptySlice("refresh_token")
		s.AppendEmpty().SetStr(v)
		s.AppendEmpty().SetInt(17)
		s.AppendEmpty().SetEmptyMap().PutStr("value", v)
	})
	v, _ := l.Attributes().Get("refresh_token")
	if v.Slice().Len() != 3 || v.Slice().At(1).Int() != 17 {
		t.Errorf("%v", v.AsRaw())
	}
}

// error_mode: ignore, the default, goes on with the data as it is.
func TestGapTransformErrorsNeverPassAText(t *testing.T) { TestWhatCannotBeScannedIsWithheld(t) }

// A JWT before what is no quote, blank or line end.
func TestGapSecretfilterJWTBeforeAnyByte(t *testing.T) {
	for _, end := range []string{"&state=1", ")", "}", "]", ",", ";", "'", ">", "", " x", `\n`, "%26x"} {
		token := jwtOf(t)
		l := maskedLog(t, func(l plog.LogRecord, v string) { l.Body().SetStr("code_verifier=" + v + " (id " + token + end) })
		if strings.Contains(l.Body().Str(), token[20:60]) {
			t.Errorf("before %q: %s", end, l.Body().Str())
		}
	}
}

// It "doesn't scan labels or other metadata".
func TestGapSecretfilterMetadata(t *testing.T) {
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	a, b := secret(), secret()
	r.Resource().Attributes().PutStr("callback", "/cb?code_verifier="+a)
	r.ScopeLogs().AppendEmpty().Scope().Attributes().PutStr("access_token", b)
	if _, err := testMasker(t, nil).Logs(ld); err != nil {
		t.Fatal(err)
	}
	raw, _ := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if bytes.Contains(raw, []byte(a)) || bytes.Contains(raw, []byte(b)) {
		t.Errorf("%q", raw)
	}
}

// It leaves the first 20 % of a secret readable.
func TestGapSecretfilterNoPartStaysReadable(t *testing.T) {
	var v string
	l := maskedLog(t, func(l plog.LogRecord, s string) { v = s; l.Body().SetStr("code_verifier=" + s) })
	for i := range len(v) - 5 {
		if strings.Contains(l.Body().Str()[len("code_verifier=REDACTED.code_verifier."):], v[i:i+6]) {
			t.Errorf("%q is left", v[i:i+6])
		}
	}
}

func TestGapSecretfilterFormsItMisses(t *testing.T) {
	for name, write := range map[string]func(v string) string{
		"ruby":         func(v string) string { return `Parameters: {"code_verifier"=>"` + v + `"}` },
		"java":         func(v string) string { return "{grant_type=[authorization_code], code_verifier=[" + v + "]}" },
		"escaped JSON": func(v string) string { return `"{\\\"code_verifier\\\":\\\"` + v + `\\\"}"` },
		"nested URL": func(v string) string {
			return "/login?next=" + url.QueryEscape("/cb?x="+url.QueryEscape("code_verifier="+v))
		},
		"form body":    func(v string) string { return "grant_type=authorization_code&code_verifier=" + v },
		"percent key":  func(v string) string { return "/cb?code%5Fverifier=" + v },
		"header dump":  func(v string) string { return `PUT /p HTTP/1.1\r\nAuthorization: Bearer ` + v + `\r\n` },
		"query of one": func(v string) string { return "GET /cb?code=" + v + "&state=x HTTP/1.1" },
		"basic": func(v string) string {
			return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("web:"+v))
		},
		"object's code": func(v string) string { return `{"code":"` + v + `","redirect_uri":"https://a.example/cb"}` },
	} {
		t.Run(name, func(t *testing.T) {
			maskedLog(t, func(l plog.LogRecord, v string) { l.Body().SetStr(write(v)) })
		})
	}
}

// plain is framed for names that need no work: where it says so, both frame alike.
func TestPlainNamesFrameAsTheyAre(t *testing.T) {
	for _, last := range []string{
		"value", "val", "v", "payload", "content", "data", "text", "string", "stringvalue", "string_value", "values", "rawvalue", "bytesvalue", "current", "defaultvalue",
		"Value", "stringValue", "Payload", "id", "uid", "name", "token", "code", "0", "x]", `"`,
	} {
		for _, name := range []string{last, "access_token." + last, "access_token_" + last} {
			if plain(name) && framed(name, "") != name {
				t.Errorf("%s stands behind %q, and counts as plain", name, framed(name, ""))
			}
		}
	}
	for name := range identifiers {
		if plain(name) && framed(name, "") != name {
			t.Errorf("%s stands behind %q, and counts as plain", name, framed(name, ""))
		}
	}
}
