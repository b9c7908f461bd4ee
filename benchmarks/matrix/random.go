package matrix

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The time of every line, as access logs and ISO 8601 write it.
const (
	clf = "20/Nov/2026:08:15:00 +0000"
	iso = "2026-11-20T08:15:00.000Z"
)

// epoch is the time of every line, in seconds since 1970: 2026-11-20T08:15:00Z.
const epoch = 1_795_162_500

// source draws everything random.
type source struct{ rnd *rand.Rand }

func newSource(seed uint64) *source { return &source{rand.New(rand.NewPCG(seed, 0x6d6174726978))} }

// Alphabets of values.
const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits       = "0123456789"
	alphanumeric = upperLetters + lowerLetters + digits
	urlSafe      = alphanumeric + "-_"
	unreserved   = urlSafe + ".~"
)

// draw returns n characters of an alphabet.
func (s *source) draw(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[s.rnd.IntN(len(alphabet))]
	}
	return string(out)
}

func (s *source) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(s.rnd.Uint32())
	}
	return out
}

// base64url returns n random bytes as base64url without padding.
func (s *source) base64url(n int) string { return base64.RawURLEncoding.EncodeToString(s.bytes(n)) }

// hex returns n random bytes as 2n lower-case digits.
func (s *source) hex(n int) string { return hex.EncodeToString(s.bytes(n)) }

func dashed(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// uuid returns a version 4 UUID (RFC 9562 §5.4).
func (s *source) uuid() string {
	b := s.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return dashed(b)
}

func (s *source) number(low, high int) string { return strconv.Itoa(low + s.rnd.IntN(high-low)) }

func (s *source) ip() string {
	return "10." + s.number(0, 64) + "." + s.number(0, 256) + "." + s.number(1, 255)
}

// one draws one of the choices.
func one[T any](s *source, choices ...T) T { return choices[s.rnd.IntN(len(choices))] }

// clients is every client that the streams speak of, the busiest first.
var clients = []string{
	"web-shop", "spa-bank", "mobile-app", "tv-living-room", "batch-invoices", "partner-portal",
	"0oa1f9x3kq7Zr2LmT5d7", "5h2k8q1v7c3x9z4b6n0m1p2r3t", "backoffice_ui", "grafana",
	"8c1f5b7e-0d5c-4a8e-9f2b-6a3d1c7e4b90", "kiosk.checkout", "loyalty-api", "Iv23liQ9tXw4ZpKc0aBd",
	"cms-editor", "286304177215508482@field-service", "driver-app-ios", "driver-app-android",
	"407408718192-k3v9q1r7t5.apps.googleusercontent.com", "data-export", "s6BhdRkqt3", "warehouse~scanner",
}

// client draws a client; the first ones come most often.
func (s *source) client() string {
	n := len(clients)
	return clients[min(s.rnd.IntN(n), s.rnd.IntN(n))]
}

// claim writes JSON members from names and values in turn. A value that begins
// with [ { or a digit stands as it is, any other is a string.
func claims(pairs ...string) string {
	var out strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		out.WriteByte("{,"[min(i, 1)])
		out.WriteString(`"` + pairs[i] + `":`)
		if v := pairs[i+1]; strings.ContainsRune("[{", rune(v[0])) || strings.Trim(v, digits) == "" {
			out.WriteString(v)
		} else {
			out.WriteString(`"` + escapeJSON(v) + `"`)
		}
	}
	return out.String() + "}"
}

func encodePart(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// jws builds a compact JWS (RFC 7515 §3.1) whose signature has n random bytes.
func (s *source) jws(algorithm, typ string, n int, pairs ...string) string {
	header := claims("alg", algorithm, "typ", typ, "kid", s.base64url(16))
	return encodePart(header) + "." + encodePart(claims(pairs...)) + "." + s.base64url(n)
}

// times are the claims that every JWT here has.
func (s *source) times(life int64, pairs ...string) []string {
	const at = epoch
	return append([]string{"exp", strconv.FormatInt(at+life, 10), "iat", strconv.FormatInt(at, 10)}, pairs...)
}
