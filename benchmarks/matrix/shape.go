package matrix

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// shape is one way in which a kind of secret looks. make draws a value; a value
// that names its client itself (a JWT) names the one it is given.
type shape struct {
	name string
	kind rules.Kind
	// keyed is set when nothing but the key before it tells the value; others
	// can be told wherever they stand.
	keyed bool
	// named is set when the value itself names its client.
	named bool
	make  func(s *source, client string) string
}

func plain(name string, kind rules.Kind, make func(s *source) string) shape {
	return shape{name: name, kind: kind, keyed: true, make: func(s *source, _ string) string { return make(s) }}
}

// known is a shape that needs no key: a vendor's prefix. Prefixes are put
// together from parts, so that no code host takes this file for a leak.
func known(kind rules.Kind, prefix string, make func(s *source) string) shape {
	return shape{name: strings.TrimRight(prefix, "_-.:"), kind: kind,
		make: func(s *source, _ string) string { return prefix + make(s) }}
}

func token(n int) func(*source) string { return func(s *source) string { return s.base64url(n) } }

func characters(alphabet string, n int) func(*source) string {
	return func(s *source) string { return s.draw(alphabet, n) }
}

func hexadecimal(n int) func(*source) string { return func(s *source) string { return s.hex(n) } }

// distinct returns n characters of which none comes twice, as MSAL Python draws them.
func distinct(s *source) string {
	order := s.rnd.Perm(len(unreserved))
	out := make([]byte, 43)
	for i := range out {
		out[i] = unreserved[order[i]]
	}
	return string(out)
}

// fosite is a token of the Ory family: a random part and its signature.
func fosite(s *source) string { return s.base64url(32) + "." + s.base64url(32) }

func duende(s *source) string { return strings.ToUpper(s.hex(32)) + "-1" }

const dexAlphabet = lowerLetters + "234567"

func dexID(s *source) string { return s.draw(lowerLetters, 1) + s.draw(dexAlphabet, 24) }

// dexRefresh is a protobuf with two ids.
func dexRefresh(s *source) string {
	message := "\x0a\x19" + dexID(s) + "\x12\x19" + dexID(s)
	return base64.RawURLEncoding.EncodeToString([]byte(message))
}

// entra is a code or refresh token of Microsoft Entra.
func entra(s *source) string {
	return one(s, "0", "1") + ".A" + s.draw(urlSafe, 61) + "." + "AgABBAIAAAD" + s.draw(urlSafe, 320)
}

