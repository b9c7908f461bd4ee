package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// texts are the forms in which a text holds a secret.
var textForms = map[string]func(v string) string{
	"query":        func(v string) string { return "GET /cb?code_verifier=" + v + "&state=af0ifjsldkj HTTP/1.1" },
	"json":         func(v string) string { return `{"grant":"x","code_verifier":"` + v + `","n":1}` },
	"json in json": func(v string) string { return `{"body":"{\"code_verifier\":\"` + v + `\"}"}` },
	"form":         func(v string) string { return "grant_type=authorization_code&code_verifier=" + v },
	"bearer":       func(v string) string { return "upstream said 401, Authorization: Bearer " + v + " was refused" },
	"graphql":      func(v string) string { return `mutation { exchange(codeVerifier: "` + v + `", n: 3) { ok } }` },
	"percent":      func(v string) string { return "next=%2Fcb%3Fcode_verifier%3D" + v + "%26state%3D1" },
	"sentence":     func(v string) string { return "code verifier is " + v },
	"stack trace": func(v string) string {
		return "java.lang.X: boom\n\tat a.b(C.java:1)\nCaused by: code_verifier=" + v + "\n\tat d.e(F.java:2)"
	},
	"sql": func(v string) string { return "UPDATE t SET code_verifier = '" + v + "' WHERE id = 7" },
	"base64": func(v string) string {
		return "payload=" + base64.StdEncoding.EncodeToString([]byte(`{"a":1,"code_verifier":"`+v+`"}`))
	},
	"several lines":  func(v string) string { return "POST /token HTTP/1.1\r\nHost: idp\r\n\r\ncode_verifier=" + v },
	"name of a pair": func(v string) string { return `[{"name":"code_verifier","value":"` + v + `"}]` },
}

