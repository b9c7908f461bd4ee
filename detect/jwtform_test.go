package detect

import (
	"encoding/base64"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// JWTs whose header is written with blanks or line ends are found as well: they
// begin with other letters than eyJ.
func TestSpacedHeaders(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, header := range []string{
		`{"alg":"RS256"}`, `{ "alg":"RS256"}`, `{  "alg": "RS256" }`, "{\n\"alg\":\"RS256\"}", "{\n  \"alg\":\"RS256\"\n}", "{\r\n  \"alg\":\"RS256\"\r\n}",
		"{\r\n\"alg\":\"RS256\"\r\n}", "{\t\"alg\":\"RS256\"}", "{\t\t\"alg\":\"RS256\"}", "{\n\t\"alg\":\"RS256\"}", "{ \n\"alg\":\"RS256\"}", ` {"alg":"RS256"}`, "\n{\"alg\":\"RS256\"}",
	} {
		foundIn(t, s, "got V from upstream", fake(header, `{"sub":"u"}`))
	}
}

// The disclosures of an SD-JWT tell what it hides: they are masked with it, and so
// is the holder's proof. What else stands behind a tilde is none.
func TestSelectiveDisclosure(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	enc := base64.RawURLEncoding.EncodeToString
	token := fake(`{"alg":"ES256","typ":"dc+sd-jwt"}`, `{"_sd":["`+random(base64url, 43)+`"]}`)
	first, second := enc([]byte(`["`+random(base64url, 22)+`","name","ann"]`)), enc([]byte(`["`+random(base64url, 22)+`", "mail", "a@b"]`))
	proof := fake(`{"alg":"ES256","typ":"kb+jwt"}`, `{"nonce":"n","sd_hash":"`+random(base64url, 43)+`"}`)
	for _, value := range []string{token + "~", token + "~" + first + "~", token + "~" + first + "~" + second + "~", token + "~" + first + "~" + proof} {
		for _, g := range []string{"presented V to the verifier", `{"vp_token":"V"}`, "vp_token=V&state=s1", "Authorization: Bearer V"} {
			foundIn(t, s, g, value)
		}
	}
	foundIn(t, s, "got V~home here", token)
}

// What a JWT is, its own header and claims say; proofs of possession are none: they
// are bound to one request and useless without the key (RFC 9449 section 11.1).
func TestKindsOfJWTs(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, tc := range []struct {
		header, payload string
		want            rules.Kind
	}{
		{`{"alg":"ES256"}`, `{"iss":"i","aud":"c","code":"` + random(base64url, 30) + `"}`, rules.AuthorizationCode},
		{`{"alg":"ES256","typ":"at+jwt"}`, `{"sub":"u"}`, rules.AccessToken},
		{`{"alg":"ES256","typ":"logout+jwt"}`, `{"sub":"u"}`, rules.LogoutToken},
		{`{"alg":"ES256"}`, `{"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, rules.LogoutToken},
		{`{"alg":"ES256"}`, `{"sub":"u","at_hash":"` + random(base64url, 22) + `"}`, rules.IDToken},
		{`{"alg":"ES256"}`, `{"sub":"u"}`, rules.JWT},
		{`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC"}}`, `{"htm":"POST","htu":"https://as/token"}`, ""},
	} {
		text := "received " + fake(tc.header, tc.payload) + " now"
		found := scanText(t, s, text)
		if tc.want == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || found[0].Kind != tc.want {
			t.Errorf("%s %s: %s", tc.header, tc.payload, shown(text, found))
		}
	}
	for _, text := range []string{
		`{"keys":[{"kty":"RSA","kid":"{B}","n":"{B}{B}{B}{B}","e":"AQAB","x5c":["MIID{B}{B}"]}]}`, "DPoP: " + fake(`{"typ":"dpop+jwt","alg":"ES256"}`, `{"htm":"GET"}`),
		`{"software_statement":"{J}"}`, "GET /authorize?client_id=a&request={J} HTTP/1.1", "-----BEGIN CERTIFICATE----- MIID{B}{B} -----END CERTIFICATE-----",
	} {
		filled := fill(text)
		if found := scanText(t, s, filled); len(found) > 0 {
			t.Errorf("%q: %s", filled, shown(filled, found))
		}
	}
}
