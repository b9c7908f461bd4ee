package detect

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestDexRefreshTokens(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	const digits32 = "abcdefghijklmnopqrstuvwxyz234567"
	for range 500 {
		value := base64.RawURLEncoding.EncodeToString([]byte("\x0a\x19" + random(digits32, 25) + "\x12\x19" + random(digits32, 25)))
		foundIn(t, s, "claimed V twice", value)
	}
}

// The sentence goes on behind a reference, or its expiry.
func TestRequestURIsEndBeforeTheSentence(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, g := range []string{"V: not found", "V:expired", "cannot redeem 'V': used"} {
		value := "urn:ietf:params:oauth:request_uri:" + random(base64url, 43)
		text := strings.Replace(g, "V", value, 1)
		found := scanText(t, s, text)
		if len(found) != 1 || !strings.HasPrefix(text[found[0].Start:found[0].End], value) {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
}
