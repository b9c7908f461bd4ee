package rules

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/url"
	"strings"
	"text/template"
)

// Rendered is an example with its templates filled.
type Rendered struct {
	Text, Value string
}

// Render fills an example with values drawn from rnd. Functions for value:
// b64u, alnum, unreserved, hex, upperhex, digits, base32 (each with a length),
// uuid, crc (a GitHub checksum over its argument appended), supabase (a refresh
// token with its checksum), jwt (claims as pairs). For text: .Value, and the pipes pct, json, b64 and b64u64 (base64url)
// that write a value in an encoding.
func (e Example) Render(rnd *rand.Rand) (Rendered, error) {
	funcs := functions(rnd)
	value, err := fill("value", e.Value, funcs, nil)
	if err != nil {
		return Rendered{}, err
	}
	text, err := fill("text", e.Text, funcs, struct{ Value string }{value})
	return Rendered{Text: text, Value: value}, err
}

func fill(name, text string, funcs template.FuncMap, data any) (string, error) {
	parsed, err := template.New(name).Funcs(funcs).Parse(text)
	if err != nil {
		return "", fmt.Errorf("example: %w", err)
	}
	var out strings.Builder
	if err := parsed.Execute(&out, data); err != nil {
		return "", fmt.Errorf("example: %w", err)
	}
	return out.String(), nil
}

func functions(rnd *rand.Rand) template.FuncMap {
	draw := func(alphabet string) func(int) string {
		return func(n int) string {
			out := make([]byte, n)
			for i := range out {
				out[i] = alphabet[rnd.IntN(len(alphabet))]
			}
			return string(out)
		}
	}
	bytesOf := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(rnd.Uint32())
		}
		return out
	}
	return template.FuncMap{
		"b64u":       draw(Alphabets["base64url"]),
		"alnum":      draw(alnum),
		"unreserved": draw(Alphabets["unreserved"]),
		"hex":        draw("0123456789abcdef"),
		"upperhex":   draw("0123456789ABCDEF"),
		"digits":     draw("0123456789"),
		"base32":     draw("abcdefghijklmnopqrstuvwxyz234567"),
		"uuid": func() string {
			h := hex.EncodeToString(bytesOf(16))
			return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		},
		"supabase": func() string { return supabase(bytesOf) },
		"crc":      func(prefix string, n int) string { return withCRC(prefix, draw(alnum)(n)) },
		"jwt":      func(pairs ...string) (string, error) { return jwt(bytesOf, pairs) },
		"pct":      url.QueryEscape,
		"b64":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"json":     jsonString,
	}
}

// withCRC appends the checksum that GitHub's tokens carry: base62 of the
// CRC-32 over the random part, padded to six characters.
func withCRC(prefix, random string) string {
	sum := crc32.ChecksumIEEE([]byte(random))
	var tail [6]byte
	for i := 5; i >= 0; i-- {
		tail[i] = alnum[sum%62]
		sum /= 62
	}
	return prefix + random + string(tail[:])
}

// supabase builds a refresh token of version 2: a zero, the session's UUID, a
// counter, a MAC, and the first bytes of the SHA-256 of all that.
func supabase(bytesOf func(int) []byte) string {
	raw := append([]byte{0}, bytesOf(16)...)
	raw = append(raw, 1)
	raw = append(raw, bytesOf(16)...)
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append(raw, sum[:4]...))
}

// jwt builds a compact JWS with the given payload claims; "header.x" goes to
// the header instead.
func jwt(bytesOf func(int) []byte, pairs []string) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("jwt: want pairs of name and value")
	}
	header := map[string]any{"alg": "RS256"}
	claims := map[string]any{"iat": 1700000000}
	for i := 0; i < len(pairs); i += 2 {
		if name, ok := strings.CutPrefix(pairs[i], "header."); ok {
			header[name] = pairs[i+1]
		} else {
			claims[pairs[i]] = pairs[i+1]
		}
	}
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc(head) + "." + enc(body) + "." + enc(bytesOf(64)), nil
}

func jsonString(s string) (string, error) {
	out, err := json.Marshal(s)
	return string(out), err
}
