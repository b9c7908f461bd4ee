package detect

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

// A value that is made of keys or prefixes is read a bounded number of times,
// however many of them end where it ends.
func TestKeysInsideOneValueCostNoSquare(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, unit := range []string{"SAMLResponse=", "code=%2525", "code=", "M.C5.", "access_token=", "eyJhbGciOiJub25lIn0.e30.", "eyJhIjoi-", "user_code=ABCD-", "id_token=e.", `a_code="code='`} {
		b := &Batch{}
		b.SetLines([]byte(strings.Repeat(unit, (1<<20)/len(unit))))
		end := time.Now().Add(10 * time.Second)
		s.GiveUpWhen(func() bool { return time.Now().After(end) })
		if _, _, err := s.Scan(b); errors.Is(err, ErrExpired) {
			t.Errorf("%s: 1 MB took more than 10 s", unit)
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
