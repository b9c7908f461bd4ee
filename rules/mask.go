package rules

import "bytes"

// The forms of a mask. All are unreserved characters (RFC 3986 §2.3), so that
// JSON, URLs, headers, cookies and logfmt stay what they were.
const (
	maskPrefix    = "REDACTED."
	hashPrefix    = "HASHED."
	partialSuffix = ".REDACTED"
	// FingerprintLen is the length of a fingerprint as text: 128 bits, base64url.
	FingerprintLen = 22
	maxKeyID       = 32
	maxPartial     = 4
)

// AppendMask appends REDACTED.<kind>.<key id>.<fingerprint> to dst.
func AppendMask(dst []byte, k Kind, keyID, fingerprint string) []byte {
	dst = append(dst, maskPrefix...)
	dst = append(dst, k...)
	dst = append(dst, '.')
	dst = append(dst, keyID...)
	dst = append(dst, '.')
	return append(dst, fingerprint...)
}

// AppendHash appends HASHED.<key id>.<fingerprint> to dst.
func AppendHash(dst []byte, keyID, fingerprint string) []byte {
	dst = append(dst, hashPrefix...)
	dst = append(dst, keyID...)
	dst = append(dst, '.')
	return append(dst, fingerprint...)
}

// AppendPartial appends the first characters of a value (none of them when the
// value is short) and .REDACTED to dst.
func AppendPartial(dst, value []byte) []byte {
	keep := min(maxPartial, len(value)/8)
	for _, c := range value[:keep] {
		if bytes.IndexByte([]byte(Alphabets["base64url"]), c) < 0 {
			keep = 0
		}
	}
	dst = append(dst, value[:keep]...)
	return append(dst, partialSuffix...)
}

// AppendEqual appends a mask of exactly n bytes to dst, for payloads whose
// lengths are written down elsewhere: the mask, cut or filled up with '-'.
func AppendEqual(dst []byte, n int, mask []byte) []byte {
	if n <= len(mask) {
		return append(dst, mask[:n]...)
	}
	dst = append(dst, mask...)
	for range n - len(mask) {
		dst = append(dst, '-')
	}
	return dst
}

// IsMask reports whether value is, as a whole, a mask that leakveil wrote:
// such a value is left alone, so that running twice changes nothing.
func IsMask(value []byte) bool {
	value = bytes.TrimRight(value, "-")
	if rest, ok := bytes.CutPrefix(value, []byte(maskPrefix)); ok {
		kind, rest, whole := bytes.Cut(rest, []byte("."))
		if !whole {
			return isCutMask(kind)
		}
		return Kind(kind).Valid() && isTail(rest)
	}
	if rest, ok := bytes.CutPrefix(value, []byte(hashPrefix)); ok {
		return isTail(rest)
	}
	head, ok := bytes.CutSuffix(value, []byte(partialSuffix))
	return ok && len(head) <= maxPartial && allIn(head, Alphabets["base64url"])
}

// isTail reports whether rest is <key id>.<fingerprint>, or a cut of it.
func isTail(rest []byte) bool {
	id, fp, _ := bytes.Cut(rest, []byte("."))
	return len(id) <= maxKeyID && allIn(id, Alphabets["base64url"]) &&
		len(fp) <= FingerprintLen && allIn(fp, Alphabets["base64url"])
}

// isCutMask reports whether text is the beginning of a kind: a mask of equal
// length for a short value.
func isCutMask(text []byte) bool {
	for _, k := range kinds {
		if bytes.HasPrefix([]byte(k), text) {
			return true
		}
	}
	return false
}

func allIn(text []byte, alphabet string) bool {
	for _, c := range text {
		if bytes.IndexByte([]byte(alphabet), c) < 0 {
			return false
		}
	}
	return true
}
