package detect

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/leakveil/leakveil/rules"
)

// The functions of this file recognise values by their whole shape, where no key,
// prefix or scheme stands beside them. Each takes exactly the value, without
// what stands around it, allocates nothing, and refutes at the first wrong byte.

// shape is one of rules.ShapeNames.
type shape struct {
	fits       func(v []byte) bool
	confidence rules.Confidence
}

var shapes = map[string]shape{
	"keycloak_code":    {keycloakCode, rules.Certain},
	"fosite_token":     {fositeToken, rules.Likely},
	"duende_handle":    {duendeHandle, rules.Certain},
	"supabase_refresh": {supabaseRefresh, rules.Proven},
}

// leastShape and mostShape are the lengths of the shortest and the longest of them.
const (
	leastShape = 51
	mostShape  = 3*uuidLen + 2
)

// keycloakCode reports whether v is one of Keycloak's authorization codes: a
// UUID, the user session (a UUID, since 26.5 the 24 characters of 18 bytes), and
// the client's internal UUID, joined by dots.
func keycloakCode(v []byte) bool {
	const uuids, short = 3*uuidLen + 2, 2*uuidLen + 2 + 24
	if len(v) != uuids && len(v) != short {
		return false
	}
	session := v[uuidLen+1 : len(v)-uuidLen-1]
	if v[uuidLen] != '.' || v[len(v)-uuidLen-1] != '.' || !lowerUUID(v[:uuidLen]) || !lowerUUID(v[len(v)-uuidLen:]) {
		return false
	}
	if len(v) == uuids {
		return lowerUUID(session)
	}
	return allIn(session, alphabets["base64url"])
}

// lowerUUID reports whether v is a UUID in lower case that is not made of one
// digit: the nil UUID stands in examples.
func lowerUUID(v []byte) bool {
	if len(v) != uuidLen {
		return false
	}
	same := true
	for i, c := range v {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !isDigit(c) && c-'a' > 5:
			return false
		default:
			same = same && c == v[0]
		}
	}
	return !same
}

// fositePart is the length of 32 bytes in base64url.
const fositePart = 43

// fositeToken reports whether v is a token or code of ory/fosite without a
// prefix: a random key and its HMAC, 32 bytes each in base64url, joined by a dot.
func fositeToken(v []byte) bool {
	if len(v) != 2*fositePart+1 || v[fositePart] != '.' {
		return false
	}
	key, mac := v[:fositePart], v[fositePart+1:]
	in := alphabets["base64url"]
	return allIn(key, in) && allIn(mac, in) && drawn(key) && drawn(mac)
}

// drawn reports whether 43 characters of base64url look drawn at random and not
// like hexadecimal or a name: one of 32 bytes misses it in less than 10^6.
func drawn(v []byte) bool {
	lowers, uppers := 0, 0
	for _, c := range v {
		if isLower(c) {
			lowers++
		} else if isUpper(c) {
			uppers++
		}
	}
	return lowers >= 3 && uppers >= 3 && score(v) >= randomBits
}

// duendeHandle reports whether v is a handle of Duende IdentityServer: 32 bytes
// in upper-case hexadecimal and the version -1.
func duendeHandle(v []byte) bool {
	const digits = 64
	if len(v) != digits+2 || v[digits] != '-' || v[digits+1] != '1' {
		return false
	}
	seen := 0
	for _, c := range v[:digits] {
		if isLower(c) || unhex(c) > 15 {
			return false
		}
		seen |= 1 << unhex(c)
	}
	return distinct(seen) >= 8
}

func distinct(seen int) (n int) {
	for ; seen != 0; seen &= seen - 1 {
		n++
	}
	return n
}

