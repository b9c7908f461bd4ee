package matrix

import "strings"

// Traps returns lines that hold no secret and look as if they did: none of them
// may change by a byte. The same seed gives the same lines.
func Traps(seed uint64) []Case {
	m := &builder{source: newSource(seed)}
	m.publicParameters()
	m.codesOfOtherKinds()
	m.namesOfTokens()
	m.identifiers()
	m.masked()
	m.placeholders()
	m.lookAlikesOfVendors()
	return m.cases
}

func (m *builder) trap(name, line string) { m.add(name, text(line)) }

// publicParameters are values of OAuth messages that are no secrets.
func (m *builder) publicParameters() {
	challenge := "&code_challenge=" + m.base64url(32) + "&code_challenge_method=S256"
	m.trap("authorize-s256", m.ip()+" - - ["+clf+`] "GET /authorize?response_type=code&client_id=`+m.client()+
		"&scope=openid&state="+m.base64url(16)+"&nonce="+m.base64url(16)+challenge+` HTTP/1.1" 302 0`)
	m.trap("authorize-percent", "GET /login?returnTo="+percentOf("/authorize?response_type=code&client_id=web-shop"+challenge))
	m.trap("challenge-json", `{"client_id":"web-shop","code_challenge":"`+m.base64url(32)+`","code_challenge_method":"S256"}`)
	m.trap("challenge-method-first", `{"code_challenge_method":"S256","client_id":"web-shop","code_challenge":"`+m.base64url(32)+`"}`)
	m.trap("state-nonce", `{"state":"`+m.base64url(32)+`","nonce":"`+m.base64url(32)+`","jti":"`+m.uuid()+`"}`)
	m.trap("claims", `claims kid=`+m.base64url(32)+` at_hash=`+m.base64url(16)+` c_hash=`+m.base64url(16)+` x5t=`+m.base64url(20)+` sid=`+m.base64url(18))
	m.trap("response-members", `{"token_type":"Bearer","expires_in":300,"refresh_expires_in":1800,"scope":"openid","session_state":"`+m.base64url(18)+`"}`)
	m.trap("callback-error", `GET /callback?error=access_denied&error_description=user+said+no&state=`+m.base64url(16)+` HTTP/1.1`)
	m.trap("grant-types", `grant_type=refresh_token&scope=openid%20offline_access`)
	m.trap("types-of-tokens", `subject_token_type=urn:ietf:params:oauth:token-type:access_token&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token`)
	m.trap("assertion-type", `client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=batch-invoices`)
	m.trap("auth-method", `{"client_id":"web-shop","token_endpoint_auth_method":"client_secret_basic","client_secret_expires_at":0}`)
	m.trap("introspection", `{"active":true,"client_id":"web-shop","sub":"`+m.uuid()+`","username":"ann","exp":1795162800}`)
}

// codesOfOtherKinds are codes that no authorization server made.
func (m *builder) codesOfOtherKinds() {
	for _, line := range []string{
		`open /etc/app.yaml failed: code=ENOENT errno=-2 syscall=open`,
		`HTTP status code=404 path=/favicon.ico`,
		`{"code":"ERR_HTTP2_STREAM_CANCEL","message":"The pending stream has been canceled"}`,
		`rpc error: code = DeadlineExceeded desc = context deadline exceeded`,
		`{"error_code":"AADSTS50148","correlation_id":"` + m.uuid() + `"}`,
		`GET /cart?code=SUMMER2026&lang=en HTTP/1.1`,
		`promo_code=WELCOME-BACK-FRIENDS applied to order 118822`,
		`{"country_code":"DE","currency_code":"EUR","zip_code":"10115","postal_code":"80331"}`,
		`process exited with code: 137`,
		`{"code":0,"status":"ok"}`,
		`barcode=4006381333931 productCode=SKU-99812-BLACK-XL`,
		`type="CODE_TO_TOKEN", realmId="` + m.uuid() + `", clientId="web-shop", code_id="` + m.uuid() + `", grant_type="authorization_code"`,
		`type="REFRESH_TOKEN", clientId="web-shop", token_id="` + m.uuid() + `", refresh_token_id="` + m.uuid() + `", refresh_token_type="Refresh"`,
		`response_type=code&response_mode=query`,
	} {
		m.trap("code-of-another-kind", line)
	}
}

// namesOfTokens are lines that speak of secrets and hold none.
func (m *builder) namesOfTokens() {
	for _, line := range []string{
		`missing parameter code_verifier in token request of client spa-bank`,
		`invalid_grant: the code_verifier does not match the code_challenge`,
		`access_token expired at 2026-11-20T08:15:00Z, refreshing`,
		`Bearer authentication failed for client web-shop`,
		`WWW-Authenticate: Bearer realm="example", error="invalid_token", error_description="The token expired"`,
		`WWW-Authenticate: Basic realm="Restricted area"`,
		`unexpected token '<' in JSON at position 0`,
		`{"max_tokens":4096,"prompt_tokens":812,"completion_tokens":128,"token_count":940}`,
		`nextPageToken=CAUQAA pageToken=CAoQAA page_size=50`,
		`cursor=eyJpZCI6MTIzNDU2Nzg5LCJkaXIiOiJuZXh0In0 limit=50`,
		`access_token_lifetime=300 refresh_token_rotation=enabled id_token_signed_response_alg=RS256`,
		`org.springframework.security.oauth2.client.endpoint.DefaultAuthorizationCodeTokenResponseClient`,
		`	at org.keycloak.protocol.oidc.grants.AuthorizationCodeGrantType.process(AuthorizationCodeGrantType.java:159)`,
		`Cookie: lang=en; consent=accepted-everything; _ga=GA1.2.1234567890.1700000000`,
		`Set-Cookie: KEYCLOAK_IDENTITY=; Max-Age=0; Path=/realms/prod/`,
		`client_secret rotated for client partner-portal by admin`,
		`password policy: minimum length 14, grant_type not checked`,
	} {
		m.trap("name-only", line)
	}
}

