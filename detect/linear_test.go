package detect

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// A value that is made of keys or prefixes is read a bounded number of times,
// however many of them end where it ends: four times the text takes some four times
// as long, not sixteen times.
func TestKeysInsideOneValueCostNoSquare(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	took := func(unit string, size int) time.Duration {
		b := &Batch{}
		b.SetLines([]byte(strings.Repeat(unit, size/len(unit))))
		best := time.Duration(1<<63 - 1)
		for range 3 {
			best = min(best, cpuTime(t, func() {
				if _, _, err := s.Scan(b); err != nil {
					t.Fatalf("%s: %v", unit, err)
				}
			}))
		}
		return best
	}
	for _, unit := range []string{"SAMLResponse=", "code=%2525", "code=", "M.C5.", "access_token=", "eyJhbGciOiJub25lIn0.e30.", "eyJhIjoi-", "user_code=ABCD-", "id_token=e.", `a_code="code='`,
		"H4sIAAAAAAAA", "AH4sIAAAAAAAA", "AeJwAAAAAAAAA", "Y2xpZW50X3NlY3JldA", "Y2xpZW50X3NlY3JldA/a-", "ImNsaWVudF9zZWNyZXQiOiJhc2tkamhha3NkamgzMiIs",
		"cookie=", "cookie: sid=a1b2c3d4e5f6;", `cookies={"`, "cookie=a;", "a_session=", "; session=a1b2c3d4e5f6a7", "sid=a; Path=/", "oidc_cache_get: enter: ",
		"access_token | ", "access_token in (", "user=a&password=",
		// Sentences, halves of pairs, lists of columns, and their ends that never come.
		"access_token: a and ", "access_token is ", "access_token,", `"access_token","`, "(access_token, ", `<access_token `, "access_token </a><b>",
		"access_token({", `name="access_token"\r\n`, "access_token words and ", "&amp;amp;", "code&amp;", `["client_secret","\\\\`, "verifier ", "code value is "} {
		for tries := 3; ; tries-- { // a busy machine disturbs one try, a square all of them
			one, four := took(unit, 64<<10), took(unit, 256<<10)
			if four <= 10*one {
				break
			}
			if tries == 1 {
				t.Errorf("%s: 64 KiB took %v, 256 KiB %v", unit, one, four)
				break
			}
		}
	}
}

// What is longer than what is judged of a value is found whole all the same.
func TestLongValuesAreFoundWhole(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	payload := `{"groups":"` + random(base64url, 3*maxJudged) + `"}`
	chain := `{"alg":"RS256","x5c":["` + random(base64url, 2*maxJudged) + `"]}`
	for _, value := range []string{
		fake(`{"alg":"RS256"}`, payload), fake(chain, `{"sub":"`+uuid()+`"}`), fake(chain, payload),
		fake(`{"alg":"RS256"}`, `{"a":"`+random(base64url, 2*maxJWT)+`"}`),
	} {
		for _, g := range []string{"got V from upstream", "assertion=V&client_id=a", "access_token=V", `{"m":"{\"id_token\":\"V\"}"}`, "Authorization: Bearer V", "u=%26access_token%3DV%26a%3Db"} {
			foundIn(t, s, g, value)
		}
	}
	saml := base64.StdEncoding.EncodeToString([]byte("<samlp:Response " + random(base64url, 3*maxJudged) + ">"))
	for _, g := range []string{"SAMLResponse=V&RelayState=a", "got V here"} {
		foundIn(t, s, g, saml)
	}
	for _, text := range []string{ // no JSON, though it begins with a brace
		"got " + base64.RawURLEncoding.EncodeToString([]byte(`{"a" b`+random(base64url, 3*maxJudged))) + "." + random(base64url, 43) + "." + random(base64url, 43),
	} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%.60s: %.200s", text, shown(text, found))
		}
	}
}
