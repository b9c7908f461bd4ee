package detect

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// leaks are lines that products really print when they leak, by what kind of syntax
// they are. <NAME> stands for a random value that has to be found whole, {name} for
// one that has to stay.
var leaks = []struct{ name, text string }{
	{"duende, raw request", `Transformed code verifier does not match code challenge, {"ClientId":"spa","GrantType":"authorization_code","AuthorizationCode":"****{hex4}","Raw":{"code":"***REDACTED***","code_verifier":"<VERIFIER>","client_id":"spa"}}`},
	{"duende, prose", `Unexpected code_verifier: <VERIFIER>. This happens when the client is trying to use PKCE, but it is not enabled in the client configuration.`},
	{"duende, code issued", `Code issued for spa / 88421113: <CODE>`},
	{"duende, access token issued", `Access token issued for spa / 88421113: <AT>`},
	{"duende, refresh token issued", `Refresh token issued for spa / 88421113: <RT>`},
	{"duende, token found", `Token found: <AT>`},
	{"identityserver4", `{"ClientId":"web","RefreshToken":"<RT>","Raw":{"refresh_token":"***REDACTED***"}}`},
	{"identityserver4, rendered", `{"RenderedLogMessage":"Token request {\"ClientId\":\"web\",\"RefreshToken\":\"<RT>\"}"}`},
	{"auth.js, verifier", `[auth][debug]: CREATE_PKCECODEVERIFIER {\n  "name": "__Secure-authjs.pkce.code_verifier",\n  "payload": "<VERIFIER>",\n  "cookie": {} }`},
	{"auth.js, callback", `[auth][debug]: callback route error details {"method":"GET","query":{"code":"<CODE>","state":"{b64u43}"},"url":"x"}`},
	{"auth.js, account", `[auth][debug]: adapter_linkAccount {"args":[{"provider":"x","access_token":"<AT>","refresh_token":"<RT>","id_token":"<JWT>"}]}`},
	{"better-auth", `[Better Auth] Code to validate:  <CODE>`},
	{"oauthlib, grant", `Created authorization code grant {'code': '<CODE>', 'state': '{b64u22}'} for request <oauthlib.Request SANITIZED>.`},
	{"oauthlib, refresh", `Validating refresh token <RT> for client <Client: web>.`},
	{"oauthlib, issuing", `Issuing token {'access_token': '<AT>', 'expires_in': 3600} to client id 'web'`},
	{"oauthlib, request", `<oauthlib.Request url="https://x/token", http_method="POST", headers="{'Content-Length': '12'}", body="grant_type=authorization_code&code=<CODE>&code_verifier=<VERIFIER>&client_secret=<SECRET>">`},
	{"requests-oauthlib, body", `Request body was grant_type=authorization_code&code=<CODE>&code_verifier=<VERIFIER>&client_id=web`},
	{"requests-oauthlib, headers", `Request headers were {'Authorization': 'Basic <BASIC>', 'Accept': '*/*'}`},
	{"requests-oauthlib, response", `Response headers were {'Server': 'x'} and content {"access_token": "<AT>", "expires_in": 300}.`},
	{"requests-oauthlib, obtained", `Obtained token {'access_token': '<AT>', 'refresh_token': '<RT>', 'expires_in': 300}.`},
	{"django-oauth-toolkit, basic", `Failed basic auth: wrong client secret <SECRET>`},
	{"django-oauth-toolkit, body", `Failed body auth: wrong client secret <SECRET>`},
	{"msal python", `Got auth response: {'code': '<CODE>', 'client_info': '{b64u60}', 'state': '{b64u16}'}`},
	{"msal python, access log", `"GET /?code=<CODE>&state={b64u16} HTTP/1.1" 200 -`},
	{"msal python, event", `event={\n    "client_id": "web",\n    "data": {\n        "code": "<CODE>",\n        "code_verifier": "<VERIFIER>"}}`},
	{"lua-resty-openidc, body", `request body for token endpoint call: grant_type=authorization_code&client_id=web&client_secret=<SECRET>&code=<CODE>&redirect_uri=https%3A%2F%2Fx`},
	{"lua-resty-openidc, header", `client_secret_basic: authorization header 'Basic <BASIC>'`},
	{"lua-resty-openidc, response", `token endpoint response: {"access_token":"<AT>","refresh_token":"<RT>"}`},
	{"lua-resty-openidc, refreshing", `refreshing expired access_token: <AT> with: <RT>`},
	{"lua-resty-openidc, refreshed", `access_token refreshed: <AT> updated refresh_token: <RT>`},
	{"mod_auth_openidc, data", `oidc_util_http_call: url=https://x/token, data=grant_type=authorization_code&code=<CODE>&redirect_uri=https%3A%2F%2Fx&code_verifier=<VERIFIER>`},
	{"mod_auth_openidc, bearer", `oidc_oauth_get_bearer_token: bearer token: <AT>`},
	{"mod_auth_openidc, response", `response={"access_token":"<AT>","expires_in":60}`},
	{"mod_auth_openidc, enter", `oidc_proto_resolve_userinfo: enter, endpoint=https://x/userinfo, access_token=<AT>`},
	{"appauth, response", `Authorization Response: com.app:/cb?code=<CODE>&state={b64u22}`},
	{"appauth, request", `Token Request: https://x/token\nHeaders:{\n}\nHTTPBody: grant_type=authorization_code&code=<CODE>&code_verifier=<VERIFIER>`},
	{"kubelogin", `POST /token HTTP/1.1\nHost: x\n\ncode=<CODE>&code_verifier=<VERIFIER>&grant_type=authorization_code`},
	{"oauth2-proxy", `10.0.0.1 - {uuid} - - [2026/11/20 08:15:02] app.x GET - "/oauth2/callback?code=<CODE>&state={b64u43}" HTTP/1.1 "curl/8" 302 0 0.1`},
	{"asp.net hosting", `Request starting HTTP/1.1 GET http://host/signin-oidc?code=<CODE>&state={b64u43}`},
	{"rails", `Started GET "/users/auth/x/callback?code=<CODE>&state={hex48}" for ::1 at 2026-11-20  Parameters: {"code"=>"<CODE>", "provider"=>"x"}`},
	{"rails, nested", `Started GET "/login?next=%2Foauth%2Fdevice%3Fuser_code%3DWDJB-MJHT"`},
	{"uvicorn", `10.0.0.1:0 - "GET /api/v1/auth/provider/keycloak_oidc/code?state={b64u22}&session_state={uuid}&code=<CODE> HTTP/1.1"`},
	{"morgan", `GET /api/auth/google/callback?code=<CODE>&state={b64u22} 302 1.2 ms`},
	{"nginx", `10.0.0.1 - - [20/Nov/2026] "GET /api/v4/merge_requests/?access_token=<AT>&per_page=10 HTTP/1.1" 401 118 "-" "curl"`},
	{"nginx ltsv", "remote_addr:10.0.0.1\tmethod:GET\turi:/ws/v2/producer/x?token=<AT>\tstatus:200"},
	{"spring resttemplate", `Writing [{grant_type=[authorization_code], code=[<CODE>], code_verifier=[<VERIFIER>]}] as "application/x-www-form-urlencoded;charset=UTF-8"`},
	{"spring-security-oauth", `Encoding and sending form: {grant_type=[password], username=[ann], password=[<SECRET>]}`},
	{"spring-security-oauth, not found", `Failed to find access token for token <AT>`},
	{"httpclient wire", `org.apache.http.wire : http-outgoing-0 >> "Authorization: Basic <BASIC>[\r][\n]"`},
	{"httpclient wire, body", `http-outgoing-0 >> "grant_type=password&username=ann&password=<SECRET>&client_id=admin-cli"`},
	{"openremote", `credentials set to: OAuthPasswordGrant{tokenEndpointUri='https://x', clientId='admin-cli', clientSecret='<SECRET>', username='ann', grant_type='password', password='<SECRET>'}`},
	{"rust debug", `PkceChallenge { verifier: "<VERIFIER>", challenge: "{b64u43}", method: S256 }`},
	{"rust debug, some", `OAuthCallbackParams { code: Some("<CODE>"), error: None, state: Some("{b64u22}") }`},
	{"freee-mcp", `Callback request: GET /callback?code=<CODE>&state={b64u22}`},
	{"smarttube", `JsonPathRequestBodyConverter: {"client_id":"web","client_secret":"<SECRET>","refresh_token":"<RT>","grant_type":"refresh_token"}`},
	{"xrootd", `Dumping request: PUT /p HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer <AT>\r\nAccept: x`},
	{"xrootd, url", `Pss_Stat: url=http://x/p?&authz=Bearer%20<AT>`},
	{"okhttp", `java.lang.IllegalArgumentException: Unexpected char 0x0a at 61 in Authorization value: Bearer <AT>`},
	{"kubectl", `curl -v -XGET  -H "Accept: application/json" -H "Authorization: Bearer <AT>" 'https://10.0.0.1/api'`},
	{"splunk", `component=JsonWebToken log_level=DEBUG event_message="Validating token: <JWT>."`},
	{"sentry pairs", `{"request":{"query_string":[["code","<CODE>"],["state","{b64u22}"]]}}`},
	{"sentry object", `{"request":{"query_string":{"code":"<CODE>","state":"{b64u22}"}}}`},
	{"span", `http.url="https://x/cb?code=<CODE>&state={b64u22}" url.query="token=<AT>&x=1"`},
	{"spring token object", `OAuth2AccessToken@1f2e3d[tokenType=Bearer, tokenValue=<AT>, scopes=[openid]]`},
	{"keycloak", `PKCE supporting Client, codeVerifier = <VERIFIER>, codeChallenge = {b64u43}`},
	{"keycloak, code", `Code '<CODE>' already used for userSession '{uuid}' and client '{uuid}'.`},
	{"php", `Array ( [code_verifier] => <VERIFIER> [code] => <CODE> )`},
	{"curl -b", `curl -sS -b 'lang=en; sid=<AT>' https://x/`},
	{"curl -b, in JSON", `{"cmd":"curl -b \"sid=<AT>\" https://x/"}`},
	{"curl --cookie", `curl --cookie session=<AT> https://x/`},
	{"cookies of an access log", `"GET / HTTP/1.1" 200 Cookie: - Set-Cookie: sid=<AT>`},
	{"password of a URL", `_currentUrl: 'http://web:<SECRET>@127.0.0.1:9080/token',`},
	{"requests", `requests.post(url, auth=('web', '<SECRET>'))`},
	{"wget, option", `Setting --password (password) to <SECRET>`},
	{"wget, cookie", `Stored cookie 127.0.0.1 9080 / <session> <insecure> [expiry none] idp_session <AT>`},
	{"express-session", `Wed, 25 Nov 2026 09:12:32 GMT express-session saving <AT>`},
	{"go %v", `config="&{web <SECRET> {http://x/authorize  http://x/token 0} http://x/cb [openid]}"`},
	{"go %+v", `&{ClientID:web Code:<CODE> CodeVerifier:<VERIFIER> RedirectURI:https://x}`},
}

