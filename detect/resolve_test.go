package detect

import (
	"encoding/base64"
	"strings"
	"testing"
)

// values returns what is found, as it is written.
func values(text string, found []Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, text[f.Start:f.End])
	}
	return out
}

func wantValues(t *testing.T, text string, found []Finding, want ...string) {
	t.Helper()
	if got := values(text, found); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q:\nfound %s\nwant %q", text, shown(text, found), want)
	}
}

// A value that two rules find is one finding, named by the rule that knows most.
func TestOverlaps(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	jwt := fake(`{"alg":"RS256"}`, `{"azp":"app"}`)
	github := "gh" + "o_" + random("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 36)
	for _, tc := range []struct{ text, value, rule string }{
		{`{"access_token":"V"}`, jwt, "access-token"},
		{"Authorization: Bearer V", jwt, "authorization-bearer"},
		{"registration_access_token=V", random(base64url, 43), "registration-token"},
		{"refresh_token=V", jwt, "refresh-token"},
		{"id_token_hint=V", jwt, "id-token"},
		{"client_assertion=V", jwt, "client-assertion"},
		{"token=V&client_id=a", jwt, "access-token"},
		{"validating V", jwt, "jwt"},
		{"msg V done", github, "github-oauth-token"},
		{"Cookie: KEYCLOAK_IDENTITY=V; a=b", jwt, "session-cookie"},
	} {
		text := strings.Replace(tc.text, "V", tc.value, 1)
		found := scanText(t, s, text)
		wantValues(t, text, found, tc.value)
		if len(found) == 1 && found[0].Rule.ID != tc.rule {
			t.Errorf("%q: rule %s, want %s", tc.text, found[0].Rule.ID, tc.rule)
		}
	}
}

// A confirmed value is found again elsewhere in its record, without a key, in
// its written and its plain form; never inside a longer word or in other records.
func TestRepeats(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	v, long := random(base64url, 42)+"7", random(base64url, 42)+"8"
	slashed := "4/0A" + v
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"code_verifier=V then V again", []string{v, v}},
		{"seen V before code_verifier=V", []string{v, v}},
		{"code_verifier=V and V,V;(V)", []string{v, v, v, v}},
		{"code_verifier=V and Vx xV", []string{v}},
		{"code_verifier=V\nV", []string{v}},
		{"code_verifier=V code_verifier=W V W", []string{v, long, v, long}},
		{"GET /cb?code=4%2F0AV&state=s1 then 4/0AV", []string{"4%2F0A" + v, slashed}},
		{"GET /cb?code=4%2F0AV&state=s1 then 4%2F0AV", []string{"4%2F0A" + v, "4%2F0A" + v}},
		{"user_code=AB12-CD3 AB12-CD3", []string{"AB12-CD3", "AB12-CD3"}},
		{"user_code=A1-B2C A1-B2C", []string{"A1-B2C"}},
	} {
		text := strings.NewReplacer("V", v, "W", long).Replace(tc.text)
		wantValues(t, text, scanText(t, s, text), tc.want...)
	}
	text := "code_verifier=" + v + " then " + v
	if found := scanText(t, s, text); len(found) != 2 || found[0].Repeat || !found[1].Repeat || found[1].Rule != found[0].Rule {
		t.Error("the second finding is not a repeat of the first")
	}
}

// A Keycloak code holds the session's and the client's public ids: where these
// stand elsewhere, they stay.
func TestPublicPartsOfACodeStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	secret, session, clientID := uuid(), uuid(), uuid()
	code := secret + "." + session + "." + clientID
	text := "GET /cb?code=" + code + "&session_state=" + session + "&client_uuid=" + clientID + " sid=" + session + " sent " + code
	wantValues(t, text, scanText(t, s, text), code, code)
}

