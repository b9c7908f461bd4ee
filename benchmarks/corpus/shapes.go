package corpus

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// shape is a way in which a secret leaks. The text has {V} for the value as it
// is written there, {C} for the client, and other marks that fill knows.
type shape struct {
	name   string
	kind   rules.Kind
	text   string
	client bool                // the text names the client, or the value does
	encode func(string) string // how the value is written; nil: as it is
	basic  bool                // the value is the password of a Basic blob
	opaque bool                // the value itself names no client
}

func pct(s string) string  { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
func pct2(s string) string { return pct(pct(s)) }

// shapes are all leak shapes: kinds in every glue.
var shapes = []shape{
	{name: "form body", kind: rules.CodeVerifier, client: true,
		text: `{T} DEBUG [token] request body was grant_type=authorization_code&client_id={C}&redirect_uri=https%3A%2F%2Fapp%2Fcb&code_verifier={V}`},
	{name: "JSON verifier", kind: rules.CodeVerifier, client: true,
		text: `{"time":"{T}","level":"ERROR","service":"{S}","msg":"token exchange failed","request":{"client_id":"{C}","code_verifier":"{V}"},"trace_id":"{H32}"}`},
	{name: "escaped JSON verifier", kind: rules.CodeVerifier, client: true,
		text: `{"time":"{T}","service":"{S}","log":"{\"clientId\":\"{C}\",\"codeVerifier\":\"{V}\"}"}`},
	{name: "twice escaped JSON verifier", kind: rules.CodeVerifier,
		text: `{"time":"{T}","log":"{\"body\":\"{\\\"code_verifier\\\":\\\"{V}\\\"}\"}"}`},
	{name: "verifier in prose", kind: rules.CodeVerifier,
		text: `{T} INFO [org.keycloak.protocol.oidc.utils.PkceUtils] (executor-thread-4) PKCE codeVerifier = {V}`},
	{name: "dict verifier", kind: rules.CodeVerifier, client: true,
		text: `DEBUG:oauth:data={'client_id': '{C}', 'code_verifier': '{V}', 'grant_type': 'authorization_code'}`},
	{name: "plain challenge", kind: rules.CodeVerifier, client: true,
		text: `{IP} - - [{T}] "GET /authorize?response_type=code&client_id={C}&code_challenge={V}&code_challenge_method=plain&state={B22} HTTP/1.1" 302 0 "-" "Mozilla/5.0"`},
	{name: "access log code", kind: rules.AuthorizationCode, encode: pct,
		text: `{IP} - - [{T}] "GET /oauth2/callback?code={V}&state={B22} HTTP/1.1" 302 24 "-" "Mozilla/5.0 (X11; Linux x86_64)"`},
	{name: "percent-encoded code", kind: rules.AuthorizationCode, encode: pct2,
		text: `{IP} - - [{T}] "GET /login?returnTo=%2Fcb%3Fstate%3D{B22}%26code%3D{V}%26x%3D1 HTTP/1.1" 302 24 "-" "curl/8.5"`},
	{name: "twice percent-encoded code", kind: rules.AuthorizationCode, opaque: true,
		encode: func(s string) string { return pct(pct2(s)) },
		text:   `{T} level=info msg=redirect url=%252Fcb%253Fstate%253D{B22}%2526code%253D{V}%2526x%253D1`},
	{name: "JSON code", kind: rules.AuthorizationCode, client: true,
		text: `{"@timestamp":"{T}","message":"code exchange","client_id":"{C}","grant_type":"authorization_code","code":"{V}"}`},
	{name: "dict code", kind: rules.AuthorizationCode,
		text: `Created authorization code grant {'code': '{V}', 'state': '{B22}'} for request <oauthlib.Request SANITIZED>.`},
	{name: "logfmt code", kind: rules.AuthorizationCode, client: true,
		text: `time={T} level=debug service={S} msg="got callback" client_id={C} auth_code={V} state={B22}`},
	{name: "token response", kind: rules.AccessToken,
		text: `{T} DEBUG token endpoint response: {"access_token":"{V}","token_type":"Bearer","expires_in":300}`, opaque: true},
	{name: "JWT response", kind: rules.AccessToken, client: true,
		text: `{"ts":"{T}","caller":"auth/token.go:88","access_token":"{V}","client_id":"{C}","expires_in":300}`},
	{name: "bearer header", kind: rules.AccessToken, opaque: true,
		text: `{T} TRACE http-outgoing-0 >> Authorization: Bearer {V}`},
	{name: "bearer in JSON", kind: rules.AccessToken, opaque: true,
		text: `{"time":"{T}","headers":{"accept":"*/*","authorization":"Bearer {V}","user-agent":"okhttp/4.12"}}`},
	{name: "forwarded token", kind: rules.AccessToken, opaque: true,
		text: `{T} upstream request X-Forwarded-Access-Token: {V}`},
	{name: "fragment", kind: rules.AccessToken, opaque: true,
		text: `{T} INFO landing http://app.example.com/#access_token={V}&token_type=bearer&expires_in=3600`},
	{name: "refresh form", kind: rules.RefreshToken, client: true, encode: pct, opaque: true,
		text: `{T} DEBUG POST /token grant_type=refresh_token&refresh_token={V}&client_id={C}`},
	{name: "refresh JSON", kind: rules.RefreshToken, opaque: true,
		text: `{"level":"debug","time":"{T}","body":{"grant_type":"refresh_token","refresh_token":"{V}"}}`},
	{name: "ID token", kind: rules.IDToken, client: true,
		text: `{T} DEBUG session created id_token={V} for user {U}`},
	{name: "client secret form", kind: rules.ClientSecret, client: true, encode: pct,
		text: `{T} request body for token endpoint call: grant_type=client_credentials&client_id={C}&client_secret={V}`},
	{name: "client secret toString", kind: rules.ClientSecret, client: true,
		text: `{T} INFO proxy credentials set to: OAuthPasswordGrant{tokenEndpointUri='https://id/token', clientId='{C}', clientSecret='{V}'}`},
	{name: "client assertion", kind: rules.ClientAssertion, client: true,
		text: `{T} DEBUG body client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={V}&grant_type=client_credentials`},
	{name: "basic header", kind: rules.BasicCredentials, client: true, basic: true,
		text: `{T} DEBUG Request headers were {'Authorization': 'Basic {V}', 'Accept': 'application/json'}`},
	{name: "device code", kind: rules.DeviceCode, client: true,
		text: `{T} DEBUG poll grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={V}&client_id={C}`},
	{name: "keycloak cookie", kind: rules.SessionCookie,
		text: `{T} TRACE requestHeaders Cookie: lang=en; KEYCLOAK_IDENTITY={V}; theme=dark`},
	{name: "set-cookie", kind: rules.SessionCookie,
		text: `{T} DEBUG response Set-Cookie: authelia_session={V}; Path=/; HttpOnly; Secure`},
}

// build fills a shape.
func (g *Generator) build(s shape) Line {
	client := g.client()
	value := g.value(s.kind, client)
	if s.opaque {
		value = g.opaque(s.kind)
	}
	if s.basic {
		value = g.alnum(24 + g.rnd.IntN(3))
	}
	written := value
	if s.encode != nil {
		written = s.encode(value)
	}
	lead := 0
	if s.basic {
		written = base64.StdEncoding.EncodeToString([]byte(client + ":" + value))
		lead = (len(client) + 1) * 8 / 6
	}
	before, after, _ := strings.Cut(s.text, "{V}")
	head, tail := g.fill(before, client), g.fill(after, client)
	secret := Secret{Start: len(head) + lead, End: len(head) + len(written), Kind: s.kind, Value: value}
	if s.client {
		secret.Client = client
	}
	return Line{Text: []byte(head + written + tail), Service: g.service(), Secrets: []Secret{secret}}
}
