package detect

import (
	"strings"
	"testing"
)

// Gzip data is inflated once: what is inside another is masked whole, since each
// level multiplies.
func TestGzipInGzipIsNotInflated(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	clean := strings.Repeat("nothing to see here, move on. ", 5)
	if found := scanText(t, s, "payload="+gzipped(clean)); len(found) > 0 {
		t.Errorf("clean text, once: %d findings", len(found))
	}
	inner := gzipped("access_token=" + random(base64url, 43) + "\n" + clean)
	for _, text := range []string{inner, gzipped("note " + inner + " end")} {
		if found := scanText(t, s, "payload="+text); len(found) != 1 {
			t.Errorf("%d findings", len(found))
		}
	}
}

// A jar that is empty hides none behind it.
func TestEmptyJars(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	v := "Q8" + random(base64url, 41)
	for _, text := range []string{
		`{"cookies":[],"headers":{"cookie":"sid=V"}}`, `{'cookies': '', 'headers': {'Cookie': 'sid=V'}}`,
		`{"cookie":"","set-cookie":"sid=V; Path=/"}`, `cookies=[] set_cookie=sid=V`, `cookies=() set-cookie=(sid=V)`,
		`Cookie: theme=dark, Set-Cookie: sid=V; Path=/`,
		`Set-Cookie: a=b; Expires=Wed, 09 Jun 2027 10:18:14 GMT, sid=V; Path=/`,
	} {
		foundIn(t, s, text, v)
	}
	if found := scanText(t, s, `{"cookie":"","session":"r7Kx0q2W9e5"}`); len(found) > 0 {
		t.Error("a member behind an empty jar is taken for a cookie")
	}
}

// The values of the RFCs' examples are no secrets.
func TestDocumentedValuesStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for v := range documented {
		for _, text := range []string{"code=" + v + "&state=xyz", `{"access_token":"` + v + `"}`, "Authorization: Bearer " + v, "Authorization: Basic " + v, "code_verifier=" + v} {
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%s: %s", text, shown(text, found))
			}
		}
	}
}
