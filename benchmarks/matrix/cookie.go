package matrix

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// cookie is a session cookie of an identity provider or a login proxy.
type cookie struct {
	name string
	make func(s *source) string
}

var cookies = []cookie{
	{"KEYCLOAK_IDENTITY", identityCookie},
	{"KEYCLOAK_SESSION", token(32)},
	{"AUTH_SESSION_ID", func(s *source) string { return s.base64url(18) + "." + s.base64url(43) }},
	{"_oauth2_proxy", func(s *source) string {
		return s.base64url(150) + "|" + strconv.FormatInt(epoch, 10) + "|" + s.base64url(32) + "="
	}},
	{"connect.sid", func(s *source) string {
		return url.QueryEscape("s:" + s.base64url(24) + "." + s.draw(alphanumeric+"+/", 43))
	}},
	{"authelia_session", characters(alphanumeric, 32)},
	{"JSESSIONID", func(s *source) string { return strings.ToUpper(s.hex(16)) }},
	{"ESTSAUTHPERSISTENT", func(s *source) string { return "1.A" + s.draw(urlSafe, 300) }},
	{"__Secure-authjs.session-token", (*source).jwe},
	{"ory_kratos_session", func(s *source) string { return "MTc5NTE2" + s.base64url(150) + "==" }},
	{".AspNetCore.Cookies", func(s *source) string { return "CfDJ8" + s.base64url(240) }},
	{"_oauth2_proxy_2", func(s *source) string { return s.base64url(300) }},
	{".AspNetCore.CookiesC1", func(s *source) string { return "CfDJ8" + s.base64url(240) }},
	{".AspNetCore.Identity.Application", func(s *source) string { return "CfDJ8" + s.base64url(240) }},
	{"__Secure-next-auth.session-token.1", func(s *source) string { return s.base64url(240) }},
	{"__Host-zitadel.useragent", func(s *source) string { return s.base64url(150) }},
	{"AWSELBAuthSessionCookie-0", func(s *source) string { return s.base64url(240) }},
	{"ory_session_playground", func(s *source) string { return "MTc5NTE2" + s.base64url(150) + "==" }},
	{"iPlanetDirectoryPro", func(s *source) string { return s.base64url(45) + ".*AAJTSQACMDE." + "*" }},
	{"authentik_session", func(s *source) string { return s.draw(lowerLetters+digits, 32) }},
	{"PF.PERSISTENT", func(s *source) string { return s.draw(alphanumeric, 43) }},
	{"auth0", func(s *source) string { return "s%3A" + s.base64url(60) + "." + s.draw(alphanumeric, 43) }},
}

// value draws the cookie as it stands on the wire. What must be known of a
// value is its decoded form; on the wire it may be percent-encoded.
func (c cookie) value(s *source) fragment {
	wire := c.make(s)
	value, err := url.PathUnescape(wire)
	if err != nil {
		panic("matrix: a cookie that cannot be decoded")
	}
	return fragment{{wire, &corpus.Secret{Kind: rules.SessionCookie, Value: value}}}
}

// header writes a Cookie header with harmless cookies on both sides.
func (c cookie) header(s *source) header {
	return header{"Cookie", cat("lang=en; _ga=GA1.2.", s.number(1e8, 9e8), ".1700000000; ", c.name, "=", c.value(s), "; theme=dark")}
}

// set writes a Set-Cookie header.
func (c cookie) set(s *source) header {
	return header{"Set-Cookie", cat(c.name, "=", c.value(s), "; Path=/; HttpOnly; SameSite=Lax")}
}

func lowerName(name string) string { return strings.ToLower(name) }
