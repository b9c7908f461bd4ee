package matrix

import "github.com/leakveil/leakveil/rules"

// Values of services that tell themselves by how they begin, or whose
// characters lie outside what tokens are made of elsewhere.

func named(name string, sh shape) shape {
	sh.name = name
	return sh
}

func salesforceSession(s *source) string {
	return s.draw(alphanumeric, one(s, 12, 15)) + "!AQ" + s.draw(alphanumeric+"._", 90)
}

// microsoftRefresh holds ! * $, which forms percent-encode.
func microsoftRefresh(s *source) string {
	return "M" + ".C5" + s.number(10, 99) + "_BAY.0.U.-" + s.draw(alphanumeric, 60) + "!" + s.draw(alphanumeric, 70) + "*" + s.draw(alphanumeric, 90) + "$$"
}

// entraSecret has a digit and Q~ behind its first three characters.
func entraSecret(s *source, _ string) string {
	return s.draw(alphanumeric, 3) + "8Q~" + s.draw(unreserved, 33) + s.draw(alphanumeric, 1)
}

// facebookApp is an application's number and secret: a character that no token
// has stands between them.
func facebookApp(s *source) string { return s.number(1e14, 9e15) + "|" + s.draw(urlSafe, 27) }

// unsigned is a JWS of algorithm none: its signature is empty, the dot is there.
func unsigned(s *source, client string) string {
	return encodePart(claims("alg", "none", "typ", "JWT")) + "." + encodePart(claims(s.times(300, "iss", issuer,
		"typ", "Bearer", "sub", s.uuid(), "azp", client)...)) + "."
}

var vendorCodes = []shape{
	plain("code-slack", rules.AuthorizationCode, func(s *source) string { return s.number(1e11, 9e11) + "." + s.number(1e12, 9e12) + "." + s.hex(32) }),
	named("code-microsoft", known(rules.AuthorizationCode, "M"+".C5", func(s *source) string { return s.number(10, 99) + "_BL2.2.U." + s.uuid() })),
	named("code-microsoft-old", known(rules.AuthorizationCode, "M"+".R3_", func(s *source) string { return "BAY." + s.uuid() })),
	known(rules.AuthorizationCode, "aP"+"rx", func(s *source) string { return s.draw(urlSafe, 78) + "==" }),
}

var vendorAccess = []shape{
	plain("access-facebook-app", rules.AccessToken, facebookApp),
	named("access-salesforce", known(rules.AccessToken, "00"+"D", salesforceSession)),
	named("access-dropbox", known(rules.AccessToken, "s"+"l.", func(s *source) string { return "B" + s.draw(urlSafe, 140) })),
	named("access-dropbox-u", known(rules.AccessToken, "s"+"l.u.", func(s *source) string { return "A" + s.draw(urlSafe, 400) })),
	known(rules.AccessToken, "oa"+"t_", characters(alphanumeric, 32)),
	known(rules.AccessToken, "EA"+"A", characters(alphanumeric, 180)),
	known(rules.AccessToken, "glia"+"mat-", fosite),
}

var vendorRefresh = []shape{
	plain("refresh-microsoft", rules.RefreshToken, microsoftRefresh),
	known(rules.RefreshToken, "AM"+"f-vB", characters(urlSafe, 220)),
	known(rules.RefreshToken, "5A"+"ep861", characters(urlSafe, 80)),
	{name: "refresh-entra-long", kind: rules.RefreshToken, make: func(s *source, _ string) string {
		return one(s, "0", "1") + ".A" + s.draw(urlSafe, 61) + ".1.Ag" + s.draw(urlSafe, 320) + ".A" + s.draw(urlSafe, 210)
	}},
}

var vendorSecrets = []shape{
	{name: "secret-entra", kind: rules.ClientSecret, make: entraSecret},
	known(rules.ClientSecret, "AT"+"OA", characters(urlSafe, 76)),
	known(rules.ClientSecret, "glo"+"as-", hexadecimal(32)),
}

var vendorKeys = []shape{
	known(rules.APIKey, "sk_"+"live_", characters(alphanumeric, 40)),
	known(rules.APIKey, "sk_"+"test_", characters(alphanumeric, 40)),
	known(rules.APIKey, "ATA"+"TT3", characters(urlSafe, 186)),
	known(rules.APIKey, "do"+"o_v1_", hexadecimal(32)),
	known(rules.APIKey, "shp"+"at_", hexadecimal(16)),
	known(rules.APIKey, "pat"+"-na1-", (*source).uuid),
	known(rules.APIKey, "secret"+"-test-", func(s *source) string { return s.draw(urlSafe, 47) + "=" }),
	named("glpat-routable", known(rules.APIKey, "gl"+"pat-", func(s *source) string { return s.draw(urlSafe, 27) + ".01." + s.draw(lowerLetters+digits, 9) })),
}