// identifiers are random and public.
func (m *builder) identifiers() {
	m.trap("traceparent", `traceparent=00-`+m.hex(16)+`-`+m.hex(8)+`-01 tracestate=vendor=`+m.hex(8))
	m.trap("trace-span", `{"trace_id":"`+m.hex(16)+`","span_id":"`+m.hex(8)+`","request_id":"`+m.uuid()+`"}`)
	m.trap("etag", `ETag: W/"`+m.hex(20)+`" If-None-Match: "`+m.base64url(20)+`"`)
	m.trap("image-digest", `Pulled registry.example.com/shop@sha256:`+m.hex(32)+` in 812ms`)
	m.trap("checksum", `sha256=`+m.hex(32)+` commit=`+m.hex(20)+` build=`+m.base64url(24))
	m.trap("ulid", `order=01`+m.draw("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)+` upload_id=`+m.uuid())
	m.trap("page-tokens", `{"nextToken":"`+m.base64url(48)+`","continuation_token":"`+m.base64url(36)+`"}`)
	m.trap("csrf", `csrf_token=`+m.base64url(32)+` xsrf=`+m.base64url(24))
	m.trap("product-key", `product_key=`+m.draw(upperLetters+digits, 5)+`-`+m.draw(upperLetters+digits, 5)+`-`+m.draw(upperLetters+digits, 5))
	m.trap("pod", `pod checkout-`+m.hex(5)+`-x7k2p node-3 uid=`+m.uuid())
}

// masked are values that something has hidden already, and placeholders.
func (m *builder) masked() {
	for _, mask := range []string{
		"REDACTED.authorization_code.k1." + m.draw(urlSafe, 22), "[REDACTED]", "<redacted>", "********", "xxxxxxxx",
		"${OAUTH_VALUE}", "{{ .Values.oauth }}", "null", "undefined", "None", "***REDACTED***", "YOUR_VALUE_HERE",
	} {
		m.trap("masked", `{"client_id":"web-shop","code":"`+mask+`","code_verifier":"`+mask+`"}`)
		m.trap("masked", `{'access_token': '`+mask+`', 'refresh_token': '`+mask+`'}`)
		m.trap("masked", `client_id=web-shop client_secret=`+mask)
		m.trap("masked", `Authorization: Bearer `+mask)
	}
}

// placeholders are words in brackets, and values of which little is left.
func (m *builder) placeholders() {
	for _, inner := range []string{
		"redacted", "client secret", "your-access-token-here", "OAUTH_TOKEN", "vault.oauth.token", "masked:" + m.hex(16), "sha256:" + m.hex(32), "HIDDEN", "not set",
	} {
		for _, b := range brackets {
			m.trap("placeholder", `{"access_token":"`+b.open+inner+b.end+`","client_secret":"`+b.open+inner+b.end+`"}`)
			m.trap("placeholder", `{'code_verifier': '`+b.open+inner+b.end+`', 'code': '`+b.open+inner+b.end+`'}`)
		}
	}
	for _, left := range []string{"****" + m.draw(alphanumeric, 4), m.draw(alphanumeric, 4) + "********", m.draw(alphanumeric, 6) + "xxxxxxxxxx" + m.draw(alphanumeric, 4)} {
		m.trap("partly-masked", `{"access_token":"`+left+`"} client_secret=`+left)
	}
	for _, line := range []string{
		`client_secret: optional`, `client_secret: must not be empty`, `client_secret: Required`, `the methods are client_secret: post, basic`,
	} {
		m.trap("words-behind-a-key", line)
	}
}

// lookAlikesOfVendors begin like vendors' tokens, or stand behind names that end
// like keys.
func (m *builder) lookAlikesOfVendors() {
	for _, line := range []string{
		`javax.net.ssl.SSLHandshakeException: PKIX path building failed`, `sl.lproj/Localizable.strings sl.wikipedia.org`,
		`org 00D` + m.draw(alphanumeric, 15) + ` user 005` + m.draw(alphanumeric, 15), `digest 00D` + strings.ToUpper(m.hex(31)) + ` checked`,
		`version 0.A` + m.draw(lowerLetters, 4) + ` and 1.Alpha`, `file ABC8Q~1.TXT`, `M.C500 and M.R3_x are models`, `oat_milk_and_other_ingredients_of_the_recipe`,
		`promo code=` + m.draw(upperLetters+digits, 16) + ` applied`, `QR code: ` + m.draw(upperLetters+digits, 20), `voucher code = ` + m.hex(10),
		`cursor_token=` + m.base64url(32), `page token: ` + m.base64url(32), `resumeToken=` + m.base64url(48), `user_code=not-found`, `user_code: expired`,
		`pod shop-api-7d9f8b6c5d-x7k2p image sha256~unknown`, `com.example.oauth.ClientSecretBasicAuthenticationMethodConfiguration`,
		`image data:image/png;base64,iVBORw0KGgoAAAANSUhEUg` + m.base64url(60), `.AspNetCore.Cookies=chunks-2; theme=dark`,
	} {
		m.trap("look-alike-of-a-vendor", line)
	}
}

func percentOf(s string) string { return text(s).percent()[0].text }
