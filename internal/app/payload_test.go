package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// everything counts by name and labels.
type everything map[string]int64

func (e everything) Findings(kind, action string, n int64)     { e["findings "+kind+" "+action] += n }
func (e everything) Withheld(reason string, n int64)           { e["withheld "+reason] += n }
func (e everything) Dropped(n int64)                           { e["dropped"] += n }
func (e everything) DeadLetters(reason string, n int64)        { e["dead "+reason] += n }
func (e everything) Detections(_, how string, n int64)         { e["detections "+how] += n }
func (e everything) Payloads(encoding, became string, n int64) { e[encoding+" "+became] += n }
func (e everything) BatchDone(time.Duration)                   {}

var compiled = sync.OnceValues(func() (*detect.Database, error) {
	set, err := rules.Default()
	if err != nil {
		return nil, err
	}
	return detect.Compile(set)
})

// reading is a processor of values in an encoding.
func reading(t *testing.T, p payloads, policy redact.Policy, counted counts) *processor {
	t.Helper()
	db, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	options := pipeline.Options{Database: db, Key: redact.RandomKey(), Policy: policy, Attribute: true}
	w, err := pipeline.NewWorker(options)
	if err != nil {
		t.Fatal(err)
	}
	m, err := otlp.NewMasker(otlp.Options{Pipeline: options, Detect: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = w.Close(), m.Close() })
	return newProcessor(&processor{
		maxRecord: 16 << 20, payloads: p, maskers: []*otlp.Masker{m}, output: func(in string) string { return in + ".masked" },
		dead: "dead", alerts: "alerts", key: []byte("key"), keyID: options.Key.ID(), counts: counted, now: time.Now,
	}, w)
}

