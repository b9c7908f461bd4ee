package redact

import (
	"errors"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Span is a value to be replaced: bytes [Start,End) of a text. Blob is the start
// of the base64 blob that it is the tail of, else equal to Start.
type Span struct {
	Start, End, Blob int
	Kind             rules.Kind
	Form             layer.Form
	Fingerprint      Fingerprint
	// Inside are the spans of a base64 blob's decoded text. The blob is masked
	// whole when it cannot be written again with them replaced.
	Inside []Span
}

// ErrSpans says that spans overlap, are unsorted, empty or out of bounds. Nothing was
// written: the caller must withhold the record.
var ErrSpans = errors.New("redact: spans overlap or are out of bounds")

// Redactor replaces spans as a policy says. It belongs to one goroutine.
type Redactor struct {
	policy  Policy
	keyID   string
	mask    []byte
	decoded []byte
}

// NewRedactor returns a redactor whose masks name the key.
func NewRedactor(policy Policy, keyID string) *Redactor {
	return &Redactor{policy: policy, keyID: keyID}
}

// Action returns what the policy says for a kind.
func (r *Redactor) Action(k rules.Kind) Action { return r.policy.Action(k) }

// Apply appends src with its spans replaced to dst. Spans are sorted and do not
// overlap, else ErrSpans. With equal set every replacement has its span's
// length, for payloads that are not text. drop_record is the caller's matter:
// here such a span is masked.
func (r *Redactor) Apply(dst, src []byte, spans []Span, equal bool) ([]byte, error) {
	last := 0
	for i := range spans {
		s := &spans[i]
		if s.Blob < last || s.Start < s.Blob || s.End <= s.Start || s.End > len(src) {
			return dst, ErrSpans
		}
		if s.Blob != s.Start && s.Form.Base64 == layer.NoBase64 {
			return dst, ErrSpans // nothing but a blob may be rewritten before its span
		}
		last = s.End
	}
	last = 0
	for i := range spans {
		s := &spans[i]
		if r.kept(s) {
			continue
		}
		dst = append(dst, src[last:s.Blob]...)
		dst = r.replace(dst, src[s.Blob:s.End], s, equal)
		last = s.End
	}
	return append(dst, src[last:]...), nil
}

// kept reports whether the policy leaves the span as it is.
func (r *Redactor) kept(s *Span) bool {
	for i := range s.Inside {
		if !r.kept(&s.Inside[i]) {
			return false
		}
	}
	return len(s.Inside) > 0 || r.policy.Action(s.Kind) == ActionReport
}

// blob appends the blob raw with the spans inside it replaced. It reports false,
// and appends nothing, when that cannot be written.
func (r *Redactor) blob(dst, raw []byte, s *Span, equal bool) ([]byte, bool) {
	text := s.Form.Decode(nil, raw)
	defer clear(text[:cap(text)])
	masked, err := r.Apply(nil, text, s.Inside, equal)
	if err != nil {
		return dst, false
	}
	out, ok := s.Form.Encode(dst, raw, masked)
	if !ok || equal && len(out)-len(dst) != len(raw) {
		return dst, false
	}
	return out, true
}

func (r *Redactor) replace(dst, raw []byte, s *Span, equal bool) []byte {
	if s.Form.Fill != layer.NoFill { // whatever the policy puts elsewhere
		return layer.AppendFill(dst, raw, s.Form.Fill)
	}
	if len(s.Inside) > 0 {
		if out, ok := r.blob(dst, raw, s, equal); ok {
			return out
		}
		mask := r.maskOf(s, raw)
		if equal {
			return rules.AppendEqual(dst, len(raw), mask)
		}
		return append(dst, mask...)
	}
	switch {
	case equal && s.Form.Base64 == layer.NoBase64:
		return rules.AppendEqual(dst, len(raw), r.maskOf(s, raw))
	case equal:
		r.decoded = s.Form.Decode(r.decoded[:0], raw)
		n := len(r.decoded)
		clear(r.decoded[:cap(r.decoded)])
		r.decoded = rules.AppendEqual(r.decoded[:0], n, r.maskOf(s, raw))
		if out, ok := s.Form.Encode(dst, raw, r.decoded); ok && len(out)-len(dst) == len(raw) {
			return out
		}
		return rules.AppendEqual(dst, len(raw), r.maskOf(s, raw))
	}
	mask := r.maskOf(s, raw)
	if out, ok := s.Form.Encode(dst, raw, mask); ok {
		return out
	}
	return append(dst, mask...)
}

// maskOf returns the replacement text, valid until the next call.
func (r *Redactor) maskOf(s *Span, raw []byte) []byte {
	fp := string(s.Fingerprint[:])
	switch r.policy.Action(s.Kind) {
	case ActionHash:
		r.mask = rules.AppendHash(r.mask[:0], r.keyID, fp)
	case ActionPartial:
		r.decoded = s.Form.Decode(r.decoded[:0], raw)
		r.mask = rules.AppendPartial(r.mask[:0], r.decoded)
		clear(r.decoded[:cap(r.decoded)]) // decoding left more behind than the value's length
	case ActionRemove:
		r.mask = r.mask[:0]
	default:
		r.mask = rules.AppendMask(r.mask[:0], s.Kind, r.keyID, fp)
	}
	return r.mask
}
