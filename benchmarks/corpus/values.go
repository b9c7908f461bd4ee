package corpus

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// value draws a secret of a kind, in the shapes that real products give them.
func (g *Generator) value(k rules.Kind, client string) string {
	switch k {
	case rules.CodeVerifier:
		return g.oneOf(g.b64u(43), g.b64u(86), g.b64u(128), g.hex(96), g.draw(unreserved, 42)+"A")
	case rules.AuthorizationCode:
		return g.oneOf(g.uuid()+"."+g.uuid()+"."+g.uuid(), g.uuid()+"."+g.b64u(24)+"."+g.uuid(),
			"4/0A"+g.b64u(69), g.b64u(43), g.hex(20), g.uuid(), g.alnum(30), g.b64u(43)+"."+g.b64u(43),
			strings.ToUpper(g.hex(64))+"-1", "ory_"+"ac_"+g.b64u(43)+"."+g.b64u(43))
	case rules.AccessToken:
		return g.oneOf(g.b64u(43), g.jwt("azp", client), g.jwt("client_id", client), "ya"+"29."+g.b64u(180),
			g.github("gh"+"o_"), "ory_"+"at_"+g.b64u(43)+"."+g.b64u(43), "xo"+"xb-"+g.draw("0123456789", 12)+"-"+g.alnum(24))
	case rules.RefreshToken:
		return g.oneOf(g.b64u(60), g.jwt("azp", client), "authelia_"+"rt_"+g.b64u(43)+"."+g.b64u(43), "1/"+"/0"+g.b64u(80))
	case rules.IDToken:
		return g.jwt("aud", client)
	case rules.ClientSecret:
		return g.oneOf(g.alnum(32), g.b64u(40), "GOC"+"SPX-"+g.b64u(28), g.alnum(3)+"8Q~"+g.b64u(34))
	case rules.ClientAssertion:
		return g.jwt("iss", client)
	case rules.DeviceCode:
		return g.oneOf(g.b64u(43), g.draw("abcdefghijklmnopqrstuvwxyz234567", 51))
	case rules.SessionCookie:
		return g.oneOf(g.jwt("sid", g.uuid()), g.b64u(64), g.alnum(32))
	}
	return g.b64u(43)
}

// secretFor draws a value that names no client by itself, so that only the
// record decides whose it is.
func (g *Generator) opaque(k rules.Kind) string {
	for {
		if v := g.value(k, "x"); !strings.HasPrefix(v, "eyJ") {
			return v
		}
		if k == rules.IDToken || k == rules.ClientAssertion {
			return g.b64u(43)
		}
	}
}

func (g *Generator) oneOf(values ...string) string { return values[g.rnd.IntN(len(values))] }

// jwt makes a signed-looking token with one telling claim.
func (g *Generator) jwt(claim, value string) string {
	body := map[string]any{"iss": "https://id.example.com/realms/prod", "exp": 1795162503 + g.rnd.IntN(3600), "jti": g.uuid()}
	if claim == "aud" {
		body["nonce"] = g.b64u(22)
	}
	if claim == "iss" {
		body["sub"] = value
	}
	body[claim] = value
	payload, err := json.Marshal(body)
	if err != nil {
		panic("BUG: strings and numbers always encode")
	}
	header := `{"alg":"RS256","typ":"JWT","kid":"` + g.b64u(43) + `"}`
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc(payload) + "." + g.b64u(342)
}

// github makes a token with the checksum of its vendor.
func (g *Generator) github(prefix string) string {
	body := g.alnum(30)
	sum := crc32.ChecksumIEEE([]byte(body))
	var tail [6]byte
	for i := 5; i >= 0; i-- {
		tail[i] = alnum[sum%62]
		sum /= 62
	}
	return prefix + body + string(tail[:])
}
