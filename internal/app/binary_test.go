package app

import (
	"bytes"
	"crypto/rand"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// fieldOf appends a field of bytes.
func fieldOf(dst []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), value)
}

// jaegerSpan is a span as Jaeger writes it to Kafka: model.proto, with a text as a tag.
func jaegerSpan(name, text string) []byte {
	id := make([]byte, 24)
	_, _ = rand.Read(id)
	tag := fieldOf(fieldOf(nil, 1, []byte(name)), 3, []byte(text))
	out := fieldOf(fieldOf(nil, 1, id[:16]), 2, id[16:])
	out = fieldOf(out, 3, []byte("GET /callback"))
	return fieldOf(out, 8, tag)
}

// zipkinSpans is a list of one span as Zipkin writes it: zipkin.proto.
func zipkinSpans(name, text string) []byte {
	id := make([]byte, 24)
	_, _ = rand.Read(id)
	entry := fieldOf(fieldOf(nil, 1, []byte(name)), 2, []byte(text))
	span := fieldOf(fieldOf(nil, 1, id[:16]), 3, id[16:])
	return fieldOf(nil, 1, fieldOf(span, 11, entry))
}

// stringsOf is a message that has no byte which text has not.
func stringsOf(name, text string) []byte {
	return fieldOf(fieldOf(nil, 1, []byte(text)), 4, []byte(name+" of the request, as it came here"))
}

// framed reports whether all of a message can still be read, with messages in the fields
// that a path of numbers names.
func framed(message []byte, path ...protowire.Number) bool {
	for len(message) > 0 {
		number, is, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		size := protowire.ConsumeFieldValue(number, is, message[n:])
		if size < 0 {
			return false
		}
		if len(path) > 0 && number == path[0] {
			if inner, _ := protowire.ConsumeBytes(message[n:]); !framed(inner, path[1:]...) {
				return false
			}
		}
		message = message[n+size:]
	}
	return true
}

// Spans of Jaeger and Zipkin, read as text, are masked with their framing kept, whatever
// the policy writes and however the value is encoded.
func TestBinaryPayloadsKeepTheirFraming(t *testing.T) {
	for _, action := range []redact.Action{redact.ActionMask, redact.ActionHash, redact.ActionRemove} {
		p := reading(t, payloads{encoding: encodingText}, redact.Policy{rules.CodeVerifier: action}, everything{})
		for _, form := range []string{"/cb?code_verifier=", "/x?u=a%26code_verifier%3D", `{"q":"{\"code_verifier\":\"`} {
			for name, c := range map[string]struct {
				value func(name, text string) []byte
				path  []protowire.Number
			}{"jaeger": {jaegerSpan, []protowire.Number{8}}, "zipkin": {zipkinSpans, []protowire.Number{1, 11}}, "strings": {stringsOf, nil}} {
				v := canary()
				in := c.value("http.url", form+v)
				out := through(t, p, "spans", in).Out[0].Value
				if len(out) != len(in) || bytes.Contains(out, []byte(v[4:14])) || !framed(out, c.path...) {
					t.Errorf("%s, %s, %s: %d bytes of %d: %q", name, action, form, len(out), len(in), out)
				}
			}
		}
	}
}