// structures are the forms in which a map holds a secret.
var structures = map[string]func(m pcommon.Map, v string){
	"member":         func(m pcommon.Map, v string) { m.PutStr("code_verifier", v) },
	"other spelling": func(m pcommon.Map, v string) { m.PutStr("oauth.request.codeVerifier", v) },
	"header": func(m pcommon.Map, v string) {
		m.PutEmptySlice("http.request.header.authorization").AppendEmpty().SetStr("Bearer " + v)
	},
	"header as text": func(m pcommon.Map, v string) { m.PutStr("http.request.header.authorization", "Bearer "+v) },
	"bare header value": func(m pcommon.Map, v string) {
		m.PutEmptySlice("http.request.header.x-access-token").AppendEmpty().SetStr(v)
	},
	"cookie": func(m pcommon.Map, v string) {
		m.PutEmptySlice("http.request.header.cookie").AppendEmpty().SetStr("theme=dark; access_token=" + v)
	},
	"url.full":    func(m pcommon.Map, v string) { m.PutStr("url.full", "https://app.example/cb?code_verifier="+v+"#x") },
	"url.query":   func(m pcommon.Map, v string) { m.PutStr("url.query", "state=1&code_verifier="+v) },
	"http.target": func(m pcommon.Map, v string) { m.PutStr("http.target", "/cb?code_verifier="+v) },
	"db.query.text": func(m pcommon.Map, v string) {
		m.PutStr("db.query.text", "insert into s (code_verifier) values ('"+v+"')")
	},
	"rpc": func(m pcommon.Map, v string) {
		m.PutEmptySlice("rpc.grpc.request.metadata.authorization").AppendEmpty().SetStr("Bearer " + v)
	},
	"messaging": func(m pcommon.Map, v string) { m.PutStr("messaging.header.access_token", v) },
	"bytes":     func(m pcommon.Map, v string) { m.PutEmptyBytes("code_verifier").FromRaw([]byte(v)) },
	"bytes of text": func(m pcommon.Map, v string) {
		m.PutEmptyBytes("payload").FromRaw([]byte(`{"code_verifier":"` + v + `"}`))
	},
	"value": func(m pcommon.Map, v string) { m.PutEmptyMap("code_verifier").PutStr("value", v) },
	"value in value": func(m pcommon.Map, v string) {
		m.PutEmptyMap("code_verifier").PutEmptyMap("value").PutStr("stringValue", v)
	},
	"dotted value":   func(m pcommon.Map, v string) { m.PutStr("code_verifier.value", v) },
	"dotted payload": func(m pcommon.Map, v string) { m.PutStr("code_verifier.payload", v) },
	"index":          func(m pcommon.Map, v string) { m.PutStr("code_verifier.0", v) },
	"list": func(m pcommon.Map, v string) {
		s := m.PutEmptySlice("code_verifier")
		s.AppendEmpty().SetInt(3)
		s.AppendEmpty().SetStr(v)
	},
	"name and value": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("params").AppendEmpty().SetEmptyMap()
		p.PutStr("name", "code_verifier")
		p.PutStr("value", v)
	},
	"value before name": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("params").AppendEmpty().SetEmptyMap()
		p.PutStr("value", v)
		p.PutStr("key", "code_verifier")
	},
	"name and values": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("params").AppendEmpty().SetEmptyMap()
		p.PutStr("key", "authorization")
		p.PutEmptySlice("value").AppendEmpty().SetStr("Bearer " + v)
	},
	"pairs": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("query").AppendEmpty().SetEmptySlice()
		p.AppendEmpty().SetStr("code_verifier")
		p.AppendEmpty().SetStr(v)
	},
	"pair with a list": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("headers").AppendEmpty().SetEmptySlice()
		p.AppendEmpty().SetStr("x-access-token")
		p.AppendEmpty().SetEmptySlice().AppendEmpty().SetStr(v)
	},
	"flat list": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("raw_headers")
		for _, s := range []string{"Host", "app.example", "access_token", v, "Accept", "*/*"} {
			p.AppendEmpty().SetStr(s)
		}
	},
	"arguments": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("process.command_args")
		for _, s := range []string{"login", "--access-token", v, "--verbose"} {
			p.AppendEmpty().SetStr(s)
		}
	},
	"secret in a named object": func(m pcommon.Map, v string) {
		p := m.PutEmptyMap("client_secret")
		p.PutStr("name", "prod")
		p.PutStr("value", v)
	},
	"cookies": func(m pcommon.Map, v string) {
		p := m.PutEmptyMap("cookies")
		p.PutStr("theme", "dark")
		p.PutStr("sid", v)
	},
	"cookies with values": func(m pcommon.Map, v string) {
		p := m.PutEmptyMap("request").PutEmptyMap("cookies").PutEmptyMap("sid")
		p.PutStr("value", v)
		p.PutStr("path", "/")
	},
	"list of cookies": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("Cookies").AppendEmpty().SetEmptyMap()
		p.PutStr("name", "sid")
		p.PutStr("value", v)
		p.PutStr("domain", "app.example")
	},
	"pairs of cookies": func(m pcommon.Map, v string) {
		p := m.PutEmptySlice("req.cookies").AppendEmpty().SetEmptySlice()
		p.AppendEmpty().SetStr("sid")
		p.AppendEmpty().SetStr(v)
	},
	"deep": func(m pcommon.Map, v string) {
		for range 20 {
			m = m.PutEmptySlice("a").AppendEmpty().SetEmptyMap()
		}
		m.PutStr("code_verifier", v)
	},
	"name":              func(m pcommon.Map, v string) { m.PutInt("/cb?code_verifier="+v, 1) },
	"name of a string":  func(m pcommon.Map, v string) { m.PutStr("code_verifier="+v, "x") },
	"name of a member":  func(m pcommon.Map, v string) { m.PutEmptyMap("seen").PutBool(`{"code_verifier":"`+v+`"}`, true) },
	"quoted name":       func(m pcommon.Map, v string) { m.PutStr(`"code_verifier"`, v) },
	"name with a blank": func(m pcommon.Map, v string) { m.PutStr("Code Verifier", v) },
	"quote in it":       func(m pcommon.Map, v string) { m.PutStr("client_secret", v[:20]+`"`+v[20:]) },
}

// texts calls fn for each text of a request: what it is called, and how it is set.
type plant struct {
	name string
	set  func(text string)
}

