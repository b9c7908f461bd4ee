package otlp

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// SignalOf tells what a payload holds from what it is made of; false when it is no OTLP,
// or may be of several signals. The three requests have one form in protobuf: a list of
// resources, each with scopes, each with records. Only the records differ, by the wire
// types of their fields and by what they cannot do without.
func SignalOf(encoding Encoding, payload []byte) (Signal, bool) {
	if encoding == JSON {
		return signalOfJSON(payload)
	}
	may := forms{true, true, true}
	if !records(payload, func(record []byte) bool { may.exclude(record); return may.any() }) {
		return "", false
	}
	switch may {
	case forms{logs: true}:
		return Logs, true
	case forms{traces: true}:
		return Traces, true
	case forms{metrics: true}:
		return Metrics, true
	case forms{true, true, true}: // no record: all signals write it alike
		return Logs, len(payload) > 0
	}
	return "", false
}

// forms says which signals a payload may be of.
type forms struct{ logs, traces, metrics bool }

func (f forms) any() bool { return f.logs || f.traces || f.metrics }

// fieldTypes are the wire types of a message's fields, by number; -1: there is no such
// field (opentelemetry-proto v1.8).
type fieldTypes []protowire.Type

const (
	none   protowire.Type = -1
	varint                = protowire.VarintType
	fix32                 = protowire.Fixed32Type
	fix64                 = protowire.Fixed64Type
	length                = protowire.BytesType
)

var (
	logFields    = fieldTypes{none, fix64, varint, length, none, length, length, varint, fix32, length, length, fix64, length}
	spanFields   = fieldTypes{none, length, length, length, length, length, varint, fix64, fix64, length, varint, length, varint, length, varint, length, fix32}
	metricFields = fieldTypes{none, length, length, length, none, length, none, length, none, length, length, length, length}
)

func (t fieldTypes) has(number protowire.Number, is protowire.Type) bool {
	return int64(number) < int64(len(t)) && t[number] == is
}

// exclude takes away the signals that a record cannot be of.
func (f *forms) exclude(record []byte) {
	trace, span, name := 0, 0, false
	for len(record) > 0 {
		number, is, n := protowire.ConsumeTag(record)
		if n < 0 {
			*f = forms{}
			return
		}
		value := record[n:]
		size := protowire.ConsumeFieldValue(number, is, value)
		if size < 0 {
			*f = forms{}
			return
		}
		f.logs = f.logs && logFields.has(number, is)
		f.traces = f.traces && spanFields.has(number, is)
		f.metrics = f.metrics && metricFields.has(number, is)
		if is == length {
			text, _ := protowire.ConsumeBytes(value)
			switch number {
			case 1:
				trace, name = len(text), len(text) > 0 && utf8.Valid(text)
			case 2:
				span = len(text)
			}
		}
		record = value[size:]
	}
	f.traces = f.traces && trace == 16 && span == 8 // a span without them is none
	f.metrics = f.metrics && name
}

// records calls visit for each record of a request in protobuf until that says false.
// It reports whether the request has the form of one.
func records(payload []byte, visit func(record []byte) bool) bool {
	return messages(payload, 1, func(resource []byte) bool {
		return messages(resource, 2, func(scope []byte) bool {
			return messages(scope, 2, visit)
		})
	})
}

// messages calls visit for each field of a number, which must be messages, until that
// says false. Other fields are passed over.
func messages(payload []byte, of protowire.Number, visit func([]byte) bool) bool {
	for len(payload) > 0 {
		number, is, n := protowire.ConsumeTag(payload)
		if n < 0 {
			return false
		}
		payload = payload[n:]
		size := protowire.ConsumeFieldValue(number, is, payload)
		if size < 0 || number == of && is != length {
			return false
		}
		if number == of {
			if message, _ := protowire.ConsumeBytes(payload); !visit(message) {
				return false
			}
		}
		payload = payload[size:]
	}
	return true
}

// jsonKeys are the members that a request in JSON has its resources in.
var jsonKeys = map[string]Signal{
	"resourceLogs": Logs, "resource_logs": Logs, "resourceSpans": Traces, "resource_spans": Traces,
	"resourceMetrics": Metrics, "resource_metrics": Metrics,
}

// signalOfJSON takes the first member that names a signal.
func signalOfJSON(payload []byte) (Signal, bool) {
	d := json.NewDecoder(bytes.NewReader(payload))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", false
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return "", false
		}
		if name, ok := t.(string); ok && jsonKeys[name] != "" {
			return jsonKeys[name], true
		}
		var passed json.RawMessage
		if d.Decode(&passed) != nil {
			return "", false
		}
	}
	return "", false
}

// isEmpty reports whether a payload without resources says itself that it has none.
func isEmpty(signal Signal, encoding Encoding, payload []byte) bool {
	if encoding == Proto {
		return len(payload) == 0
	}
	if is, ok := signalOfJSON(payload); ok {
		return is == signal
	}
	return string(bytes.Join(bytes.Fields(payload), nil)) == "{}"
}
