package detect

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
)

const hexDigits = "0123456789abcdef"

func uuid() string {
	h := func(n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = hexDigits[rand.IntN(16)]
		}
		return string(out)
	}
	return h(8) + "-" + h(4) + "-4" + h(3) + "-a" + h(3) + "-" + h(12)
}

// fake builds a JWS from its header and payload.
func fake(header, payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + random(base64url, 86)
}

// fill replaces each {B} by 43 base64url characters, {H} by 32 hexadecimal
// digits, {U} by a UUID and {J} by a JWT that is no credential by itself.
func fill(text string) string {
	for mark, value := range map[string]func() string{
		"{B}": func() string { return random(base64url, 43) },
		"{H}": func() string { return random(hexDigits, 32) },
		"{U}": uuid,
		"{J}": func() string { return fake(`{"alg":"HS256"}`, `{"csrf":1}`) },
	} {
		for strings.Contains(text, mark) {
			text = strings.Replace(text, mark, value(), 1)
		}
	}
	return text
}

// What looks like a secret and is none stays.
func TestLookAlikesStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"GET /authorize?response_type=code&client_id=spa&code_challenge={B}&code_challenge_method=S256",
		"GET /authorize?code_challenge_method=S256&response_type=code&code_challenge={B}&client_id=spa",
		"u=%2Fauthorize%3Fcode_challenge%3D{B}%26code_challenge_method%3DS256%26client_id%3Dspa",
		`{"codeChallenge":"{B}","codeChallengeMethod":"S256","clientId":"spa"}`,
		`{"m":"{\"code_challenge\":\"{B}\",\"code_challenge_method\":\"S256\",\"client_id\":\"spa\"}"}`,
		"GET /cb?state={B}&session_state={U} HTTP/1.1",
		"GET /authorize?client_id=spa&redirect_uri=https%3A%2F%2Fapp%2Fcb&state={B}&nonce={B}&scope=openid",
		"state={J}", "nonce: {J}", `{"nonce":"{B}","at_hash":"{B}","c_hash":"{B}","s_hash":"{B}","jti":"{U}","kid":"{B}"}`,
		`{"kid":"{B}","kty":"RSA","x5t":"{B}","x5t#S256":"{B}"}`,
		`ETag: "{B}"`, `etag="{H}"`, `If-None-Match: W/"{H}"`,
		"traceparent: 00-{H}-0123456789abcdef-01", "trace_id={H} span_id=0123456789abcdef", "X-Request-Id: {U}",
		"request_id={U}", "correlation-id: {U} user={U}", "sha256:{H}{H}", "digest=sha256:{H}{H} commit={H}",
		"GET /api?code=404&state=s1", "status code=404", `{"code":404,"scope":"x"}`, `{"code":"404","client_id":"a"}`,
		"code=ENOENT syscall=open state=x", "error code=ECONNREFUSED client_id=app",
		"code=UnauthorizedClientException&state=s1", "code=authorizationcodeflow&state=s1", "code=InvalidAuthenticityTokenError&client_id=a", "code=INVALID_GRANT_TYPE state=s1",
		"response_type=code&client_id=app&state={B}", "response_type=code%20id_token&client_id=app",
		"grant_type=authorization_code&client_id=app", "grant_types=authorization_code,refresh_token",
		"GET /shop?promo_code=SUMMERSALE&state=s1", "GET /shop?code=BLACKFRIDAY&state=s1", "country_code=DE zip_code=10115",
		"GET /cb?error=access_denied&error_code=invalid_request&state={B}",
		`{"token_type":"Bearer","expires_in":300}`, "token_type=Bearer&scope=openid",
		`WWW-Authenticate: Bearer realm="example.com", error="invalid_token", error_description="The access token expired"`,
		`WWW-Authenticate: Basic realm="restricted"`, "Bearer authentication is required", "authorization: bearer",
		"Bearer token missing", "authentication scheme Bearer unsupported_by_this_endpoint",
		"access_token=null", "access_token=<redacted>", `{"access_token":"***"}`, `{"access_token":"****************"}`,
		`{"refresh_token":"[FILTERED]"}`, `{"refresh_token":"[REDACTED]"}`, "client_secret=${CLIENT_SECRET}", "client_secret=$CLIENT_SECRET",
		"client_secret={{ client_secret }}", "client_secret=xxxxxxxxxxxxxxxx", "client_secret=%CLIENT_SECRET%",
		"client_secret=your_client_secret", "code_verifier=", `{"code_verifier":""}`, `{"code_verifier":null}`,
		"code_verifier=REDACTED", "code_verifier=REDACTED_BY_PROXY", "Authorization: Bearer <token>", "Authorization: Bearer ***",
		"Authorization: Bearer REDACTED", "Authorization: Basic ****", "Authorization: [REDACTED]",
		"missing code_verifier in request from client app", "the refresh_token is expired", "invalid client_secret or client_id",
		"access token validation failed: unexpected issuer", "unsupported token type",
		"nextPageToken=CAUQAA", "csrf_token={B}", "_csrf={U}", "X-CSRF-Token: {B}", `{"csrfToken":"{B}"}`,
		`{"nextPageToken":"{B}","scope":"x"}`, "GET /v1/list?page_token={B}&client_id=a", "continuation_token={B}",
		"code= state={B} client_id=app", "access_token= client_id=app-0123456789abcdef", "code_verifier= trace_id={H}",
		"client_secret= rejected by server", "level=info code_verifier= code= msg=x",
		"blob=ab3Chl{B}{B}{B}", "blob=q9AIza{B}", "promo_code=A1B2C3D4E5F6G7H8 client_id=shop", `{"error_code":"E10000000000042","client_id":"a"}`,
	} {
		t.Run(text, func(t *testing.T) {
			for range 20 {
				filled := fill(text)
				if found := scanText(t, s, filled); len(found) > 0 {
					t.Fatalf("%q: %s", filled, shown(filled, found))
				}
			}
		})
	}
}