func through(t *testing.T, p *processor, topic string, values ...[]byte) kafka.Unit {
	t.Helper()
	in := kafka.Input{Topic: topic, Partition: 3}
	for i, v := range values {
		in.Records = append(in.Records, recordbatch.Record{Offset: int64(40 + i), Timestamp: 1700000000000, Key: []byte("k"), Value: v})
	}
	u, err := p.process(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	u.Delivered()
	if len(u.Events) != len(u.Detections) {
		t.Errorf("%d events of %d detections", len(u.Events), len(u.Detections))
	}
	return u
}

func canary() string {
	random := make([]byte, 33)
	_, _ = rand.Read(random)
	return "v" + base64.RawURLEncoding.EncodeToString(random)[:42] + "Q"
}

var testTrace, testSpan = pcommon.TraceID{1, 2, 3, 0xfe}, pcommon.SpanID{9, 8}

// spans is a request with a secret in an attribute, whose client another span of the same
// trace names.
func spans(t *testing.T, secret string) (proto, json []byte) {
	t.Helper()
	td := ptrace.NewTraces()
	r := td.ResourceSpans().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", "login")
	r.Resource().Attributes().PutStr("cloud.region", "eu-west-1")
	list := r.ScopeSpans().AppendEmpty().Spans()
	one, other := list.AppendEmpty(), list.AppendEmpty()
	for i, s := range []ptrace.Span{one, other} {
		s.SetTraceID(testTrace)
		s.SetSpanID(testSpan)
		s.SetStartTimestamp(pcommon.Timestamp(i + 1))
		s.SetName("POST /token")
	}
	one.Attributes().PutStr("code_verifier", secret)
	other.Attributes().PutStr("url.full", "https://idp.example/authorize?client_id=web-shop&response_type=code")
	proto, err1 := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	json, err2 := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return proto, json
}

func TestSpansInRecords(t *testing.T) {
	for _, encoding := range []string{"otlp_proto", "otlp_json"} {
		for topic, signal := range map[string]string{"otlp_spans": "auto", "any": "traces", "other": "auto"} {
			counted := everything{}
			p := reading(t, payloads{encoding: encoding, signal: signal, withhold: true}, nil, counted)
			v := canary()
			proto, json := spans(t, v)
			clean, cleanJSON := spans(t, "no")
			value, same := proto, clean
			if encoding == "otlp_json" {
				value, same = json, cleanJSON
			}
			u := through(t, p, topic, same, value, nil, value)
			if len(u.Out) != 4 || len(u.Dead) != 0 || len(u.Detections) != 2 || u.Unchanged {
				t.Fatalf("%s %s: %d records, %d dead letters, %d detections", encoding, topic, len(u.Out), len(u.Dead), len(u.Detections))
			}
			if &u.Out[0].Value[0] != &same[0] || u.Out[2].Value != nil {
				t.Errorf("%s: a clean payload or a tombstone was changed", encoding)
			}
			for _, i := range []int{1, 3} {
				if bytes.Contains(u.Out[i].Value, []byte(v)) || !bytes.Contains(u.Out[i].Value, []byte("REDACTED.code_verifier.")) || !bytes.Contains(u.Out[i].Value, []byte("web-shop")) {
					t.Errorf("%s: %q", encoding, u.Out[i].Value)
				}
			}
			d := u.Detections[0]
			want := event.Where{
				Topic: topic, Partition: 3, Offset: 41, Field: "attributes.code_verifier", Signal: "traces",
				TraceID: fmt.Sprintf("%x", testTrace[:]), SpanID: fmt.Sprintf("%x", testSpan[:]), End: len(v),
			}
			if diff := cmp.Diff(want, d.Where); diff != "" {
				t.Error(diff)
			}
			if d.Service != "login" || d.Region != "eu-west-1" || d.Client.ID != "web-shop" || d.Client.How != event.ByTrace || d.ID == u.Detections[1].ID {
				t.Errorf("%+v", d)
			}
			if diff := cmp.Diff(everything{encoding + " kept": 1, encoding + " masked": 2, "findings code_verifier mask": 2, "detections trace": 2}, counted); diff != "" {
				t.Error(diff)
			}
			if again := through(t, p, topic, same, value, nil, value); again.Detections[0].ID != d.ID {
				t.Error("the id is not stable")
			}
		}
	}
}

// A record's header tells its signal before its topic does. What leakveil cannot mask
// inside is a bad payload.
func TestSignalsInHeaders(t *testing.T) {
	v := canary()
	proto, _ := spans(t, v)
	p := reading(t, payloads{encoding: "otlp_proto", signal: "auto", withhold: true}, nil, everything{})
	for signal, masked := range map[string]bool{"traces": true, "": false, "logs": false, "profiles": false, "x": false} {
		u, err := p.process(context.Background(), kafka.Input{Topic: "otlp_logs", Records: []recordbatch.Record{{
			Value: proto, Headers: []recordbatch.Header{{Key: []byte("otelcol.signal"), Value: []byte(signal)}},
		}}})
		if err != nil || bytes.Contains(u.Out[0].Value, []byte(v)) {
			t.Fatalf("%s: %v, %q", signal, err, u.Out[0].Value)
		}
		if got := bytes.Contains(u.Out[0].Value, []byte("REDACTED.code_verifier.")); got != masked {
			t.Errorf("%q: %q", signal, u.Out[0].Value)
		}
	}
}

// Two records of a log that are equal in all are two detections.
func TestEqualLogsAreToldApart(t *testing.T) {
	v := canary()
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range 2 {
		list.AppendEmpty().Body().SetStr("code_verifier=" + v)
	}
	value, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		t.Fatal(err)
	}
	p := reading(t, payloads{encoding: "otlp_proto"}, nil, everything{})
	u := through(t, p, "otlp_logs", value, value)
	ids := map[string]bool{}
	for _, d := range u.Detections {
		ids[d.ID] = true
		if d.Time.UnixMilli() != 1700000000000 {
			t.Errorf("a detection of %v", d.Time)
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids of %d detections", len(ids), len(u.Detections))
	}
}

func TestValuesOfAnotherEncoding(t *testing.T) {
	v := canary()
	text := []byte("code_verifier=" + v)
	for _, encoding := range []string{"json", "otlp_proto", "otlp_json"} {
		counted := everything{}
		u := through(t, reading(t, payloads{encoding: encoding, withhold: true}, nil, counted), "in", text, []byte("clean"))
		if len(u.Out) != 2 || len(u.Detections) != 0 || len(u.Dead) != 2 || u.Unchanged || bytes.Contains(u.Out[0].Value, []byte(v)) ||
			!bytes.Contains(u.Out[0].Value, []byte(`"reason":"undecodable"`)) || bytes.Contains(u.Dead[0].Record.Value, []byte(v)) {
			t.Errorf("%s: %q, %d dead letters", encoding, u.Out[0].Value, len(u.Dead))
		}
		if want := (everything{encoding + " withheld": 2, "withheld undecodable": 2, "dead undecodable": 2}); !maps.Equal(want, counted) {
			t.Errorf("%s: %v", encoding, counted)
		}
		counted = everything{}
		u = through(t, reading(t, payloads{encoding: encoding}, nil, counted), "in", text, []byte("clean"))
		if len(u.Out) != 2 || len(u.Detections) != 1 || len(u.Dead) != 0 || bytes.Contains(u.Out[0].Value, []byte(v)) || string(u.Out[1].Value) != "clean" {
			t.Errorf("%s: %q, %d detections", encoding, u.Out[0].Value, len(u.Detections))
		}
		if counted[encoding+" text"] != 2 {
			t.Errorf("%s: %v", encoding, counted)
		}
	}
}

func TestJSONInRecords(t *testing.T) {
	v, w := canary(), canary()
	counted := everything{}
	p := reading(t, payloads{encoding: "json", withhold: true}, nil, counted)
	// The first is found by structure alone, the last by the text's grammar alone.
	value := `{"service":"login","client_id":"web-shop", "headers":{"x-refresh-token":["a","` + v + `"]},"n":1.50 }`
	u := through(t, p, "in", []byte(value), []byte(` {"a" : [1, "b"]} `), []byte(`{"msg":"code_verifier=`+w+`"}`), []byte(`"x"`), []byte(`{"user_code":12345678}`))
	d := u.Detections[slices.IndexFunc(u.Detections, func(d event.Detection) bool { return d.Where.Offset == 40 })]
	mask := "REDACTED.refresh_token." + p.keyID + "." + d.Fingerprint
	if got := string(u.Out[0].Value); got != strings.ReplaceAll(value, v, mask) {
		t.Errorf("%s", got)
	}
	if string(u.Out[1].Value) != ` {"a" : [1, "b"]} ` || bytes.Contains(u.Out[2].Value, []byte(w)) || bytes.Contains(u.Out[4].Value, []byte("12345678")) || len(u.Detections) != 3 {
		t.Errorf("%q %q, %d detections", u.Out[1].Value, u.Out[2].Value, len(u.Detections))
	}
	if d.Where.Topic != "in" || d.Where.Field != "value.headers" || d.Client.ID != "web-shop" || d.Service != "login" {
		t.Errorf("%+v", d)
	}
	if counted["json kept"] != 2 || counted["json masked"] != 3 {
		t.Errorf("%v", counted)
	}
}

// A record that policy leaves nothing of is left out, and one of which something is left
// goes on.
func TestDroppedInPayloads(t *testing.T) {
	v := canary()
	policy := redact.Policy{rules.CodeVerifier: redact.ActionDropRecord}
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	list.AppendEmpty().Body().SetStr("code_verifier=" + v)
	all, err1 := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	list.AppendEmpty().Body().SetStr("hello")
	some, err2 := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	counted := everything{}
	u := through(t, reading(t, payloads{encoding: "otlp_proto"}, policy, counted), "otlp_logs", all, some)
	if len(u.Out) != 1 || len(u.Detections) != 2 || counted["dropped"] != 2 || bytes.Contains(u.Out[0].Value, []byte(v)) || !bytes.Contains(u.Out[0].Value, []byte("hello")) || u.Unchanged {
		t.Errorf("%d records, %d detections, %v", len(u.Out), len(u.Detections), counted)
	}
	counted = everything{}
	u = through(t, reading(t, payloads{encoding: "json"}, policy, counted), "in", []byte(`{"code_verifier":"`+v+`"}`), []byte(`{}`))
	if len(u.Out) != 1 || len(u.Detections) != 1 || counted["dropped"] != 1 {
		t.Errorf("%d records, %d detections, %v", len(u.Out), len(u.Detections), counted)
	}
}

// Keys and headers are text beside a payload, and a payload that is reported only stays.
func TestBesidePayloads(t *testing.T) {
	v, k, h := canary(), canary(), canary()
	proto, _ := spans(t, v)
	p := reading(t, payloads{encoding: "otlp_proto"}, nil, everything{})
	in := kafka.Input{Topic: "otlp_spans", Records: []recordbatch.Record{{
		Key: []byte("code_verifier=" + k), Value: proto, Headers: []recordbatch.Header{{Key: []byte("authorization"), Value: []byte("Bearer " + h)}},
	}}}
	u, err := p.process(context.Background(), in)
	if err != nil || len(u.Detections) != 3 {
		t.Fatalf("%v, %d detections", err, len(u.Detections))
	}
	out := u.Out[0]
	if all := string(out.Key) + string(out.Value) + string(out.Headers[0].Value); strings.Contains(all, v) || strings.Contains(all, k) || strings.Contains(all, h) {
		t.Errorf("%q", all)
	}
	p = reading(t, payloads{encoding: "otlp_proto"}, redact.Policy{rules.CodeVerifier: redact.ActionReport}, everything{})
	if u = through(t, p, "otlp_spans", proto); !u.Unchanged || len(u.Detections) != 1 || !bytes.Equal(u.Out[0].Value, proto) {
		t.Errorf("%d detections, unchanged %v", len(u.Detections), u.Unchanged)
	}
}

// A text inside of a payload that cannot be looked at is withheld alone, and told.
func TestTooDeepInPayloads(t *testing.T) {
	v := canary()
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	list.AppendEmpty().Body().SetStr("hello")
	body := list.AppendEmpty().Body()
	for range 1000 {
		body = body.SetEmptySlice().AppendEmpty()
	}
	body.SetStr("code_verifier=" + v)
	value, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		t.Fatal(err)
	}
	counted := everything{}
	u := through(t, reading(t, payloads{encoding: "otlp_proto"}, nil, counted), "otlp_logs", value)
	if bytes.Contains(u.Out[0].Value, []byte(v)) || !bytes.Contains(u.Out[0].Value, []byte("hello")) || len(u.Dead) != 1 || counted["withheld too_deep"] != 1 || counted["otlp_proto masked"] != 1 {
		t.Errorf("%d dead letters, %v", len(u.Dead), counted)
	}
}
