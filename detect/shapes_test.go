package detect

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// vendorShapes are values of identity providers and services, in the place where
// their products write them: § in text. A mark is n characters of a class: {u40} of
// base64url, {a40} letters and digits, {h40} and {H40} hexadecimal, {d9} digits, {c24}
// of small letters and digits 2-7; {U} is a UUID.
var vendorShapes = []struct{ text, value string }{
	// Codes in callbacks
	{"GET /cb?code=§&session_state={U}&iss=https%3A%2F%2Fid HTTP/1.1", "{U}.{U}.{U}"}, {"GET /cb?code=§&state=s HTTP/1.1", "{U}.{u24}.{U}"},
	{"GET /cb?code=§&state=s1 HTTP/1.1", "ory_ac_{u43}.{u43}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{u43}.{u43}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "authelia_ac_{u43}.{u43}"},
	{"GET /cb?code=§&state=s1 HTTP/1.1", "y{c24}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{H64}-1"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{u128}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{a30}"},
	{"GET /cb?code=§&state=s1 HTTP/1.1", "{u43}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{u48}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{U}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{u20}"},
	{"GET /cb?code=§&state=s1 HTTP/1.1", "{h20}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{h64}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "{d12}.{d13}.{h64}"}, {"GET /cb?code=§&state=s1 HTTP/1.1", "AQ{u300}"},
	{"GET /cb?code=§&state=s1 HTTP/1.1", "0.A{u60}.Ag{u200}"}, {"GET /cb?code=§&scope=openid&authuser=0 HTTP/1.1", "4%2F0A{u70}"}, {"GET /cb?code=§&state=s1", "M.C5{d2}_BAY.2.U.{U}"},
	{"GET /cb?code=§&state=s1", "aPrx{u78}%3D%3D"}, {"GET /cb?code=§&scope=read_write", "ac_{a32}"}, {`{"interactionCode":"§"}`, "{u43}"},
	// Tokens by their prefix or shape alone
	{"x § y", "ory_at_{u43}.{u43}"}, {"x § y", "ory_rt_{u43}.{u43}"}, {"x § y", "authelia_at_{u43}.{u43}"}, {"x § y", "ory_dc_{u43}.{u43}"}, {"x § y", "ory_st_{a32}"},
	{"x § y", "gliamat-{u43}.{u43}"}, {"x § y", "glpat-{u20}"}, {"x § y", "glptt-{h40}"}, {"x § y", "gldt-{u20}"}, {"x § y", "glft-{u20}"}, {"x § y", "glrt-{u20}"}, {"x § y", "gloas-{h64}"},
	{"x § y", "GOCSPX-{u28}"}, {"x § y", "ya29.{u180}"}, {"x § y", "1//0{u90}"}, {"x § y", "gho_{a36}"}, {"x § y", "ghu_{a36}"}, {"x § y", "ghr_{a76}"}, {"x § y", "github_pat_{a22}_{a59}"},
	{"x § y", "xoxb-{d12}-{d12}-{a24}"}, {"x § y", "xoxe.xoxp-1-{a140}"}, {"x § y", "xapp-1-{a40}"}, {"x § y", "EAA{a180}"}, {"x § y", "5Aep861{u80}"}, {"x § y", "00D{a12}!AQ{u90}"},
	{"x § y", "shpat_{h32}"}, {"x § y", "doo_v1_{h64}"}, {"x § y", "sl.B{u140}"}, {"x § y", "sha256~{u43}"}, {"x § y", "oat_{a32}"}, {"x § y", "sk_live_{a40}"}, {"x § y", "pat-na1-{U}"},
	{"x § y", "AMf-vB{u220}"}, {"x § y", "secret-live-{u47}="}, {"x § y", "sb_secret_{a31}"}, {"x § y", "Chl{u69}"}, {"x § y", "1.A{u60}.1.Ag{u250}.A{u210}"}, {"x § y", "urn:ietf:params:oauth:request_uri:{u43}"},
	// As products print them
	{"PKCE supporting Client, codeVerifier = §, codeChallenge = x", "{u86}"}, {"Securing GET /login/oauth2/code/web?code=§&state=s1", "{u128}"},
	{"Writing [{grant_type=[authorization_code], code=[§], redirect_uri=[https://app/cb]}] as form", "{u128}"}, {"{code_verifier=[§], client_id=[web]}", "{u128}"},
	{"OAuth2AccessToken[tokenValue=§, issuedAt=x]", "{u128}"}, {"Saving grant {'code': '§', 'state': 's'} for x", "{a30}"}, {"Obtained token {'access_token': '§', 'scope': ['a']}", "{a30}"},
	{"refreshing expired access_token: § with: x", "{u43}"}, {"authenticateClient: access_token: §, client: 10.0.0.1", "{u43}"}, {`"code_verifier"=>"§", "client_id"=>"web"`, "{u43}"},
	{`Parameters: {"token"=>"§", "client_id"=>"web"}`, "{u43}"}, {`"AuthorizationCodeHandle": "§"`, "{H64}-1"}, {"wrong client secret § given; client_secret=§2", "{a64}"},
	{"x-amzn-oidc-accesstoken: §", "{u300}"}, {"x-auth-request-access-token: §", "{u60}"}, {"X-Forwarded-Access-Token: §", "{a40}"}, {"x-amzn-oidc-data: §", "{u300}"},
	{"cookie: OauthHMAC=x; BearerToken=§; a=b", "{u80}"}, {"cookie: a=b; RefreshToken=§", "{u80}"}, {"Authorization: SSWS §", "00{u40}"}, {"access_token=§ expires", "{d15}|{u27}"},
	{"fwd: Cookie: _forward_auth=§; a=b", "{u60}"}, {"oauth_token=abc&oauth_verifier=§", "{a32}"}, {"Cookie: lang=de; authentik_proxy_a1b2=§", "{a52}"}, {"cookie: dex_session=§", "{u43}"},
}

// expand fills the marks of vendorShapes.
func expand(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		end := strings.IndexByte(text[i:], '}')
		if text[i] != '{' || end < 2 || end > 5 {
			out.WriteByte(text[i])
			continue
		}
		class, n := text[i+1], 0
		for _, c := range text[i+2 : i+end] {
			n = 10*n + int(c-'0')
		}
		from := map[byte]string{'u': base64url, 'a': base64url[:62], 'h': hexDigits, 'H': "0123456789ABCDEF", 'd': "123456789", 'c': "abcdefghijklmnopqrstuvwxyz234567"}[class]
		switch {
		case class == 'U' && end == 2:
			out.WriteString(uuid())
		case from == "" || n < 1:
			out.WriteByte(text[i])
			continue
		default:
			for range n {
				out.WriteByte(from[rand.IntN(len(from))])
			}
		}
		i += end
	}
	return out.String()
}

// Every vendor's shape is found where its products writes it, whatever its value.
func TestVendorShapes(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, tc := range vendorShapes {
		for range 20 {
			value := expand(t, tc.value)
			if last := value[len(value)-1]; last == '-' || last == '_' {
				value = value[:len(value)-1] + "7" // a value may end so; what follows says where it ends
			}
			text := expand(t, strings.NewReplacer("§2", value, "§", value).Replace(tc.text))
			left := []byte(text)
			for _, f := range scanText(t, s, text) {
				for i := f.Start; i < f.End; i++ {
					left[i] = '*'
				}
			}
			if strings.Contains(string(left), value[len(value)-8:]) || strings.Contains(string(left), value[:8]) && !strings.HasPrefix(value, "urn:") {
				t.Errorf("%q: left %q", text, left)
			}
		}
	}
}
