package otlp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

func TestCleanPayloadsAreReturnedAsTheyAre(t *testing.T) {
	m := testMasker(t, nil)
	r := &source{Rand: rand.New(rand.NewPCG(rand.Uint64(), 4))}
	for i := range 600 {
		d := r.request(i)
		payload, err := d.marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, out, err := m.Payload([]Signal{Logs, Traces, Metrics}[i%3], Proto, payload, time.Time{})
		if err != nil || out.Changed || !bytes.Equal(got, payload) {
			t.Fatalf("%v, %+v\n%q\n%q", err, out, payload, got)
		}
	}
	for _, text := range []string{
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}`,
		"{ \"resourceLogs\" : [ ] ,\n \"unknown\": 1 }", `{}`, " { } ",
	} {
		got, out, err := m.Payload(Logs, JSON, []byte(text), time.Time{})
		if err != nil || out.Changed || string(got) != text {
			t.Errorf("%s: %v, %s", text, err, got)
		}
	}
}

func TestPayloadsAreMasked(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	text := `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"code_verifier=` + v + `"}}]}]}]}`
	got, out, err := m.Payload(Logs, JSON, []byte(text), time.Time{})
	if err != nil || !out.Changed || len(out.Detections) != 1 || bytes.Contains(got, []byte(v)) || !bytes.Contains(got, []byte("REDACTED.code_verifier.")) {
		t.Errorf("%v, %+v, %s", err, out, got)
	}
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if got, out, err = m.Payload(Logs, Proto, raw, time.Time{}); err != nil || !out.Changed || bytes.Contains(got, []byte(v)) {
		t.Errorf("%v, %+v, %q", err, out, got)
	}
}

// What the schema does not know is not passed on when it may hold a secret.
func TestUnknownFields(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	got, _, err := m.Payload(Logs, JSON, []byte(`{"resourceLogs":[],"extra":{"code_verifier":"`+v+`"}}`), time.Time{})
	if err != nil || bytes.Contains(got, []byte(v)) {
		t.Errorf("%v, %s", err, got)
	}
	unknown := append([]byte{1<<3 | 2, 0, 15<<3 | 2, byte(len(v))}, v...) // beside a resource
	if got, _, err = m.Payload(Logs, Proto, unknown, time.Time{}); err != nil || bytes.Contains(got, []byte(v)) {
		t.Errorf("%v, %q", err, got)
	}
}

func TestPayloadsThatAreNone(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	for _, encoding := range []Encoding{Proto, JSON} {
		for _, signal := range []Signal{Logs, Traces, Metrics, "profiles"} {
			if _, _, err := m.Payload(signal, encoding, []byte(`{"resourceLogs": code_verifier=`+v), time.Time{}); !errors.Is(err, ErrDecode) || strings.Contains(err.Error(), v) {
				t.Errorf("%s %s: %v", signal, encoding, err)
			}
		}
	}
}

// Whatever is sent, nothing panics, a secret of a verifier's form in a known text is
// masked, what comes out can be read, and masking it again changes nothing.
func FuzzPayload(f *testing.F) {
	r := &source{Rand: rand.New(rand.NewPCG(1, 5)), plant: 0.2}
	for i := range 30 {
		payload, err := r.request(i).marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i%3), payload)
	}
	f.Add(byte(3), []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[{"key":"code_verifier","value":{"bytesValue":"AAEC"}}]}}}]}]}]}`))
	f.Fuzz(func(t *testing.T, choice byte, payload []byte) {
		m := testMasker(t, nil)
		signal, encoding := []Signal{Logs, Traces, Metrics}[choice%3], []Encoding{Proto, JSON}[choice/3%2]
		before := bytes.Clone(payload)
		out, outcome, err := m.Payload(signal, encoding, payload, time.Time{})
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload itself was changed")
		}
		if err != nil {
			if !errors.Is(err, ErrDecode) {
				t.Fatal(err)
			}
			return
		}
		if len(outcome.Withheld) > 0 && outcome.Withheld["too_deep"] == 0 {
			t.Fatalf("withheld: %v", outcome.Withheld)
		}
		again, second, err := m.Payload(signal, encoding, out, time.Time{})
		if err != nil {
			t.Fatalf("what came out cannot be read: %v", err)
		}
		if third, _, err := m.Payload(signal, encoding, again, time.Time{}); err != nil || second.Changed && !bytes.Equal(third, again) {
			t.Fatalf("masking does not come to an end: %v\n%q\n%q", err, again, third)
		}
	})
}