func logPlaces(ld plog.Logs) (texts []plant, maps map[string]pcommon.Map) {
	r := ld.ResourceLogs().AppendEmpty()
	s := r.ScopeLogs().AppendEmpty()
	s.LogRecords().AppendEmpty().Body().SetStr("another record")
	l := s.LogRecords().AppendEmpty()
	l.SetTimestamp(1)
	ref := entity.ResourceEntityRefs(r.Resource()).AppendEmpty()
	return []plant{
			{"body", l.Body().SetStr},
			{"body bytes", func(t string) { l.Body().SetEmptyBytes().FromRaw([]byte(t)) }},
			{"body list", func(t string) { l.Body().SetEmptySlice().AppendEmpty().SetStr(t) }},
			{"severity", l.SetSeverityText}, {"event name", l.SetEventName},
			{"scope name", s.Scope().SetName}, {"scope version", s.Scope().SetVersion},
			{"scope schema", s.SetSchemaUrl}, {"resource schema", r.SetSchemaUrl},
			{"entity type", ref.SetType}, {"entity schema", ref.SetSchemaUrl},
			{"entity id keys", func(t string) { ref.IdKeys().Append("a", t) }},
			{"entity description keys", func(t string) { ref.DescriptionKeys().Append(t) }},
			{"attribute", func(t string) { l.Attributes().PutStr("log.record.original", t) }},
			{"exception", func(t string) { l.Attributes().PutStr("exception.stacktrace", t) }},
		}, map[string]pcommon.Map{
			"attributes": l.Attributes(), "resource": r.Resource().Attributes(), "scope": s.Scope().Attributes(),
		}
}

func spanPlaces(td ptrace.Traces) (texts []plant, maps map[string]pcommon.Map) {
	r := td.ResourceSpans().AppendEmpty()
	ss := r.ScopeSpans().AppendEmpty()
	ss.Spans().AppendEmpty().SetName("another")
	s := ss.Spans().AppendEmpty()
	e := s.Events().AppendEmpty()
	k := s.Links().AppendEmpty()
	return []plant{
			{"name", s.SetName}, {"status", s.Status().SetMessage}, {"state", s.TraceState().FromRaw},
			{"event", e.SetName}, {"link state", k.TraceState().FromRaw},
			{"scope name", ss.Scope().SetName}, {"scope version", ss.Scope().SetVersion},
			{"scope schema", ss.SetSchemaUrl}, {"resource schema", r.SetSchemaUrl},
			{"exception message", func(t string) { e.Attributes().PutStr("exception.message", t) }},
		}, map[string]pcommon.Map{
			"attributes": s.Attributes(), "resource": r.Resource().Attributes(), "scope": ss.Scope().Attributes(),
			"event": e.Attributes(), "link": k.Attributes(),
		}
}

func metricPlaces(md pmetric.Metrics) (texts []plant, maps map[string]pcommon.Map) {
	r := md.ResourceMetrics().AppendEmpty()
	s := r.ScopeMetrics().AppendEmpty()
	s.Metrics().AppendEmpty().SetName("another")
	add := func() pmetric.Metric { return s.Metrics().AppendEmpty() }
	gauge := add()
	g := gauge.SetEmptyGauge().DataPoints().AppendEmpty()
	sum := add().SetEmptySum().DataPoints().AppendEmpty()
	histogram := add().SetEmptyHistogram().DataPoints().AppendEmpty()
	exponential := add().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	summary := add().SetEmptySummary().DataPoints().AppendEmpty()
	return []plant{
			{"name", gauge.SetName}, {"description", gauge.SetDescription}, {"unit", gauge.SetUnit},
			{"scope name", s.Scope().SetName}, {"scope schema", s.SetSchemaUrl}, {"resource schema", r.SetSchemaUrl},
		}, map[string]pcommon.Map{
			"gauge": g.Attributes(), "sum": sum.Attributes(), "histogram": histogram.Attributes(),
			"exponential": exponential.Attributes(), "summary": summary.Attributes(), "metadata": gauge.Metadata(),
			"gauge exemplar": g.Exemplars().AppendEmpty().FilteredAttributes(), "sum exemplar": sum.Exemplars().AppendEmpty().FilteredAttributes(),
			"histogram exemplar":   histogram.Exemplars().AppendEmpty().FilteredAttributes(),
			"exponential exemplar": exponential.Exemplars().AppendEmpty().FilteredAttributes(),
			"resource":             r.Resource().Attributes(), "scope": s.Scope().Attributes(),
		}
}

