package detect

import (
	"strings"
	"testing"
)

// jars are ways in which cookies stand in logs: K is a name, V its value.
var jars = []string{
	"Cookie: K=V", "cookie: lang=en; K=V; theme=dark", "Cookie: a=1;K=V;b=2", "Set-Cookie: K=V; Path=/; HttpOnly; SameSite=Lax",
	"set-cookie: a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/, K=V; Path=/", `Cookie: K="V"; a=b`, `"Cookie: a=b; K=V"`,
	`{"headers":{"cookie":"a=b; K=V; c=d"}}`, `{"m":"{\"cookie\":\"a=b; K=V\"}"}`, `{"set-cookie":["a=b; Path=/","K=V; Path=/"]}`,
	"cookies={'a': 'b', 'K': 'V'}", `cookies: {"K":"V","a":"b"}`, `"cookies"=>{"a"=>"b", "K"=>"V"}`, "cookies: { a: 'b', K: 'V' }", "cookies={a=b, K=V}",
	"Cookie:[a=b; K=V] Host:[app]", "map[Cookie:[a=b; K=V] Accept:[*/*]]", "'Set-Cookie': 'K=V; Path=/'", "('Set-Cookie', 'K=V; Path=/')",
	`{"name":"Cookie","value":"a=b; K=V"}`, `"cookies":[{"name":"a","value":"b"},{"name":"K","value":"V"}]`, "cookies=[Cookie[name=K, value=V]]",
	`http-outgoing-0 >> "Cookie: a=b; K=V[\r][\n]"`, `GET / HTTP/1.1\r\nCookie: a=b; K=V\r\nHost: app`, "< set-cookie: K=V; Max-Age=60", `cookie="a=b; K=V" user=ann`,
	"HTTP_COOKIE=a=b; K=V", "Cookie%3A%20a%3Db%3B%20K%3DV", "<Cookie K=V for app.example/>", "Cookie: 'a=b; K=V'", "req.headers.cookie = a=b; K=V",
}

// Among cookies a name that logs in suffices, in every form; elsewhere it does not.
func TestJars(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, name := range []string{
		"sid", "PHPSESSID", "sessionid", "session", "_app_session", "laravel_session", "connect.sid", "auth_token", "remember_user_token", "ASPSESSIONIDQABC",
		"__Host-session", "__Secure-sid.0", "JSESSIONID.1a2b3c", "wordpress_logged_in_ab12", "SSO_TICKET", "__Secure-1PSID", "userIdentity", "rack.session",
	} {
		for _, g := range jars {
			value := random(base64url[:62], 40) + "7"
			text := strings.NewReplacer("K", name, "V", value).Replace(strings.ReplaceAll(g, "Cookie", "\x00"))
			text = strings.ReplaceAll(text, "\x00", "Cookie")
			text = strings.ReplaceAll(text, "HTTP_COO"+name+"IE", "HTTP_COOKIE")
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value || found[0].Kind != "session_cookie" && found[0].Kind != "access_token" {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
	for _, text := range []string{"sid={B}", "user=ann sid={B}", "session cookie expired; sid={B}", "cookie=theme sid={B}", "cookie settings saved. session={B}", `cookie="a=b" sid={B}`} {
		filled := fill(text)
		if found := scanText(t, s, filled); len(found) > 0 {
			t.Errorf("%q: %s", filled, shown(filled, found))
		}
	}
}

// Cookies that log nobody in stay, and so do values that are none.
func TestCookiesThatStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, name := range []string{
		"XSRF-TOKEN", "csrftoken", "_csrf", "__Host-csrf_token", "_ga", "_gid", "_ga_session", "_hjSessionUser_1", "_uetsid", "ai_session", "s_sess",
		"locale", "theme", "cookieconsent_status", "OptanonConsent", "AWSALB", "__cf_bm", "visitor_id", "session_expires", "auth_state", "oidc.nonce", "preset", "basket",
		".AspNetCore.Antiforgery.x", ".AspNetCore.Correlation.x", "tracking_session",
	} {
		for _, g := range []string{"Cookie: a=b; K=V; c=d", `{"cookies":{"K":"V"}}`, "Set-Cookie: K=V; Path=/"} {
			text := strings.NewReplacer("K", name, "V", random(base64url[:62], 40)+"7").Replace(strings.ReplaceAll(g, "Cookie", "\x00"))
			text = strings.ReplaceAll(text, "\x00", "Cookie")
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
	for _, value := range []string{"", "deleted", "null", "[FILTERED]", "<redacted>", "****", "1795162800", "true", "session-of-the-user", "${SESSION}", "none"} {
		for _, g := range jars[:10] {
			if strings.Contains(g, "K=") {
				text := strings.Replace(g, "K=V", "sid="+value, 1)
				if found := scanText(t, s, text); len(found) > 0 {
					t.Errorf("%q: %s", text, shown(text, found))
				}
			}
		}
	}
}

// Each cookie is a finding of its own; signed and encrypted values are whole.
func TestCookieValuesAreWhole(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	hex := func(n int) string { return random(hexDigits, n) }
	values := []string{
		"s%3A" + random(base64url, 32) + "." + random(base64url[:62], 43), "Fe26.2**" + hex(64) + "*" + random(base64url, 22) + "*" + random(base64url, 120) + "*1795162800000*" + hex(64) + "*" + random(base64url, 43),
		random(base64url[:62], 120) + "--" + hex(40), ".eJw" + random(base64url, 60) + ".aB3dEf." + random(base64url, 27),
		"eyJpdiI6" + random(base64url[:62], 200) + "%3D%3D", "CfDJ8" + random(base64url, 200),
	}
	text := "Cookie: "
	for i, v := range values {
		text += []string{"connect.sid", "hapi_session", "_x_session", "session", "laravel_session", ".AspNetCore.Session"}[i] + "=" + v + "; a=b; "
	}
	found := scanText(t, s, text)
	if len(found) != len(values) {
		t.Fatalf("%q: %s", text, shown(text, found))
	}
	for i, f := range found {
		if text[f.Start:f.End] != values[i] {
			t.Errorf("got %q, want %q", text[f.Start:f.End], values[i])
		}
	}
}
