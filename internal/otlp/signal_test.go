package otlp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// requests of each signal as programs send them, and of the least that one can be.
func requests(t testing.TB) map[string]struct {
	is      Signal
	payload []byte
	json    []byte
} {
	t.Helper()
	out := map[string]struct {
		is      Signal
		payload []byte
		json    []byte
	}{}
	add := func(name string, is Signal, payload, json []byte, errs ...error) {
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		out[name] = struct {
			is      Signal
			payload []byte
			json    []byte
		}{is, payload, json}
	}
	addLogs := func(name string, ld plog.Logs) {
		p, err1 := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		j, err2 := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		add(name, Logs, p, j, err1, err2)
	}
	addTraces := func(name string, td ptrace.Traces) {
		p, err1 := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		j, err2 := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
		add(name, Traces, p, j, err1, err2)
	}
	addMetrics := func(name string, md pmetric.Metrics) {
		p, err1 := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		j, err2 := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
		add(name, Metrics, p, j, err1, err2)
	}
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.Body().SetStr("hello")
	addLogs("a body alone", ld)
	lr.SetTimestamp(1)
	lr.SetTraceID(pcommon.TraceID{1})
	lr.SetSpanID(pcommon.SpanID{2})
	lr.Attributes().PutStr("a", "b")
	addLogs("a log record", ld)
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{0xff, 1})
	span.SetSpanID(pcommon.SpanID{2})
	span.SetName("GET /")
	addTraces("ids and a name alone", td)
	span.SetStartTimestamp(1)
	span.SetEndTimestamp(2)
	span.Status().SetMessage("no")
	addTraces("a span", td)
	md := pmetric.NewMetrics()
	metric := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("a.name.of.16.byt")
	metric.SetDescription("8 bytes.")
	metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	addMetrics("a gauge", md)
	metric.SetEmptySum().DataPoints().AppendEmpty().SetIntValue(1)
	addMetrics("a sum", md)
	return out
}

func TestSignals(t *testing.T) {
	for name, r := range requests(t) {
		if r.payload == nil {
			t.Fatal(name)
		}
		got, ok := SignalOf(Proto, r.payload)
		if ok != tells(name) || ok && got != r.is {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
		if got, ok := SignalOf(JSON, r.json); !ok || got != r.is {
			t.Errorf("%s: %q of %s", name, got, r.json)
		}
	}
}

// tells is false for what could be of several signals by its bytes; that is not guessed.
func tells(name string) bool { return !strings.HasSuffix(name, " alone") }

// Requests of all forms are never taken for those of another signal.
func TestSignalsOfRandomRequests(t *testing.T) {
	r := &source{Rand: rand.New(rand.NewPCG(rand.Uint64(), 9))}
	told := 0
	for i := range 900 {
		is := []Signal{Logs, Traces, Metrics}[i%3]
		payload, err := r.request(i).marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := SignalOf(Proto, payload)
		if !ok {
			continue
		}
		told++
		if got != is && recordsIn(payload) > 0 {
			t.Errorf("%s was taken for %s: %q", is, got, payload)
		}
	}
	if told < 200 {
		t.Errorf("%d of 900 were told", told)
	}
}

func recordsIn(payload []byte) (n int) {
	records(payload, func([]byte) bool { n++; return true })
	return n
}

func TestSignalsOfWhatIsNone(t *testing.T) {
	for _, text := range []string{
		"", "hello", "GET /cb?code=1 HTTP/1.1", "\x0a", "\x0a\x05abc", "\x0a\x04\x12\x02\x12\x05", "\x0a\x06\x12\x04\x12\x02\xff\xff", strings.Repeat("\x0b", 1000),
	} {
		if got, ok := SignalOf(Proto, []byte(text)); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
	for _, text := range []string{"", "x", `[]`, `"resourceLogs"`, `{"a":{"resourceLogs":[]}}`, `{"a":`, `{"a":}`} {
		if got, ok := SignalOf(JSON, []byte(text)); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
	if got, ok := SignalOf(JSON, []byte(`{"a":["x"],"resource_spans":[]}`)); !ok || got != Traces {
		t.Errorf("%q, %v", got, ok)
	}
}

func TestPayloadsTellTheirSignal(t *testing.T) {
	m := testMasker(t, nil)
	for name, r := range requests(t) {
		got, out, err := m.Payload("", Proto, r.payload, time.Time{})
		if !tells(name) {
			if !errors.Is(err, ErrDecode) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || out.Changed || !bytes.Equal(got, r.payload) {
			t.Errorf("%s: %v", name, err)
		}
		if got, _, err = m.Payload("", JSON, r.json, time.Time{}); err != nil || !bytes.Equal(got, r.json) {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
}

// Decoders pass over what they do not know: a payload that is nothing afterwards was none.
func TestPayloadsOfSomethingElse(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	for _, text := range []string{`{"code_verifier":"` + v + `"}`, `[]`, `{"resourceSpans":[]}`, "{\"a\":1}\n"} {
		if got, _, err := m.Payload(Logs, JSON, []byte(text), time.Time{}); !errors.Is(err, ErrDecode) || got != nil {
			t.Errorf("%s: %v, %s", text, err, got)
		}
	}
	field := append([]byte{15<<3 | 2, byte(len(v))}, v...)
	if got, _, err := m.Payload(Logs, Proto, field, time.Time{}); !errors.Is(err, ErrDecode) || got != nil {
		t.Errorf("%v, %q", err, got)
	}
	large := make([]byte, MaxPayload+1)
	for _, encoding := range []Encoding{Proto, JSON} {
		if _, _, err := m.Payload(Logs, encoding, large, time.Time{}); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: %v", encoding, err)
		}
	}
}

// The deepest nesting that a payload in JSON can have ends nothing.
func TestJSONNestedToTheBrim(t *testing.T) {
	m := testMasker(t, nil)
	const in, out = `{"arrayValue":{"values":[`, `]}}`
	n := (MaxPayload - 200) / len(in+out)
	text := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(in, n) + `{"stringValue":"x"}` + strings.Repeat(out, n) + `}]}]}]}`
	if got, out, err := m.Payload("", JSON, []byte(text), time.Time{}); err != nil || out.Withheld["too_deep"] != 1 {
		t.Errorf("%v, %d bytes, %v", err, len(got), out.Withheld)
	}
	if got, _, err := m.Document([]byte(text), time.Time{}); !errors.Is(err, ErrDecode) || got != nil {
		t.Errorf("%v, %d bytes", err, len(got))
	}
}

// Detections of records without a time have that of the record they came in.
func TestPayloadsWithoutTimes(t *testing.T) {
	m := testMasker(t, nil)
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	list.AppendEmpty().Body().SetStr("code_verifier=" + secret())
	list.At(0).SetTimestamp(pcommon.NewTimestampFromTime(time.UnixMilli(5000)))
	list.AppendEmpty().Body().SetStr("code_verifier=" + secret())
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		t.Fatal(err)
	}
	_, out, err := m.Payload(Logs, Proto, raw, time.UnixMilli(9000))
	if err != nil || len(out.Detections) != 2 || out.Detections[0].Time.UnixMilli() != 5000 || out.Detections[1].Time.UnixMilli() != 9000 {
		t.Errorf("%v, %+v", err, out.Detections)
	}
}