// Basic credentials lose the password alone, in either alphabet, padded or not.
func TestBasicCredentials(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, user := range []string{"a", "ab", "abc", "abcd", "web-shop", ""} {
		for n := 12; n < 15; n++ {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
				password := random(base64url, n)
				blob := enc.EncodeToString([]byte(user + ":" + password))
				text := "Authorization: Basic " + blob + " and " + password
				found := scanText(t, s, text)
				if len(found) != 2 || string(found[0].Value(nil, []byte(text))) != password || text[found[1].Start:found[1].End] != password {
					t.Errorf("%q %s: found %s", user+":"+password, blob, shown(text, found))
					continue
				}
				if f := found[0]; text[f.Blob:f.End] != blob || f.Start < f.Blob || f.Start > f.Blob+len(user)*8/6+2 {
					t.Errorf("%q: blob [%d,%d), value from %d", text, f.Blob, f.End, f.Start)
				}
			}
		}
	}
}

// Records of a gathered batch keep their places: a field's finding has the
// field's segment, and repeats are looked for in all fields of the record.
func TestFields(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	v := random(base64url, 42) + "7"
	var b Batch
	b.Reset()
	b.AddField(0, "code_verifier", []byte(v))
	b.AddField(0, "note", []byte("saw "+v))
	b.AddText(1, []byte("saw "+v))
	b.AddText(2, []byte("code_verifier="+v+"\nsecond line "+v))
	b.AddField(3, "code_verifier", nil)
	b.AddField(4, "body", []byte(`{"access_token":"`+v+`"}`))
	b.AddField(5, "client_sec", []byte("ret="+v)) // no key goes from framing into a value
	b.AddField(6, "password", []byte("changed-for-ann"))
	found, _, err := s.Scan(&b)
	if err != nil {
		t.Fatal(err)
	}
	var segments []int
	for _, f := range found {
		segment := b.Segments()[f.Segment]
		if f.Start < segment.Start || f.End > segment.End || string(b.Bytes()[f.Start:f.End]) != v ||
			f.Low != segment.Start || f.High != segment.End {
			t.Errorf("segment %d: [%d,%d) is not the value", f.Segment, f.Start, f.End)
		}
		segments = append(segments, b.Segments()[f.Segment].Record)
	}
	if len(found) != 5 || found[0].Segment != 0 || found[1].Segment != 1 || segments[2] != 2 || segments[3] != 2 || segments[4] != 4 {
		t.Errorf("found in records %v", segments)
	}
	b.Wipe()
	if b.Len() != 0 || len(b.Segments()) != 0 {
		t.Error("the batch is not empty")
	}
	for _, c := range b.own[:cap(b.own)] {
		if c != 0 {
			t.Fatal("bytes are left after Wipe")
		}
	}
}

// Line ends bound records: LF, CR LF; nothing is found across them.
func TestLineEnds(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	v := random(base64url, 42) + "7"
	for text, want := range map[string]int{
		"code_verifier=V\r\nx":      1,
		"code_verifier=V\n":         1,
		"\n\n\r\ncode_verifier=V":   1,
		"code_verifier=\nV":         0,
		"code_verifier=\r\nV":       0,
		"code_verifier\n=V":         0,
		"code_verifier: \n  V":      1, // overlines.go
		"code_verifier=V\x00V":      2,
		"code_verifier=V\xff\xfeV":  2,
		"code_verifier=V\rV":        2,
		"\xff\xfecode_verifier=V":   1,
		"code\u2028code_verifier=V": 1,
	} {
		filled := strings.ReplaceAll(text, "V", v)
		found := scanText(t, s, filled)
		if len(found) != want {
			t.Errorf("%q: found %s", text, shown(filled, found))
		}
		for _, f := range found {
			if filled[f.Start:f.End] != v || f.RecordHigh > len(filled) || strings.ContainsAny(filled[f.RecordLow:f.RecordHigh], "\n") {
				t.Errorf("%q: record [%d,%d), value %q", text, f.RecordLow, f.RecordHigh, filled[f.Start:f.End])
			}
		}
	}
}
