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
