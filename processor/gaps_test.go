package leakveilprocessor

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/leakveil/leakveil/processor/internal/metadata"
)

// What contrib's redactionprocessor and transformprocessor and Alloy's loki.secretfilter do
// not do, by their own documents, code and issues, each as a test by its name: here what a
// component as a whole shows, in internal/otlp what texts and structures show.

// through sends one log record through a processor of its own and returns what came out.
func through(t *testing.T, cfg *Config, write func(l plog.LogRecord)) plog.LogRecord {
	t.Helper()
	next := new(consumertest.LogsSink)
	ld := plog.NewLogs()
	write(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	if err := running(t, processortest.NewNopSettings(metadata.Type), cfg, next).ConsumeLogs(context.Background(), ld); err != nil {
		t.Fatal(err)
	}
	return next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// defaults has the kinds that these tests plant: compiling all rules each time takes long.
func defaults() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Rules.Kinds = []string{"code_verifier", "client_secret", "access_token", "refresh_token", "authorization_code"}
	cfg.FingerprintKey.Value, cfg.FingerprintKey.ID = "0123456789abcdef0123456789abcdef", "k1"
	return cfg
}

// masked sends a body through and returns what became of it; a part of the value that is
// left is a failure.
func masked(t *testing.T, cfg *Config, value, body string) string {
	t.Helper()
	out := through(t, cfg, func(l plog.LogRecord) { l.Body().SetStr(body) }).Body().Str()
	for i := range len(value) - 7 {
		if strings.Contains(out, value[i:i+8]) {
			t.Fatalf("a part of the value is left in %s", out)
		}
	}
	if !strings.Contains(body, value) {
		t.Fatalf("nothing was planted in %s", body)
	}
	return out
}

// It returns the raw text when the obfuscator of a database's query fails.
func TestGapRedactionRawTextAfterAnError(t *testing.T) {
	cfg, v := small(), randomVerifier()
	cfg.Timeout = time.Nanosecond
	l := through(t, cfg, func(l plog.LogRecord) {
		l.Attributes().PutStr("db.query.text", "SELECT 'unclosed WHERE code_verifier='"+v)
	})
	if text := fmt.Sprint(l.Attributes().AsRaw()); strings.Contains(text, v) || !strings.Contains(text, `:{"leakveil":"withheld","reason":"timeout"`) {
		t.Errorf("%s", text)
	}
}

// Patterns are applied in the order of a map, and what comes out differs (contrib #49858,
// #41998).
func TestGapRedactionOneInputOneOutput(t *testing.T) {
	v, w := randomVerifier(), randomVerifier()
	first := ""
	for range 5 { // processors, each with its own maps
		out := masked(t, defaults(), v, "client_secret="+v+" code_verifier="+w+" access_token="+v)
		if first == "" {
			first = out
		}
		if out != first || strings.Contains(out, w) {
			t.Fatalf("%s, and before %s", out, first)
		}
	}
}

// Hashes without a key can be computed by everyone (contrib #45715).
func TestGapRedactionHashesHaveAKey(t *testing.T) {
	v := randomVerifier()
	out := masked(t, defaults(), v, "code_verifier="+v)
	md, s1, s2, s3 := md5.Sum([]byte(v)), sha1.Sum([]byte(v)), sha256.Sum256([]byte(v)), sha3.Sum256([]byte(v))
	for _, sum := range [][]byte{md[:], s1[:], s2[:], s3[:]} {
		for _, form := range []string{hex.EncodeToString(sum)[:16], base64.RawURLEncoding.EncodeToString(sum)[:16]} {
			if strings.Contains(out, form) {
				t.Errorf("a hash without a key: %s", out)
			}
		}
	}
	if again := masked(t, defaults(), v, "code_verifier="+v); again != out {
		t.Errorf("one key, two fingerprints: %s, %s", out, again)
	}
	other := defaults()
	other.FingerprintKey.Value, other.FingerprintKey.ID = "fedcba9876543210fedcba9876543210", "k1"
	if again := masked(t, other, v, "code_verifier="+v); again == out {
		t.Errorf("two keys, one fingerprint: %s", out)
	}
}

// The mask does not tell what it hides (contrib #50801), nor which key hashed it.
func TestGapRedactionMasksSayWhatTheyHide(t *testing.T) {
	v := randomVerifier()
	if out := masked(t, defaults(), v, "code_verifier="+v); !strings.HasPrefix(out, "code_verifier=REDACTED.code_verifier.k1.") {
		t.Errorf("%s", out)
	}
	if out := masked(t, defaults(), v, "client_secret="+v); !strings.HasPrefix(out, "client_secret=REDACTED.client_secret.k1.") {
		t.Errorf("%s", out)
	}
}

// Attributes of scopes (contrib #42659), names of spans (#43778), attributes of span events
// (#36633).
func TestGapRedactionPlacesOutsideOfAttributes(t *testing.T) {
	md, td := pmetric.NewMetrics(), ptrace.NewTraces()
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	a, b, c := randomVerifier(), randomVerifier(), randomVerifier()
	sm.Scope().Attributes().PutStr("code_verifier", a)
	sm.Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("GET /cb?code_verifier=" + b)
	s.Events().AppendEmpty().Attributes().PutStr("exception.message", "code_verifier="+c+" is wrong")
	f, set := NewFactory(), processortest.NewNopSettings(metadata.Type)
	m, err := f.CreateMetrics(context.Background(), set, small(), consumertest.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	tr, err := f.CreateTraces(context.Background(), set, small(), consumertest.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []component.Component{m, tr} {
		if err := p.Start(context.Background(), componenttest.NewNopHost()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Shutdown(context.Background()) }()
	}
	if err := m.ConsumeMetrics(context.Background(), md); err != nil {
		t.Error(err)
	}
	if err := tr.ConsumeTraces(context.Background(), td); err != nil {
		t.Error(err)
	}
	raw, _ := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	more, _ := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	for _, v := range []string{a, b, c} {
		if bytes.Contains(raw, []byte(v)) || bytes.Contains(more, []byte(v)) {
			t.Errorf("%s\n%s", raw, more)
		}
	}
}

// Values in base64, percent-encoding, character references and escapes; the mask is
// written inside the encoding.
func TestGapRedactionEncodedForms(t *testing.T) {
	for name, encode := range map[string]func(text string) string{
		"base64": func(text string) string {
			return "payload=" + base64.StdEncoding.EncodeToString([]byte(`{"a":1,`+text+`,"b":2}`))
		},
		"percent":    func(text string) string { return "next=" + url.QueryEscape("/cb?"+text) },
		"references": func(text string) string { return strings.ReplaceAll("<a "+text+">", `"`, "&quot;") },
		"escapes":    func(text string) string { return strings.ReplaceAll(`{"m":"`+text+`"}`, `"code`, `\u0022code`) },
	} {
		t.Run(name, func(t *testing.T) {
			v := randomVerifier()
			out := through(t, defaults(), func(l plog.LogRecord) { l.Body().SetStr(encode(`"code_verifier":"` + v + `"`)) }).Body().Str()
			decoded := out
			if name == "base64" {
				blob, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(out, "payload="))
				if err != nil || !json.Valid(blob) {
					t.Fatalf("the blob is none any more: %v, %s", err, out)
				}
				decoded = string(blob)
			}
			if strings.Contains(decoded, v[4:]) || !strings.Contains(decoded, "REDACTED.code_verifier.k1.") {
				t.Errorf("%s", decoded)
			}
		})
	}
}

// A pattern that hides random texts hides ids as well (traceAI #195, langwatch #8092).
func TestGapRedactionIDsStay(t *testing.T) {
	body := `trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7 user 3fa85f64-5717-4562-b3fc-2c963f66afa6 ` +
		`state=af0ifjsldkjaf0ifjsldkjaf0ifjsldkj nonce=n-0S6_WzA2Mjn-0S6_WzA2Mj code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbQjBQ1uE_cM code_challenge_method=S256 ` +
		`kid=2011-04-29-aaaaaaaaaaaaaaaa etag="33a64df551425fcc55e4d42a148795d9f25f89d4" code=404 error_code=AADSTS70008`
	l := through(t, createDefaultConfig().(*Config), func(l plog.LogRecord) {
		l.SetTraceID(pcommon.TraceID{1, 2, 3})
		l.Body().SetStr(body)
		l.Attributes().PutStr("session.id", "00112233445566778899aabbccddeeff")
	})
	id, _ := l.Attributes().Get("session.id")
	if l.Body().Str() != body || l.TraceID() != (pcommon.TraceID{1, 2, 3}) || id.Str() != "00112233445566778899aabbccddeeff" {
		t.Errorf("%s %v %s", l.Body().Str(), l.TraceID(), id.Str())
	}
}

// A record of many lines is one text.
func TestGapRedactionManyLines(t *testing.T) {
	v := randomVerifier()
	masked(t, defaults(), v, "POST /token HTTP/1.1\r\nHost: idp\r\n\r\ngrant_type=authorization_code\r\n&code_verifier="+v+"\nnext line")
	masked(t, defaults(), v, "{\n  \"code_verifier\" :\n    \""+v+"\"\n}")
}

// replace_all_patterns looks at a map's own texts, not at maps and lists in it.
func TestGapTransformNestedMaps(t *testing.T) {
	v := randomVerifier()
	l := through(t, defaults(), func(l plog.LogRecord) {
		m := l.Attributes()
		for i := range 5 {
			m = m.PutEmptySlice(fmt.Sprint("level", i)).AppendEmpty().SetEmptyMap()
		}
		m.PutStr("note", "sent code_verifier="+v)
	})
	if text := fmt.Sprint(l.Attributes().AsRaw()); strings.Contains(text, v) || !strings.Contains(text, "REDACTED.code_verifier") {
		t.Error(text)
	}
}

// error_mode: ignore, the default, goes on with the data as it is.
func TestGapTransformErrorModeIgnore(t *testing.T) {
	if c := createDefaultConfig().(*Config); c.OnError != OnErrorMaskField {
		t.Errorf("by default: %s", c.OnError)
	}
	for _, mode := range []OnError{"ignore", "propagate", "silent", ""} {
		c := small()
		c.OnError = mode
		if c.Validate() == nil {
			t.Errorf("%q: taken", mode)
		}
	}
	TestOnError(t)
}

// Statements name their contexts and fields, and texts that nobody thought of pass.
func TestGapTransformNoPlaceHasToBeNamed(t *testing.T) {
	v := randomVerifier()
	l := through(t, defaults(), func(l plog.LogRecord) {
		l.Attributes().PutEmptyMap("a.name.that.nobody.expects").PutStr("codeVerifier", v)
		l.SetEventName("x code_verifier=" + v)
	})
	if text := fmt.Sprint(l.Attributes().AsRaw(), l.EventName()); strings.Contains(text, v) {
		t.Error(text)
	}
}

// It forwards what timed out, by default.
func TestGapSecretfilterTimeout(t *testing.T) {
	cfg, v := small(), randomVerifier()
	cfg.Timeout = time.Nanosecond
	if out := masked(t, cfg, v, "code_verifier="+v); !strings.HasPrefix(out, `{"leakveil":"withheld"`) {
		t.Error(out)
	}
}

// It can be told to look at a sample of the lines, and forwards the others as they are.
func TestGapSecretfilterEveryRecordIsScanned(t *testing.T) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	var values []string
	for range 5000 {
		values = append(values, randomVerifier())
		records.AppendEmpty().Body().SetStr("code_verifier=" + values[len(values)-1])
	}
	next := new(consumertest.LogsSink)
	if err := running(t, processortest.NewNopSettings(metadata.Type), small(), next).ConsumeLogs(context.Background(), ld); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if body := records.At(i).Body().Str(); strings.Contains(body, v[4:]) || !strings.HasPrefix(body, "code_verifier=REDACTED.") {
			t.Fatalf("record %d: %s", i, body)
		}
	}
}

