package layer

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
)

// Encode appends to dst what stands for the whole of raw when its value becomes
// replacement (unreserved characters). Of a base64 blob the first Lead decoded
// bytes stay, and alphabet, padding and the escapes of the blob's own characters
// are kept. It reports false, and appends nothing, when the blob cannot be
// re-encoded faithfully: when its own bytes would not give raw again.
func (f Form) Encode(dst, raw, replacement []byte) ([]byte, bool) {
	if f.Base64 == NoBase64 {
		return append(dst, replacement...), true
	}
	if f.Gzip {
		return dst, false
	}
	blob := f.unescape(nil, raw)
	text, ok := f.decodeBlob(blob)
	if !ok || len(text) < f.Lead {
		return dst, false
	}
	return f.rewrite(dst, raw, blob, text, append(append([]byte(nil), text[:f.Lead]...), replacement...))
}

// rewrite appends the blob of changed in the style of raw, whose blob is text's.
func (f Form) rewrite(dst, raw, blob, text, changed []byte) ([]byte, bool) {
	padded := bytes.HasSuffix(blob, []byte("="))
	style := escapeStyle(raw)
	if !bytes.Equal(style.write(nil, f.encodeBlob(text, padded || len(text)%3 == 0)), raw) {
		return dst, false
	}
	// Without padding in the original there is none to keep, unless it needed none.
	return style.write(dst, f.encodeBlob(changed, padded || len(text)%3 == 0)), true
}

func (f Form) encodeBlob(text []byte, padded bool) []byte {
	switch f.Base64 {
	case HexLower:
		return hex.AppendEncode(nil, text)
	case HexUpper:
		return bytes.ToUpper(hex.AppendEncode(nil, text))
	}
	out := f.encoding().AppendEncode(nil, text)
	for padded && len(out)%4 != 0 {
		out = append(out, '=')
	}
	return out
}

// style says how the characters of a blob that are no letters are escaped.
type style struct {
	percent string // "%", "%25" …; "" when raw
	lower   bool   // %2f instead of %2F
	slash   string // backslashes before "/"
}

func escapeStyle(raw []byte) style {
	var s style
	if i := bytes.IndexByte(raw, '%'); i >= 0 {
		end := i + 1
		for bytes.HasPrefix(raw[end:], []byte("25")) && len(raw) >= end+4 {
			end += 2
		}
		s.percent = string(raw[i:end])
		s.lower = bytes.ContainsAny(raw[end:min(len(raw), end+2)], "abcdef")
	}
	if i := bytes.IndexByte(raw, '\\'); i >= 0 {
		end := i
		for end < len(raw) && raw[end] == '\\' {
			end++
		}
		s.slash = string(raw[i:end])
	}
	return s
}

func (s style) write(dst, blob []byte) []byte {
	dst = slices.Grow(dst, len(blob))
	for _, c := range blob {
		switch {
		case s.percent != "" && (c == '+' || c == '/' || c == '='):
			code := map[byte]string{'+': "2B", '/': "2F", '=': "3D"}[c]
			if s.lower {
				code = strings.ToLower(code)
			}
			dst = append(append(dst, s.percent...), code...)
		case s.slash != "" && c == '/':
			dst = append(append(dst, s.slash...), c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