// filled replaces the placeholders of a line by values, and returns those that have
// to be found, in their order.
func filled(rnd *rand.Rand, text string) (string, []string) {
	draw := func(alphabet string, n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		return string(out)
	}
	alnum, hex := base64url[:62], "0123456789abcdef"
	var out strings.Builder
	var want []string
	for {
		at := strings.IndexAny(text, "<{")
		if at < 0 {
			return out.String() + text, want
		}
		out.WriteString(text[:at])
		text = text[at:]
		close := map[byte]string{'<': ">", '{': "}"}[text[0]]
		end := strings.Index(text, close)
		name := ""
		if end > 0 {
			name = text[1:end]
		}
		value := ""
		switch name {
		case "CODE", "AT", "RT", "VERIFIER":
			n := map[string]int{"CODE": 32, "AT": 40, "RT": 48, "VERIFIER": 43}[name]
			value = draw(alnum, 2) + draw(base64url, n-3) + draw(alnum, 1)
		case "SECRET":
			value = draw(alnum, 32)
		case "BASIC":
			value = base64.StdEncoding.EncodeToString([]byte("web:" + draw(alnum, 32)))
		case "JWT":
			value = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"`+draw(alnum, 8)+`"}`)) + "." +
				base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+draw(alnum, 20)+`"}`)) + "." + draw(base64url, 85) + "w"
		case "HEX":
			value = draw(hex, 40)
		case "hex4", "hex48":
			var n int
			_, _ = fmt.Sscanf(name, "hex%d", &n)
			value = draw(hex, n)
		case "uuid":
			value = draw(hex, 8) + "-" + draw(hex, 4) + "-4" + draw(hex, 3) + "-a" + draw(hex, 3) + "-" + draw(hex, 12)
		case "b64u16", "b64u22", "b64u43", "b64u60":
			var n int
			_, _ = fmt.Sscanf(name, "b64u%d", &n)
			value = draw(alnum, 1) + draw(base64url, n-2) + draw(alnum, 1)
		default:
			out.WriteByte(text[0])
			text = text[1:]
			continue
		}
		out.WriteString(value)
		if text[0] == '<' {
			want = append(want, value)
		}
		text = text[end+1:]
	}
}

// missed scans text and says what of its secrets was not found, and what was found
// that is none.
func missed(t testing.TB, s *Scanner, text string, want []string) string {
	found := scanText(t, s, text)
	var have []string
	for _, f := range found {
		have = append(have, text[f.Blob:f.End])
	}
	if len(have) != len(want) {
		return shown(text, found)
	}
	for i := range have {
		if have[i] != want[i] {
			return shown(text, found)
		}
	}
	return ""
}

// What real products print is found whole, and nothing beside it.
func TestLeaksOfProducts(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, leak := range leaks {
		t.Run(leak.name, func(t *testing.T) {
			for range 5 {
				seed := rand.Uint64()
				text, want := filled(rand.New(rand.NewPCG(seed, 1)), leak.text)
				if strings.Contains(text, "WDJB-MJHT") {
					want = slices.Concat(want, []string{"WDJB-MJHT"})
				}
				if got := missed(t, s, text, want); got != "" {
					t.Errorf("seed %d: %s\nfound %s", seed, text, got)
					return
				}
			}
		})
	}
}
