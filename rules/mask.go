package rules

import (
	"bytes"
	"strings"
)

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
	if !allIn(value[:keep], Alphabets["base64url"]) {
		keep = 0
	}
	dst = append(dst, value[:keep]...)
	return append(dst, partialSuffix...)
}

// AppendEqual appends a mask of exactly n bytes to dst, for payloads whose
// lengths are written down elsewhere: the mask filled up with '-'. A mask that
// is too long is cut to REDACTED.<kind>, REDACTED or HASHED, never inside a
// part: IsMask could not tell half a fingerprint from a secret.
func AppendEqual(dst []byte, n int, mask []byte) []byte {
	end := len(dst) + n
	dst = append(dst, fitting(mask, n)...)
	for len(dst) < end {
		dst = append(dst, '-')
	}
	return dst
}

// fitting returns the longest beginning of mask of at most n bytes that may
// stand alone, or nothing.
func fitting(mask []byte, n int) []byte {
	if len(mask) <= n {
		return mask
	}
	if rest, ok := bytes.CutPrefix(mask, []byte(maskPrefix)); ok {
		kind, _, _ := bytes.Cut(rest, []byte("."))
		if whole := len(maskPrefix) + len(kind); whole <= n {
			return mask[:whole]
		}
		if word := len(maskPrefix) - 1; word <= n {
			return mask[:word]
		}
	}
	if word := len(hashPrefix) - 1; bytes.HasPrefix(mask, []byte(hashPrefix)) && word <= n {
		return mask[:word]
	}
	return nil
}

// IsMask reports whether value is, as a whole, a mask that leakveil wrote:
// such a value is left alone, so that running twice changes nothing. Only what
// AppendEqual adds may follow, and a value of nothing but '-' is one of its.
func IsMask(value []byte) bool {
	if len(value) == 0 {
		return false
	}
	if rest, ok := bytes.CutPrefix(value, []byte(maskPrefix)); ok {
		kind, rest, more := bytes.Cut(rest, []byte("."))
		if !more {
			return isKind(bytes.TrimRight(kind, "-"))
		}
		return isKind(kind) && isTail(rest)
	}
	if rest, ok := bytes.CutPrefix(value, []byte(hashPrefix)); ok {
		return isTail(rest)
	}
	switch head := bytes.TrimRight(value, "-"); string(head) {
	case "", "REDACTED", "HASHED":
		return true
	default:
		kept, ok := bytes.CutSuffix(head, []byte(partialSuffix))
		return ok && len(kept) <= maxPartial && allIn(kept, Alphabets["base64url"])
	}
}

// BeforeMask returns what stands before a mask that ends value, or value when it
// ends in none: access_token=REDACTED.… is no value because of its mask.
func BeforeMask(value []byte) []byte {
	end := bytes.TrimRight(value, "-") // what AppendEqual fills up with
	if n := len(end) - FingerprintLen; n < len(hashPrefix) || end[n-1] != '.' {
		return value // as most do: the fingerprint and its dot end every mask
	}
	for _, prefix := range []string{maskPrefix, hashPrefix} {
		if i := bytes.Index(value, []byte(prefix)); i > 0 && IsMask(value[i:]) {
			return value[:i]
		}
	}
	return value
}

// isTail reports whether rest is <key id>.<fingerprint>, filled up or not.
func isTail(rest []byte) bool {
	id, rest, ok := bytes.Cut(rest, []byte("."))
	return ok && len(id) > 0 && len(id) <= maxKeyID && allIn(id, Alphabets["base64url"]) &&
		len(rest) >= FingerprintLen && allIn(rest[:FingerprintLen], Alphabets["base64url"]) &&
		allIn(rest[FingerprintLen:], "-")
}

func isKind(text []byte) bool {
	for _, k := range kinds {
		if string(text) == string(k) {
			return true
		}
	}
	return false
}

func allIn(text []byte, alphabet string) bool {
	for _, c := range text {
		if strings.IndexByte(alphabet, c) < 0 {
			return false
		}
	}
	return true
}
