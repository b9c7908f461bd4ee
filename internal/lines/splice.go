package lines

import (
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
)

// spans writes masks into a JSON string as it is written, so that all around
// them stays byte for byte: escapes that nobody needed, surrogates without a
// partner, bytes that are not UTF-8.
type spans struct {
	policy redact.Policy // what the results say of their kinds
	masks  *redact.Redactor
	mask   []byte
}

func newSpans(keyID string) spans {
	policy := redact.Policy{}
	return spans{policy: policy, masks: redact.NewRedactor(policy, keyID)}
}

// splice appends the object with its findings masked to dst. base is where the
// text begins in the results' arena. It reports false, having appended nothing,
// when the record is dropped or a span parts a character.
func (s *spans) splice(dst []byte, o *object, found []pipeline.Result, base int) (out []byte, ok bool, err error) {
	before := len(dst)
	w := place{raw: o.line[o.lo+1 : o.hi-1]}
	dst = append(dst, o.line[:o.lo+1]...)
	from := 0 // in the raw string
	for i := range found {
		r := &found[i]
		if r.Action == redact.ActionDropRecord {
			return dst[:before], false, nil
		}
		if r.Action == redact.ActionReport {
			continue
		}
		low, high := w.to(r.Blob-base), w.to(r.End-base)
		if low < 0 || high < 0 {
			return dst[:before], false, nil
		}
		s.policy[r.Kind] = r.Action
		span := redact.Span{Start: r.Start - r.Blob, End: r.End - r.Blob, Kind: r.Kind, Form: r.Form, Fingerprint: r.Fingerprint}
		s.mask, err = s.masks.Apply(s.mask[:0], o.text[r.Blob-base:r.End-base], []redact.Span{span}, false)
		if err != nil {
			return dst[:before], false, err
		}
		dst = append(dst, w.raw[from:low]...)
		quoted := appendString(nil, s.mask)
		dst = append(dst, quoted[1:len(quoted)-1]...)
		from = high
	}
	dst = append(dst, w.raw[from:]...)
	return append(dst, o.line[o.hi-1:]...), true, nil
}

// place walks along the inside of a JSON string.
type place struct {
	raw     []byte
	at      int // in raw
	decoded int // in the text
}

// to moves on to an offset of the decoded text and returns the offset in raw, or
// -1 when it is inside a character or behind.
func (p *place) to(decoded int) int {
	for p.decoded < decoded && p.at < len(p.raw) {
		written, stands := character(p.raw[p.at:])
		p.at, p.decoded = p.at+written, p.decoded+stands
	}
	if p.decoded != decoded {
		return -1
	}
	return p.at
}

// character returns how many bytes the first character of a valid JSON string's
// inside takes, and how many bytes encoding/json decodes it to: U+FFFD for a byte
// that is not UTF-8 and for a surrogate without a partner.
func character(raw []byte) (written, decoded int) {
	const replacement = len("\uFFFD")
	switch {
	case raw[0] != '\\':
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			return 1, replacement
		}
		return n, n
	case raw[1] != 'u':
		return 2, 1
	}
	r := unit(raw)
	if !utf16.IsSurrogate(r) {
		return 6, utf8.RuneLen(r)
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' && utf16.DecodeRune(r, unit(raw[6:])) != unicode.ReplacementChar {
		return 12, 4
	}
	return 6, replacement
}

// unit reads \uXXXX.
func unit(raw []byte) rune {
	n, _ := strconv.ParseUint(string(raw[2:6]), 16, 16) // the string is valid
	return rune(n)
}
