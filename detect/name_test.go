package detect

import (
	"strings"
	"testing"
)

// Chunks of long cookies and names with an open end are found; longer names
// that only begin alike are not.
func TestNames(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, name := range []string{
		"_oauth2_proxy", "_oauth2_proxy_0", "_oauth2_proxy_12", ".AspNetCore.CookiesC1", ".AspNetCore.CookiesC12", "authjs.session-token.0",
		"__Secure-authjs.session-token.3", "__Host-zitadel.useragent", "AWSELBAuthSessionCookie-1", "VouchCookie_2of3", "FedAuth1", "ory_session_x",
		"ory_session_playground", "ory_session_nifty-lamarr-8f1", ".AspNetCore.Identity.Application", ".AspNetCore.Identity.ApplicationC2", "_shibsession_64656661756c74",
		"authentik_proxy_a1b2c3", "mod_auth_openidc_session_0", "KC_RESTART",
	} {
		for _, g := range []string{"Cookie: a=b; K=V; c=d", "K=V", `{"cookies":{"K":"V"}}`, `{"m":"{\"K\":\"V\"}"}`, "{'K': 'V'}", "Set-Cookie: K=V; Path=/; Secure"} {
			value := random(base64url[:62], 89) + "7"
			text := strings.NewReplacer("K", name, "V", value).Replace(g)
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
	for _, name := range []string{
		"_oauth2_proxy_csrf", "_oauth2_proxy_", "_oauth2_proxy_1234", "x_JSESSIONIDX", "JSESSIONID_", "JSESSIONIDC", ".AspNetCore.CookiesCX", "jsessionids",
		"AspNetCore.Correlation.x", "FedAuthX", "ory_csrf_x", "user_session_hash", "auth0.is.authenticated",
	} {
		for _, g := range []string{"a=b; K=V; c=d", `{"values":{"K":"V"}}`} { // among cookies words decide as well
			text := strings.NewReplacer("K", name, "V", random(base64url[:62], 89)+"7").Replace(g)
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
}