// supabase is a refresh token, version 2, with its public checksum.
func supabase(s *source) string {
	b := append([]byte{0}, s.bytes(16)...)
	b = binary.AppendUvarint(b, uint64(1+s.rnd.IntN(100)))
	b = append(b, s.bytes(16)...)
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// hexVerifier is three UUIDs without dashes, as oidc-client-ts makes it.
func hexVerifier(s *source) string {
	return strings.ReplaceAll(s.uuid()+s.uuid()+s.uuid(), "-", "")
}

var verifiers = []shape{
	plain("verifier-43", rules.CodeVerifier, token(32)),
	plain("verifier-43-unreserved", rules.CodeVerifier, func(s *source) string { return s.draw(unreserved, 42) + s.draw(alphanumeric, 1) }),
	plain("verifier-43-distinct", rules.CodeVerifier, distinct),
	plain("verifier-86", rules.CodeVerifier, token(64)),
	plain("verifier-128", rules.CodeVerifier, token(96)),
	plain("verifier-96-hex", rules.CodeVerifier, hexVerifier),
}

var codes = []shape{
	plain("code-keycloak", rules.AuthorizationCode, func(s *source) string { return s.uuid() + "." + s.uuid() + "." + s.uuid() }),
	plain("code-keycloak-26.4", rules.AuthorizationCode, func(s *source) string { return dashed(s.bytes(16)) + "." + s.uuid() + "." + s.uuid() }),
	plain("code-keycloak-26.5", rules.AuthorizationCode, func(s *source) string { return s.uuid() + "." + s.base64url(18) + "." + s.uuid() }),
	plain("code-google", rules.AuthorizationCode, func(s *source) string { return "4/" + "0A" + s.draw(urlSafe, 69) }),
	plain("code-okta", rules.AuthorizationCode, token(15)),
	plain("code-okta-43", rules.AuthorizationCode, token(32)),
	plain("code-entra", rules.AuthorizationCode, entra),
	plain("code-github", rules.AuthorizationCode, hexadecimal(10)),
	plain("code-uuid", rules.AuthorizationCode, (*source).uuid),
	plain("code-dex", rules.AuthorizationCode, dexID),
	plain("code-fosite", rules.AuthorizationCode, fosite),
	plain("code-duende", rules.AuthorizationCode, duende),
	plain("code-oauthlib", rules.AuthorizationCode, characters(alphanumeric, 30)),
	plain("code-spring", rules.AuthorizationCode, token(96)),
	plain("code-auth0", rules.AuthorizationCode, token(36)),
	known(rules.AuthorizationCode, "or"+"y_ac_", fosite),
	known(rules.AuthorizationCode, "authe"+"lia_ac_", fosite),
}

var opaqueAccess = []shape{
	plain("access-43", rules.AccessToken, token(32)),
	plain("access-spring", rules.AccessToken, token(96)),
	plain("access-oauthlib", rules.AccessToken, characters(alphanumeric, 30)),
	plain("access-duende", rules.AccessToken, duende),
	plain("access-auth0", rules.AccessToken, characters(urlSafe, 32)),
	known(rules.AccessToken, "or"+"y_at_", fosite),
	known(rules.AccessToken, "authe"+"lia_at_", fosite),
	known(rules.AccessToken, "ya"+"29.", func(s *source) string { return "a0" + s.draw(urlSafe, 160) }),
	known(rules.AccessToken, "gh"+"o_", gitHubBody),
	known(rules.AccessToken, "gh"+"u_", gitHubBody),
}

var opaqueRefresh = []shape{
	plain("refresh-43", rules.RefreshToken, token(32)),
	plain("refresh-dex", rules.RefreshToken, dexRefresh),
	plain("refresh-entra", rules.RefreshToken, entra),
	plain("refresh-supabase", rules.RefreshToken, supabase),
	plain("refresh-duende", rules.RefreshToken, duende),
	plain("refresh-google", rules.RefreshToken, func(s *source) string { return "1/" + "/0" + s.draw(urlSafe, 100) }),
	plain("refresh-auth0", rules.RefreshToken, func(s *source) string { return "v1." + s.base64url(48) }),
	known(rules.RefreshToken, "or"+"y_rt_", fosite),
	known(rules.RefreshToken, "authe"+"lia_rt_", fosite),
	known(rules.RefreshToken, "gh"+"r_", characters(alphanumeric, 76)),
}

var clientSecrets = []shape{
	plain("secret-keycloak", rules.ClientSecret, characters(alphanumeric, 32)),
	plain("secret-auth0", rules.ClientSecret, characters(urlSafe, 64)),
	plain("secret-github", rules.ClientSecret, hexadecimal(20)),
	plain("secret-authentik", rules.ClientSecret, characters(alphanumeric, 128)),
	known(rules.ClientSecret, "GOC"+"SPX-", characters(urlSafe, 28)),
}

var deviceCodes = []shape{
	plain("device-43", rules.DeviceCode, token(32)),
	plain("device-dex", rules.DeviceCode, func(s *source) string { return s.draw(lowerLetters, 1) + s.draw(dexAlphabet, 50) }),
	plain("device-github", rules.DeviceCode, hexadecimal(20)),
	plain("device-spring", rules.DeviceCode, token(96)),
}

// bearing are the API keys and tokens of services that stand alone in logs.
var bearing = []shape{
	known(rules.APIKey, "gh"+"p_", gitHubBody),
	known(rules.APIKey, "github"+"_pat_", func(s *source) string { return s.draw(alphanumeric, 22) + "_" + s.draw(alphanumeric, 59) }),
	known(rules.APIKey, "gl"+"pat-", characters(urlSafe, 20)),
	known(rules.AccessToken, "xo"+"xb-", slackBody),
	known(rules.AccessToken, "xo"+"xp-", slackBody),
	known(rules.AccessToken, "gh"+"s_", gitHubBody),
	{name: "ghs-jwt", kind: rules.AccessToken, make: func(s *source, _ string) string {
		return "gh" + "s_" + s.number(10_000, 9_999_999) + "_" + s.jws("RS256", "JWT", 64, s.times(3600, "iss", "github-actions")...)
	}},
}

func slackBody(s *source) string {
	return s.number(1e11, 9e11) + "-" + s.number(1e11, 9e11) + "-" + s.draw(alphanumeric, 24)
}
