package otlp

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// SignalOf tells what a payload holds from what it is made of; false when it is no OTLP,
// or nothing in it tells. The three requests have one form in protobuf: a list of
// resources, each with scopes, each with records. Only the records differ: by the wire
// types of their fields, and by what every program gives them.
func SignalOf(encoding Encoding, payload []byte) (Signal, bool) {
	if encoding == JSON {
		return signalOfJSON(payload)
	}
	of := signs{may: forms{true, true, true}}
	some := false
	if !records(payload, func(record []byte) bool { some = true; return of.look(record) }) {
		return "", false
	}
	if !some { // all signals write it alike
		return Logs, len(payload) > 0
	}
	switch (forms{of.may.logs && of.has.logs, of.may.traces && of.has.traces, of.may.metrics && of.has.metrics}) {
	case forms{logs: true}:
		return Logs, true
	case forms{traces: true}:
		return Traces, true
	case forms{metrics: true}:
		return Metrics, true
	}
	return "", false
}

// forms are some of the signals.
type forms struct{ logs, traces, metrics bool }

// signs are what the records of a payload tell: the signals that all of them may be of,
// and those of which one has what its records have.
type signs struct{ may, has forms }

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

// look looks at a record; false when it can be of no signal. A log record has a time, a
// span a time and both of its ids, a metric a name and data.
func (s *signs) look(record []byte) bool {
	var trace, span, name, logTime, spanTime, data bool
	for len(record) > 0 {
		number, is, n := protowire.ConsumeTag(record)
		if n < 0 {
			return false
		}
		value := record[n:]
		size := protowire.ConsumeFieldValue(number, is, value)
		if size < 0 {
			return false
		}
		record = value[size:]
		s.may.logs = s.may.logs && logFields.has(number, is)
		s.may.traces = s.may.traces && spanFields.has(number, is)
		s.may.metrics = s.may.metrics && metricFields.has(number, is)
		switch {
		case is == length && number == 1:
			text, _ := protowire.ConsumeBytes(value)
			trace, name = len(text) == 16, len(text) > 0 && utf8.Valid(text)
		case is == length && number == 2:
			text, _ := protowire.ConsumeBytes(value)
			span = len(text) == 8
		case is == length && (number == 5 || number >= 7 && number <= 11):
			data = true
		case is == fix64 && (number == 1 || number == 11):
			logTime = true
		case is == fix64 && (number == 7 || number == 8):
			spanTime = true
		}
	}
	s.has.logs = s.has.logs || logTime
	s.has.traces = s.has.traces || trace && span && spanTime
	s.has.metrics = s.has.metrics || name && data
	return s.may != forms{}
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
func signalOfJSON(payload []byte) (signal Signal, ok bool) {
	eachSignal(payload, func(is Signal) bool { signal, ok = is, true; return false })
	return signal, ok
}

// hasOther reports whether a request of a signal has a member of another, too.
func hasOther(signal Signal, payload []byte) (other bool) {
	for name, of := range jsonKeys {
		if of == signal || !bytes.Contains(payload, []byte(`"`+name+`"`)) {
			continue
		}
		eachSignal(payload, func(is Signal) bool { other = other || is != signal; return !other })
		return other
	}
	return false
}

// eachSignal calls visit for each member of a request that names a signal, until that says
// false.
func eachSignal(payload []byte, visit func(Signal) bool) {
	d := json.NewDecoder(bytes.NewReader(payload))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return
		}
		if name, ok := t.(string); ok && jsonKeys[name] != "" && !visit(jsonKeys[name]) {
			return
		}
		var passed json.RawMessage
		if d.Decode(&passed) != nil {
			return
		}
	}
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
