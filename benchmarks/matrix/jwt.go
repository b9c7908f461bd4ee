package matrix

import (
	"encoding/base64"
	"hash/crc32"

	"github.com/leakveil/leakveil/rules"
)

const issuer = "https://id.example.com/realms/prod"

// gitHubBody is the part behind the prefix: 30 characters and their checksum,
// base62 of the CRC-32.
func gitHubBody(s *source) string {
	const base62 = digits + upperLetters + lowerLetters
	body := s.draw(alphanumeric, 30)
	sum := crc32.ChecksumIEEE([]byte(body))
	var tail [6]byte
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return body + string(tail[:])
}

// Access tokens that are JWTs. Each provider names the client by another claim.

func keycloakAccess(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(300, "auth_time", "1795160000", "jti", s.uuid(), "iss", issuer,
		"aud", "account", "sub", s.uuid(), "typ", "Bearer", "azp", client, "sid", s.base64url(18), "acr", "1",
		"allowed-origins", `["https://app.example.com"]`, "realm_access", `{"roles":["offline_access","uma_authorization","customer"]}`,
		"scope", "openid profile email", "email_verified", `["true"]`, "preferred_username", "user"+s.number(1, 9999))...)
}

func oktaAccess(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(3600, "ver", "1", "jti", "AT."+s.base64url(32), "iss", issuer,
		"aud", "api://default", "cid", client, "uid", "00u"+s.draw(alphanumeric, 17), "scp", `["openid","orders:read"]`)...)
}

func entraAccess(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(3600, "aud", "api://orders", "iss", issuer, "appid", client,
		"appidacr", "1", "oid", s.uuid(), "tid", s.uuid(), "ver", "1.0", "scp", "user_impersonation")...)
}

func profileAccess(s *source, client string) string { // RFC 9068
	return s.jws("ES256", "at+jwt", 64, s.times(600, "iss", issuer, "aud", "https://rs.example.com",
		"sub", s.uuid(), "client_id", client, "jti", s.uuid(), "scope", "orders.read")...)
}

// unknownUse is a JWT that does not tell what it is for.
func unknownUse(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(300, "iss", issuer, "sub", s.uuid(), "azp", client, "jti", s.uuid())...)
}

func refreshJWT(s *source, client string) string {
	return s.jws("HS512", "JWT", 64, s.times(1800, "jti", s.uuid(), "iss", issuer, "aud", issuer, "sub", s.uuid(),
		"typ", "Refresh", "azp", client, "sid", s.base64url(18), "scope", "openid profile email")...)
}

func idToken(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(300, "iss", issuer, "aud", client, "sub", s.uuid(), "nonce", s.base64url(16),
		"at_hash", s.base64url(16), "email", "ann@example.com", "sid", s.base64url(18))...)
}

func idTokenWithAZP(s *source, client string) string {
	return s.jws("RS256", "JWT", 256, s.times(300, "iss", issuer, "aud", `["account","`+client+`"]`, "azp", client,
		"sub", s.uuid(), "typ", "ID", "at_hash", s.base64url(16))...)
}

func assertion(s *source, client string) string {
	return s.jws("PS256", "JWT", 256, s.times(60, "iss", client, "sub", client, "aud", issuer, "jti", s.uuid())...)
}

func logoutToken(s *source, client string) string {
	return s.jws("RS256", "logout+jwt", 256, s.times(120, "iss", issuer, "aud", client, "azp", client, "jti", s.uuid(),
		"sid", s.base64url(18), "events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`)...)
}

// identityCookie is Keycloak's login cookie: a JWT that names no client.
func identityCookie(s *source) string {
	return s.jws("HS512", "JWT", 64, s.times(36000, "jti", s.uuid(), "iss", issuer, "sub", s.uuid(),
		"typ", "Serialized-ID", "sid", s.base64url(18), "state_checker", s.base64url(32))...)
}

// jwe is a compact JWE (RFC 7516 §3.1) with direct encryption: an empty key part.
func (s *source) jwe() string {
	header := claims("alg", "dir", "enc", "A256GCM", "kid", s.base64url(16))
	return encodePart(header) + ".." + s.base64url(12) + "." + s.base64url(180) + "." + s.base64url(16)
}

func jwt(name string, kind rules.Kind, make func(*source, string) string) shape {
	return shape{name: name, kind: kind, named: true, make: make}
}

// Shapes whose values name their client.
var (
	jwtAccess = []shape{
		jwt("access-jwt-azp", rules.AccessToken, keycloakAccess),
		jwt("access-jwt-cid", rules.AccessToken, oktaAccess),
		jwt("access-jwt-appid", rules.AccessToken, entraAccess),
		jwt("access-jwt-client-id", rules.AccessToken, profileAccess),
		jwt("access-jwt-unsigned", rules.AccessToken, unsigned),
	}
	jwtRefresh = []shape{jwt("refresh-jwt", rules.RefreshToken, refreshJWT)}
	idTokens   = []shape{
		jwt("id-token-aud", rules.IDToken, idToken),
		jwt("id-token-azp", rules.IDToken, idTokenWithAZP),
	}
	assertions   = []shape{jwt("client-assertion", rules.ClientAssertion, assertion)}
	logoutTokens = []shape{jwt("logout-token", rules.LogoutToken, logoutToken)}
)

// Kinds of which there is one shape, or two.
var (
	accessJWE     = plain("access-jwe", rules.AccessToken, (*source).jwe)
	registrations = []shape{
		plain("registration-43", rules.RegistrationToken, token(32)),
		{name: "registration-jwt", kind: rules.RegistrationToken, make: registrationJWT},
	}
	passwords = []shape{plain("password", rules.Password, func(s *source) string { return s.draw(alphanumeric+"-_", 14) })}
	userCodes = []shape{
		plain("user-code", rules.UserCode, userCode("BCDFGHJKLMNPQRSTVWXZ")),
		plain("user-code-typed", rules.UserCode, userCode("bcdfghjklmnpqrstvwxz")),
	}
	requestURIs = []shape{known(rules.RequestURI, "urn:ietf:params:oauth:request_uri:", token(32))}
	challenges  = []shape{plain("challenge-plain", rules.CodeVerifier, token(32))}
	samls       = []shape{plain("saml-response", rules.SAMLAssertion, samlResponse)}
)

func userCode(letters string) func(*source) string {
	return func(s *source) string { return s.draw(letters, 4) + "-" + s.draw(letters, 4) }
}

func registrationJWT(s *source, _ string) string {
	return s.jws("HS512", "JWT", 64, s.times(86400, "jti", s.uuid(), "iss", issuer, "aud", issuer, "typ", "RegistrationAccessToken")...)
}

func samlResponse(s *source) string {
	return base64.StdEncoding.EncodeToString([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_` +
		s.hex(16) + `" Version="2.0"><saml:Assertion ID="_` + s.hex(16) + `"><ds:SignatureValue>` +
		base64.StdEncoding.EncodeToString(s.bytes(256)) + `</ds:SignatureValue></saml:Assertion></samlp:Response>`))
}
