package detect

import "testing"

// A secret may begin with what names of hash functions begin with.
func TestSecretsLikeHashNames(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, start := range []string{"shA4b", "MD5P", "http9", "Sha2_"} {
		value := start + random(base64url[:62], 38)
		text := `{"client_id":"web-shop","secret":"` + value + `"}`
		if found := scanText(t, s, text); len(found) != 1 || text[found[0].Start:found[0].End] != value {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
	for _, value := range []string{
		"sha256:" + random("0123456789abcdef", 64), "md5" + random("0123456789abcdef", 33)[1:], "SHA1$" + random(base64url[:62], 8) + "$" + random("0123456789abcdef", 40),
		"http://vault.internal/v1/secret/web",
	} {
		text := `{"client_id":"web-shop","secret":"` + value + `"}`
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
}
