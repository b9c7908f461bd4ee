package detect

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// brackets are the ways of writing something around a value, V for the value.
var brackets = []string{
	"<V>", "[V]", "{V}", "(V)", "${V}", "{{V}}", "%V%", "[[V]]", "<<V>>",
	"%3CV%3E", "%5BV%5D", "%7BV%7D", `\u003cV\u003e`, "&lt;V&gt;", "<![CDATA[V]]>",
}

// bracketGlues are glues in which a bracketed value stands, K for the key and W
// for the value with its brackets.
var bracketGlues = []string{
	`K=W`, `x K=W y`, `GET /cb?a=b&K=W&state=s1 HTTP/1.1`, `{"K":"W","b":1}`, `{"K": "W"}`, `{'K': 'W', 'b': 1}`,
	`K: W`, `K: "W"`, `K='W'`, `level=info K="W" msg=x`, `{"m":"{\"K\":\"W\"}"}`,
}

// written reports whether brackets can stand in a glue.
func written(glue, bracket string) bool {
	switch {
	case strings.Contains(bracket, `\u`):
		return strings.Contains(glue, `"`) && !strings.Contains(glue, `\`)
	case strings.HasPrefix(bracket, "%"):
		return bracket == "%V%" || strings.Contains(glue, "&K=")
	case strings.Contains(bracket, "CDATA"):
		return !strings.ContainsAny(glue, `"'`)
	case strings.Contains(bracket, "&lt;"):
		return !strings.Contains(glue, "?")
	}
	return true
}

// Brackets make no placeholder of a random value, whatever it is made of: what
// stands inside is found, and all of it.
func TestBracketedValuesAreFound(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"code_verifier", "access_token", "refresh_token", "client_secret", "code", "token", "device_code"} {
		for _, g := range bracketGlues {
			for _, bracket := range brackets {
				if !written(g, bracket) || strings.Contains(bracket, "&lt;") && !strings.Contains(key, "_") { // each would cost weak keys an expression
					continue
				}
				for _, value := range []string{
					random(base64url, 43), random(base64url[:62], 32), random(rules.Alphabets["unreserved"], 63) + "7",
					hex.EncodeToString(randomBytes(20)), random(base64url, 128), uuid() + "." + uuid() + "." + uuid(),
				} {
					if bracket == "%V%" && isDigit(value[0]) { // %20 is a blank
						continue
					}
					text := strings.Replace(strings.ReplaceAll(g, "K", key), "W", strings.Replace(bracket, "V", value, 1), 1)
					found := scanText(t, s, text)
					if len(found) != 1 || text[found[0].Start:found[0].End] != value {
						t.Fatalf("%q: %s", text, shown(text, found))
					}
				}
			}
		}
	}
}

// What people and other redactors write in place of a value is none, in any
// brackets and behind any key.
func TestPlaceholdersStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, inner := range []string{
		"redacted", "REDACTED", "client_secret", "your-client-secret-here", "access token", "FILTERED", "***", "****************",
		"hidden by policy", "CLIENT_SECRET", "oauth.client.secret", "Values.oauth.clientSecret", "xxxxxxxx", "null", "secret value",
		"redacted:{H}", "masked-{H}", "sha256:{H}{H}", "hash:{H}", "MASKED {H}", "REDACTED.code_verifier.k1.{F}", "insert token",
	} {
		for _, key := range []string{"code_verifier", "access_token", "refresh_token", "client_secret", "code", "token", "device_code"} {
			for _, g := range bracketGlues {
				for _, bracket := range brackets {
					if !written(g, bracket) || bracket == "(V)" || strings.Contains(inner, " ") && !strings.Contains(g, `"W`) {
						continue
					}
					filled := strings.ReplaceAll(fill(inner), "{F}", random(base64url, 22))
					text := strings.Replace(strings.ReplaceAll(g, "K", key), "W", strings.Replace(bracket, "V", filled, 1), 1)
					if found := scanText(t, s, text); len(found) > 0 {
						t.Errorf("%q: %s", text, shown(text, found))
					}
				}
			}
		}
	}
}

// A mark inside a value hides it only when little else is left of it.
func TestMarksInValues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	part := func(n int) string { return random(base64url[:62], n-1) + "7" }
	for _, mark := range []string{"****", "********", "xxxxxx", "XXXXXX", "xxxxxxxxxxxx"} {
		for _, g := range []string{"client_secret=V", `{"client_secret":"V"}`, `{"access_token":"V"}`, "refresh_token=V&x=y", `{"code_verifier":"V"}`} {
			for _, tc := range []struct {
				value string
				found bool
			}{
				{mark, false}, {part(4) + mark, false}, {mark + part(4), false}, {part(6) + mark + part(4), false},
				{part(3) + mark + part(4) + mark + part(5), false}, {"gh" + "o_" + mark + part(4), false}, {"authe" + "lia_at_" + mark, false},
				{"sk_li" + "ve_" + mark + part(4), false}, {"token-" + mark, false},
				{part(2) + mark + part(30), true}, {part(30) + mark, true}, {part(20) + mark + part(20), true}, {mark + part(12), true},
				{part(100) + mark + part(4), true}, {part(70) + mark, true},
			} {
				text := strings.Replace(g, "V", tc.value, 1)
				found := scanText(t, s, text)
				if (len(found) > 0) != tc.found && !(strings.Contains(g, "code_verifier") && mark[0] == '*') {
					t.Errorf("%q: %s", text, shown(text, found))
				}
			}
		}
	}
}

// Whatever it is made of, a random value is no placeholder.
func TestRandomValuesAreNoPlaceholders(t *testing.T) {
	for name, alphabet := range rules.Alphabets {
		for range 2000 {
			v := []byte(random(alphabet, 24+rand.IntN(100)))
			if isPlaceholder(v) {
				t.Fatalf("%s: %q", name, v)
			}
		}
	}
}