// signals are the three kinds of requests.
var signals = map[string]func(m *Masker) (texts []plant, maps map[string]pcommon.Map, mask func() (Outcome, []byte)){
	"logs": func(m *Masker) ([]plant, map[string]pcommon.Map, func() (Outcome, []byte)) {
		ld := plog.NewLogs()
		texts, maps := logPlaces(ld)
		return texts, maps, func() (Outcome, []byte) {
			out, err := m.Logs(ld)
			return out, bytesOr(err, func() ([]byte, error) { return (&plog.ProtoMarshaler{}).MarshalLogs(ld) })
		}
	},
	"traces": func(m *Masker) ([]plant, map[string]pcommon.Map, func() (Outcome, []byte)) {
		td := ptrace.NewTraces()
		texts, maps := spanPlaces(td)
		return texts, maps, func() (Outcome, []byte) {
			out, err := m.Traces(td)
			return out, bytesOr(err, func() ([]byte, error) { return (&ptrace.ProtoMarshaler{}).MarshalTraces(td) })
		}
	},
	"metrics": func(m *Masker) ([]plant, map[string]pcommon.Map, func() (Outcome, []byte)) {
		md := pmetric.NewMetrics()
		texts, maps := metricPlaces(md)
		return texts, maps, func() (Outcome, []byte) {
			out, err := m.Metrics(md)
			return out, bytesOr(err, func() ([]byte, error) { return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md) })
		}
	},
}

func bytesOr(err error, marshal func() ([]byte, error)) []byte {
	if err == nil {
		var out []byte
		if out, err = marshal(); err == nil {
			return out
		}
	}
	return []byte("error: " + err.Error())
}

// checkCanary looks for a secret in what came out, as it is and in base64.
func checkCanary(t *testing.T, out Outcome, raw []byte, v string) {
	t.Helper()
	half := []byte(v[2:14])
	if bytes.Contains(raw, half) || bytes.Contains(raw, []byte(v[24:])) {
		t.Errorf("the secret is still there: %q", raw)
	}
	if !out.Changed || len(out.Detections) == 0 || len(out.Withheld) > 0 {
		t.Errorf("changed %v, detections %d, withheld %v", out.Changed, len(out.Detections), out.Withheld)
	}
	told, err := json.Marshal(out.Detections)
	if err != nil || bytes.Contains(told, half) {
		t.Errorf("detections tell the secret: %s", told)
	}
	if !bytes.Contains(raw, []byte("REDACTED.")) && !bytes.Contains(raw, []byte("UkVEQUNURUQ")) && !strings.Contains(string(raw), "payload=") {
		t.Errorf("no mask: %q", raw)
	}
}

func TestTextsInEveryPlace(t *testing.T) {
	m := testMasker(t, nil)
	for signal, make := range signals {
		texts, _, _ := make(m)
		for i := range texts {
			for form, write := range textForms {
				t.Run(fmt.Sprintf("%s/%s/%s", signal, texts[i].name, form), func(t *testing.T) {
					texts, _, mask := make(m)
					v := secret()
					texts[i].set(write(v))
					out, raw := mask()
					checkCanary(t, out, raw, v)
				})
			}
		}
	}
}

func TestStructuresInEveryMap(t *testing.T) {
	m := testMasker(t, nil)
	for signal, make := range signals {
		_, maps, _ := make(m)
		for place := range maps {
			for form, write := range structures {
				t.Run(fmt.Sprintf("%s/%s/%s", signal, place, form), func(t *testing.T) {
					_, maps, mask := make(m)
					v := secret()
					maps[place].PutStr("first", "1")
					write(maps[place], v)
					maps[place].PutStr("last", "2")
					out, raw := mask()
					checkCanary(t, out, raw, v)
				})
			}
		}
	}
	for form, write := range structures {
		t.Run("logs/body/"+form, func(t *testing.T) {
			ld := plog.NewLogs()
			v := secret()
			write(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetEmptyMap(), v)
			out, err := m.Logs(ld)
			raw := bytesOr(err, func() ([]byte, error) { return (&plog.ProtoMarshaler{}).MarshalLogs(ld) })
			checkCanary(t, out, raw, v)
		})
	}
}
