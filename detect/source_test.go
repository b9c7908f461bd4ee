package detect

import (
	"testing"
)

// Source text that says where a value comes from stays, as stack traces show it.
func TestSourceTextStays(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"    client_secret=self.client_secret,", "    client_secret = kwargs.pop('client_secret', None)",
		`  "client_secret": credentials.client_secret,`, "secret = f(clientSecret=args.client_secret)",
		`json_key['client_secret'] = config["client_secret"]`, "a.client_secret=e.clientSecret,a.code=e.code",
		"id_token = google.oauth2.id_token.fetch_id_token(request, audience)", "\trefreshToken: session.refreshToken,",
		`fetch(u,{headers:{Authorization:"Bearer "+this.accessToken}})`, `r.Header.Set("Authorization", "Basic "+basicAuth(username, password))`,
		"Could not load 'System.Xml, Version=4.0.0.0, Culture=neutral, PublicKeyToken=" + random(hexDigits, 15) + "7'",
		`"clientRequestToken":"` + uuid() + `","LockToken":"` + uuid() + `","nextForwardToken":"f/` + random(base64url, 56) + `"`,
	} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
}

// What only resembles source text is a value.
func TestValuesLikeSourceText(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	word := func() string { return "open" + random(base64url[26:52], 6) }
	for _, g := range []string{"client_secret=V", "client_secret='V'", `{"client_secret":"V"}`, "client_secret: V, client_id: a"} {
		for _, value := range []string{word() + "." + word() + "." + word(), word() + ".client_secrets", word() + "7"} {
			foundIn(t, s, g, value)
		}
	}
	foundIn(t, s, `client_secret="V"`, "self.client_secret"+random(hexDigits, 12))
	foundIn(t, s, `Authorization: Bearer "V"`, "+"+random(base64url, 42)+"7")
	foundIn(t, s, "Authorization: Bearer V", "+"+random(base64url, 42)+"7")
}

// Colours of terminals and types of dumpers stand between keys and values; the name
// of an object's first member is no value.
func TestDumps(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	v := "A1" + random(base64url, 41)
	for _, text := range []string{
		"\x1b[90m10:00\x1b[0m \x1b[36mcode_verifier=\x1b[0mV \x1b[36mclient_id=\x1b[0mweb",
		"\x1b[32mINF\x1b[0m \x1b[36mcode=\x1b[0mV \x1b[36mstate=\x1b[0mxyz",
		`ClientSecret: (string) (len=43) "V",`,
		`(string) (len=12) "access_token": (string) (len=43) "V",`,
		"cookies=ImmutableMultiDict([('session', 'V')])",
		"auth: { username: 'web-shop', password: 'V' },",
		`CEF:0|v|p|1|100|login|5|request=https://x/cb?access_token\=V act=ok`,
		`client_secret\: V`,
		"curl -su 'web-shop:x' -X POST -u web-shop:V https://idp/token",
	} {
		foundIn(t, s, text, v)
	}
	for _, text := range []string{
		`{"AccessToken":{"user-` + v + `-login":{"home_account_id":"a"}}}`,
		`{"RefreshToken": {"` + v + `" : {"realm":""}}}`,
	} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%s: %s", text, shown(text, found))
		}
	}
}