// A challenge of method plain, or of none in an authorization request, is the
// verifier itself (RFC 7636 §4.3).
func TestPlainChallenges(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for text, want := range map[string]bool{
		"GET /authorize?client_id=spa&code_challenge={B}&code_challenge_method=plain":                                    true,
		"GET /authorize?client_id=spa&code_challenge_method=plain&code_challenge={B}":                                    true,
		"GET /authorize?client_id=spa&code_challenge={B}&code_challenge_method=PLAIN":                                    true,
		"GET /authorize?response_type=code&code_challenge={B}":                                                           true,
		"u=%2Fauthorize%3Fclient_id%3Dspa%26code_challenge%3D{B}%26code_challenge_method%3Dplain":                        true,
		"u=%2Fauthorize%3Fclient_id%3Dspa%26code_challenge%3D{B}":                                                        true,
		`{"method":"GET","path":"/authorize?client_id=spa&code_challenge={B}&code_challenge_method=plain","alg":"S256"}`: true,
		`{"method":"GET","path":"/authorize?client_id=spa&code_challenge={B}&code_challenge_method=S256"}`:               false,
		`{"client_id":"spa","codeChallenge":"{B}","codeChallengeMethod":"plain"}`:                                        true,
		`{"m":"{\"client_id\":\"spa\",\"code_challenge\":\"{B}\",\"code_challenge_method\":\"plain\"}"}`:                 true,
		"{'client_id': 'spa', 'code_challenge': '{B}', 'code_challenge_method': 'plain'}":                                true,
		"GET /authorize?client_id=spa&code_challenge={B}&code_challenge_method=S256":                                     false,
		"GET /authorize?client_id=spa&code_challenge={B}&code_challenge_method=s256":                                     false,
		"u=%252Fauthorize%253Fclient_id%253Dspa%2526code_challenge%253D{B}%2526code_challenge_method%253DS256":           false,
		`{"client_id":"spa","code_challenge":"{B}","code_challenge_method":"S256"}`:                                      false,
		"{'client_id': 'spa', 'code_challenge': '{B}', 'code_challenge_method': 'S256'}":                                 false,
		"code_challenge={B}": false,
		"/authorize?client_id=a&code_challenge={B}&code_challenge_method=S256 /authorize?client_id=b&code_challenge={B}&code_challenge_method=plain": true,
	} {
		t.Run(text, func(t *testing.T) {
			filled := fill(text)
			found := scanText(t, s, filled)
			if (len(found) == 1) != want || len(found) > 1 {
				t.Fatalf("%q: %s", filled, shown(filled, found))
			}
			if want && (found[0].Rule.ID != "pkce-plain-challenge" || found[0].End-found[0].Start != 43) {
				t.Errorf("%q: %s", filled, shown(filled, found))
			}
		})
	}
}

// Under random keys and words no value of a clean record is a secret.
func TestNamesDecide(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"state", "nonce", "kid", "jti", "at_hash", "c_hash", "code_challenge", "etag", "trace_id"} {
		for _, g := range glues {
			value := random(base64url, 43)
			text := strings.NewReplacer("client_id=app", "a=b").Replace(spell(g.text, key, value))
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
}

// Joined words that hold a code are found through the weak key at their end;
// other joined words are not.
func TestJoinedCodeKeys(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for key, want := range map[string]int{
		"authorizationcode": 1, "authcode": 1, "AUTHORIZATIONCODE": 1, "authorization_code": 1, "authorizationCode": 1,
		"barcode": 0, "zipcode": 0, "reauthorizationcode": 0, "statuscode": 0,
	} {
		if found := scanText(t, s, key+"="+random(base64url, 43)+"&state=s1"); len(found) != want {
			t.Errorf("%s: found %d, want %d", key, len(found), want)
		}
	}
}