// It replaces text in a line, whatever the line was.
func TestGapSecretfilterJSONStaysJSON(t *testing.T) {
	v := randomVerifier()
	out := masked(t, defaults(), v, `{"n":1.50,"client_secret":"`+v+`","b":"{\"code_verifier\":\"`+v+`\"}","z":[null,true]}`)
	var got struct {
		N json.Number
		B string
		Z []any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.N != "1.50" || !json.Valid([]byte(got.B)) || len(got.Z) != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

// The generic rule is off by default, since it hides too much (alloy #1877): tokens without a
// prefix pass.
func TestGapSecretfilterTokensWithoutAPrefix(t *testing.T) {
	v := randomVerifier()
	masked(t, defaults(), v, "refresh_token="+v+" Authorization: Bearer "+v+" GET /cb?code="+v+"&state=x, access token is "+v)
}

// Its engine has state that all instances share (alloy #5663).
func TestGapSecretfilterInstancesAreApart(t *testing.T) {
	v, none := randomVerifier(), small()
	none.Rules.Kinds = []string{"saml_assertion"}
	next, other := new(consumertest.LogsSink), new(consumertest.LogsSink)
	a := running(t, processortest.NewNopSettings(metadata.Type), small(), next)
	b := running(t, processortest.NewNopSettings(metadata.Type), none, other)
	for range 3 {
		if a.ConsumeLogs(context.Background(), oneLog("code_verifier="+v)) != nil || b.ConsumeLogs(context.Background(), oneLog("code_verifier="+v)) != nil {
			t.Fatal("refused")
		}
	}
	body := func(s *consumertest.LogsSink, i int) string {
		return s.AllLogs()[i].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
	}
	for i := range 3 {
		if strings.Contains(body(next, i), v) || body(other, i) != "code_verifier="+v {
			t.Errorf("%s, %s", body(next, i), body(other, i))
		}
	}
}

// Its live view shows lines as they were; a bearer token stood in an error (contrib #46200).
func TestGapSecretfilterOwnOutputs(t *testing.T) {
	core, logged := observer.New(zapcore.DebugLevel)
	tel := componenttest.NewTelemetry()
	defer func() { _ = tel.Shutdown(context.Background()) }()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	v := randomVerifier()
	for _, on := range []OnError{OnErrorMaskField, OnErrorRejectRequest} {
		cfg := small()
		cfg.OnError = on
		for _, timeout := range []time.Duration{time.Nanosecond, time.Minute} {
			cfg.Timeout = timeout
			if err := running(t, set, cfg, new(consumertest.LogsSink)).ConsumeLogs(context.Background(), oneLog("code_verifier="+v)); err != nil && strings.Contains(err.Error(), v[:8]) {
				t.Errorf("%v", err)
			}
		}
	}
	if logged.Len() == 0 {
		t.Error("nothing was logged")
	}
	for _, entry := range logged.All() {
		if text := fmt.Sprint(entry.Message, entry.ContextMap()); strings.Contains(text, v[:8]) || strings.Contains(text, v[20:]) {
			t.Errorf("%s", text)
		}
	}
	if n := counters(t, tel); n["findings"] != 2 || n["withheld"] != 1 || n["refused"] != 1 { // what happened is counted
		t.Errorf("%v", n)
	}
}
