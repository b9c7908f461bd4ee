package otlp

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Signal is what a payload holds.
type Signal string

// The signals.
const (
	Logs    Signal = "logs"
	Traces  Signal = "traces"
	Metrics Signal = "metrics"
)

// Encoding is how a payload is written.
type Encoding string

// The encodings of OTLP.
const (
	Proto Encoding = "otlp_proto"
	JSON  Encoding = "otlp_json"
)

// MaxPayload is the largest payload that is decoded, in bytes: decoders go down by
// recursion, and values nested deeper than a larger one allows could end the process.
const MaxPayload = 8 << 20

// ErrDecode says that a payload is no OTLP of the signal and encoding, or larger than
// MaxPayload. What it holds is not told.
var ErrDecode = errors.New("otlp: the payload cannot be decoded")

// Payload masks a request as it is written on a wire; the signal is SignalOf's when it is
// "". received is the time of detections whose records have none. The payload itself is
// returned when nothing in it changes; otherwise the request is encoded anew, without
// fields that the schema does not know, since nobody scanned them. After an error nothing
// of it may be passed on.
func (m *Masker) Payload(signal Signal, encoding Encoding, payload []byte, received time.Time) ([]byte, Outcome, error) {
	if len(payload) > MaxPayload {
		return nil, Outcome{}, ErrDecode
	}
	if signal == "" {
		var ok bool
		if signal, ok = SignalOf(encoding, payload); !ok {
			return nil, Outcome{}, ErrDecode
		}
	}
	if encoding == JSON && hasOther(signal, payload) { // it would be lost, or pass unread
		return nil, Outcome{}, ErrDecode
	}
	r, marshal, err := decode(signal, encoding, payload)
	if err != nil {
		return nil, Outcome{}, err
	}
	if r.empty() && !isEmpty(signal, encoding, payload) { // decoders pass over what they do not know
		return nil, Outcome{}, ErrDecode
	}
	m.received = received
	defer func() { m.received = time.Time{} }()
	out, err := m.mask(r)
	if err != nil {
		return nil, Outcome{}, err
	}
	encoded, err := marshal()
	if err != nil {
		return nil, Outcome{}, fmt.Errorf("%w: it cannot be encoded", ErrRefused)
	}
	if !out.Changed && (bytes.Equal(encoded, payload) || encoding == JSON && m.cleanText(payload)) {
		return payload, out, nil
	}
	return encoded, out, nil
}

// cleanText reports whether JSON text has no finding as it stands: what the schema does not
// know is scanned with it. JSON of one request may be written in many ways, and clean text
// stays as it is.
func (m *Masker) cleanText(payload []byte) bool {
	m.batch.Reset()
	m.batch.AddText(0, payload)
	err := m.findAlone()
	clean := err == nil && len(m.findings) == 0
	m.reset()
	m.forget()
	return clean
}

func decode(signal Signal, encoding Encoding, payload []byte) (r request, marshal func() ([]byte, error), err error) {
	defer func() {
		if p := recover(); p != nil { // decoders of others read what anyone sends
			err = ErrDecode
		}
	}()
	switch signal {
	case Logs:
		return decodeLogs(encoding, payload)
	case Traces:
		return decodeTraces(encoding, payload)
	case Metrics:
		return decodeMetrics(encoding, payload)
	}
	return nil, nil, fmt.Errorf("%w: no signal %q", ErrDecode, signal)
}

func decodeLogs(encoding Encoding, payload []byte) (request, func() ([]byte, error), error) {
	var read plog.Unmarshaler = &plog.ProtoUnmarshaler{}
	var write plog.Marshaler = &plog.ProtoMarshaler{}
	if encoding == JSON {
		read, write = &plog.JSONUnmarshaler{}, &plog.JSONMarshaler{}
	}
	ld, err := read.UnmarshalLogs(payload)
	if err != nil {
		return nil, nil, ErrDecode // its own words may hold the text
	}
	return logs{ld}, func() ([]byte, error) { return write.MarshalLogs(ld) }, nil
}

func decodeTraces(encoding Encoding, payload []byte) (request, func() ([]byte, error), error) {
	var read ptrace.Unmarshaler = &ptrace.ProtoUnmarshaler{}
	var write ptrace.Marshaler = &ptrace.ProtoMarshaler{}
	if encoding == JSON {
		read, write = &ptrace.JSONUnmarshaler{}, &ptrace.JSONMarshaler{}
	}
	td, err := read.UnmarshalTraces(payload)
	if err != nil {
		return nil, nil, ErrDecode
	}
	return traces{td}, func() ([]byte, error) { return write.MarshalTraces(td) }, nil
}

func decodeMetrics(encoding Encoding, payload []byte) (request, func() ([]byte, error), error) {
	var read pmetric.Unmarshaler = &pmetric.ProtoUnmarshaler{}
	var write pmetric.Marshaler = &pmetric.ProtoMarshaler{}
	if encoding == JSON {
		read, write = &pmetric.JSONUnmarshaler{}, &pmetric.JSONMarshaler{}
	}
	md, err := read.UnmarshalMetrics(payload)
	if err != nil {
		return nil, nil, ErrDecode
	}
	return metrics{md}, func() ([]byte, error) { return write.MarshalMetrics(md) }, nil
}
