package detect

import (
	"strings"
	"testing"
)

// JSON that was percent-encoded twice, with a blank behind the colon.
func TestEncodedJSONWithBlanks(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"code", "token", "access_token"} {
		for _, g := range []string{"%7B%22K%22%3A%20%22V%22%2C%22client_id%22%3A%22a%22%7D", "%257B%2522K%2522%253A%2520%2522V%2522%252C%2522client_id%2522%253A%2522a%2522%257D"} {
			foundIn(t, s, strings.Replace(g, "K", key, 1), random(base64url[:62], 42)+"7")
		}
	}
}
