package detect

import (
	"strings"
	"testing"
)

// headerOf is the beginning of a JWT's header, n characters long.
func headerOf(n int) string { return "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im"[:n] }

// beginning is a random value that has no dash at its end and, short as it is, a
// digit in it, so that no test depends on one in a hundred that reads like a word.
func beginning(n int) string {
	for {
		if v := random(base64url, n); isAlnum(v[n-1]) && isAlnum(v[0]) && score([]byte(v)) >= randomBits && strings.ContainsAny(v, "0123456789") && !isName([]byte(v)) {
			return v
		}
	}
}

// What loggers leave of a value is found from eight characters on, and the mark that
// they put stays.
func TestCutValues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 20 {
		for _, text := range []string{
			"POST code_verifier={" + beginning(12) + "}... ok",
			"POST code_verifier={" + beginning(8) + "}…",
			"POST code_verifier={" + beginning(8) + "}",
			`{"access_token":"{` + headerOf(10) + `}…","x":1}`,
			`{"access_token":"{` + beginning(8) + `}…","x":1}`,
			`{"access_token":"{` + beginning(8) + `}\u2026","x":1}`,
			`{"refresh_token":"{` + beginning(10) + `}...(truncated)"}`,
			"refresh_token: {" + beginning(10) + "} [truncated 400 chars]",
			"client_secret={" + beginning(9) + "}[...]",
			"using token {" + headerOf(12) + "}... now",
			"using token {" + headerOf(30) + "}… now",
			"got {" + headerOf(20) + "}",
			"Authorization: Bearer {" + beginning(10) + "}...",
			`"Authorization":"Bearer {` + beginning(10) + `}`,
			"GET /cb?state=x&code={" + beginning(10) + "}...",
		} {
			open, end := strings.LastIndexByte(text, '{'), strings.LastIndexByte(text, '}')
			if n := strings.Index(text, `":"{`); n >= 0 {
				open = n + 3
				end = open + strings.IndexByte(text[open:], '}')
			}
			value := text[open+1 : end]
			text = text[:open] + value + text[end+1:]
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value || !found[0].Truncated {
				t.Errorf("%q: %+v", text, found)
			}
		}
	}
}

// Words, dates and numbers before a mark or at a record's end are no values, and a
// whole value is not called truncated.
func TestNotCut(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"generating code_verifier: generated...", "code_verifier=required", "code_verifier=12345678...",
		"code_verifier: 2026-11-25T07", "access_token=expired…", "refresh_token: undefined [truncated]",
		"id_token=someValue1...", "cursor=eyJpZCI6MTIzNDU2Nzg5MDEyMzQ1Njc4OTB9...", "cursor=eyJhbGciOiJub3QtYS1qd3QifQ",
		"Bearer authentication...", "loading code...", "code=404...",
	} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%q: found %q", text, text[found[0].Start:found[0].End])
		}
	}
	if found := scanText(t, s, "code_verifier="+beginning(43)); len(found) != 1 || found[0].Truncated {
		t.Errorf("a whole value: %+v", found)
	}
}

// Three full stops among a value's first characters, by chance, hide nothing of it.
func TestFullStopsInAValue(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for n := 1; n < maxHead; n++ {
		value := random(base64url[:62], n) + "..." + random(base64url[:62], 42-n) + "7"
		for _, text := range []string{"code_verifier=" + value, "code_verifier=" + value + "&state=s1", `{"code_verifier":"` + value + `"}`} {
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
	text := "code_verifier=" + random(base64url[:62], 12) + "...nection: close"
	if found := scanText(t, s, text); len(found) != 1 || !found[0].Truncated || text[found[0].End] != '.' {
		t.Errorf("%q: %s", text, shown(text, found))
	}
}