// supabaseRefresh reports whether v is a refresh token of Supabase, version 2:
// base64url of a zero, the session's UUID, a counter (uvarint), a MAC of 16
// bytes, and the first four bytes of the SHA-256 of all that, which proves it.
func supabaseRefresh(v []byte) bool {
	const (
		session, mac, sum = 16, 16, 4
		least             = 1 + session + 1 + mac + sum // bytes, with the shortest counter
		shortest          = (least*8 + 5) / 6
		longest           = ((least + binary.MaxVarintLen64 - 1) * 8 / 6) + 1
	)
	if len(v) < shortest || len(v) > longest || v[0] != 'A' || v[1]-'A' > 15 {
		return false
	}
	if !allIn(v, alphabets["base64url"]) { // the decoder passes over line ends
		return false
	}
	var buf [longest]byte
	n, err := base64.RawURLEncoding.Decode(buf[:], v)
	if err != nil {
		return false
	}
	counter := buf[1+session : n-mac-sum]
	if _, used := binary.Uvarint(counter); used != len(counter) {
		return false
	}
	want := sha256.Sum256(buf[:n-sum])
	return string(want[:sum]) == string(buf[n-sum:n])
}

// allIn reports whether every byte of v is of the set.
func allIn(v []byte, in *set) bool {
	return run(v, 0, len(v), in) == len(v)
}

// slackCode reports whether v is an authorization code of Slack: two numbers and
// 64 hexadecimal digits, joined by dots.
func slackCode(v []byte) bool {
	const hexLen, shortest, longest = 64, 2*8 + 2 + 64, 2*16 + 2 + 64
	if len(v) < shortest || len(v) > longest || !isLongHex(v[len(v)-hexLen:]) {
		return false
	}
	numbers := v[:len(v)-hexLen]
	dots := 0
	for _, c := range numbers {
		if c == '.' {
			dots++
		} else if !isDigit(c) {
			return false
		}
	}
	return dots == 2 && numbers[0] != '.' && numbers[len(numbers)-1] == '.'
}

// entraToken reports whether v, which begins with 0.A or 1.A, has the segments
// of Microsoft Entra's codes and refresh tokens: the tenant and application, a
// digit in some, and the encrypted rest, both of which begin with A.
func entraToken(v []byte) bool {
	const tenant, rest = 40, 60
	if len(v) < 2 || v[1] != '.' {
		return false
	}
	first, v, ok := bytes.Cut(v[2:], dot)
	if !ok || len(first) < tenant {
		return false
	}
	if len(v) > 2 && isDigit(v[0]) && v[1] == '.' {
		v = v[2:]
	}
	second, _, _ := bytes.Cut(v, dot)
	return len(second) >= rest && second[0] == 'A'
}

var dot = []byte(".")

// signedValue reports whether v is an id and its HMAC-SHA256, as connect signs cookies.
func signedValue(v []byte) bool {
	const shortest = 16
	dot := bytes.LastIndexByte(v, '.')
	if dot < shortest || len(v)-dot-1 != fositePart {
		return false
	}
	mac := v[dot+1:]
	return allIn(mac, inStd) && looksRandom(mac) && looksRandom(v[:dot])
}

// casTicket reports whether v is a ticket of CAS: its kind, a number, a random part, and
// the name of the server in some.
func casTicket(v []byte) bool {
	_, v, _ = bytes.Cut(v, []byte("-"))
	number, rest, ok := bytes.Cut(v, []byte("-"))
	return ok && len(number) <= 10 && allIn(number, digits) && len(rest) >= minRest && looksRandom(rest) && !isNumber(rest)
}

// salesforceToken reports whether v is a Salesforce access token: the
// organisation's id (15 or 18 letters and digits), an exclamation mark, a session.
func salesforceToken(v []byte) bool {
	const short, long, session = 15, 18, 60
	at := bytes.IndexByte(v[:min(len(v), long+1)], '!')
	return (at == short || at == long) && isAlphanumeric(v[:at]) && len(v)-at > session && looksRandom(v[at+1:])
}

func isAlphanumeric(v []byte) bool { return allIn(v, alphabets["alnum"]) }

func checkSAML(_ *Scanner, _ *candidate, v []byte) bool {
	return len(v) >= 64 && !bytes.HasPrefix(v, []byte("PHNhbWxwOkF1dG")) // an AuthnRequest is no credential
}
