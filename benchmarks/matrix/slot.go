package matrix

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// pair is a parameter: a key in snake case and its value.
type pair struct {
	key   string
	value fragment
}

func param(key, value string) pair { return pair{key, text(value)} }

// slot is a place where a secret stands under a key: the keys that are in use,
// the shapes that its values have, and the parameters beside it.
type slot struct {
	keys       []string
	shapes     []shape
	neighbours func(s *source) []pair
}

// slots is every slot. A key that is a common word (code, token) is a key only
// beside other OAuth parameters, which its neighbours are.
var slots = []slot{
	{keys: []string{"code_verifier", "pkce_verifier", "pkce_code_verifier"}, shapes: verifiers, neighbours: exchange},
	{keys: []string{"code", "auth_code", "authorization_code"}, shapes: join(codes, vendorCodes), neighbours: callback},
	{keys: []string{"access_token"}, shapes: join(opaqueAccess, vendorAccess, jwtAccess, []shape{accessJWE}), neighbours: response},
	{keys: []string{"refresh_token"}, shapes: join(opaqueRefresh, vendorRefresh, jwtRefresh), neighbours: refreshing},
	{keys: []string{"id_token", "id_token_hint"}, shapes: idTokens, neighbours: callback},
	{keys: []string{"client_secret"}, shapes: join(clientSecrets, vendorSecrets), neighbours: clientGrant},
	{keys: []string{"token"}, shapes: join(opaqueAccess, vendorAccess, jwtAccess), neighbours: hinted},
	{keys: []string{"device_code"}, shapes: deviceCodes, neighbours: polling},
	{keys: []string{"client_assertion"}, shapes: assertions, neighbours: assertionType},
	{keys: []string{"registration_access_token"}, shapes: registrations, neighbours: registration},
	{keys: []string{"password"}, shapes: passwords, neighbours: passwordGrant},
	{keys: []string{"user_code"}, shapes: userCodes, neighbours: verification},
	{keys: []string{"request_uri"}, shapes: requestURIs, neighbours: callback},
	{keys: []string{"logout_token"}, shapes: logoutTokens, neighbours: none},
	{keys: []string{"SAMLResponse"}, shapes: samls, neighbours: relayState},
	{keys: []string{"code_challenge"}, shapes: challenges, neighbours: plainMethod},
}

func join(lists ...[]shape) []shape {
	var out []shape
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func none(*source) []pair { return nil }

func callback(s *source) []pair { return []pair{param("state", s.base64url(16))} }

func exchange(s *source) []pair {
	return []pair{param("grant_type", "authorization_code"), param("redirect_uri", redirect(s))}
}

func response(s *source) []pair {
	return []pair{param("token_type", "Bearer"), param("expires_in", s.number(60, 7200))}
}

func refreshing(*source) []pair { return []pair{param("grant_type", "refresh_token")} }

func clientGrant(*source) []pair { return []pair{param("grant_type", "client_credentials")} }

func hinted(*source) []pair { return []pair{param("token_type_hint", "access_token")} }

func polling(*source) []pair {
	return []pair{param("grant_type", "urn:ietf:params:oauth:grant-type:device_code")}
}

func assertionType(*source) []pair {
	return []pair{param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")}
}

func registration(*source) []pair {
	return []pair{param("registration_client_uri", "https://id.example.com/register/self")}
}

func passwordGrant(s *source) []pair {
	return []pair{param("grant_type", "password"), param("username", "user"+s.number(1, 9999))}
}

func verification(*source) []pair {
	return []pair{param("verification_uri", "https://id.example.com/device"), param("interval", "5")}
}

func relayState(s *source) []pair { return []pair{param("RelayState", s.uuid())} }

func plainMethod(*source) []pair {
	return []pair{param("response_type", "code"), param("code_challenge_method", "plain")}
}

func redirect(s *source) string {
	return "https://" + one(s, "app", "shop", "portal", "kiosk") + ".example.com/" + one(s, "callback", "cb", "signin-oidc")
}

// value draws a value. One that names its client gets one drawn where none is given.
func (sh shape) value(s *source, client string) fragment {
	if sh.named && client == "" {
		client = s.client()
	}
	return secret(sh.kind, sh.make(s, client), client)
}

// basic writes Basic credentials: the base64 of "client:secret", in which the
// characters that hold bits of the secret are to be replaced.
func basic(client, password string) fragment {
	user := url.QueryEscape(client) + ":"
	blob := base64.StdEncoding.EncodeToString([]byte(user + password))
	at := len(user) * 8 / 6
	return cat(blob[:at], fragment{{blob[at:], &corpus.Secret{Kind: rules.BasicCredentials, Value: password, Client: client}}})
}

// camel writes a snake-case key in camel case.
func camel(key string) string {
	words := strings.Split(key, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
