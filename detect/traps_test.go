package detect

import (
	"strings"
	"testing"
)

// innocents hold no secret and are written as pairs and sentences that may. V is a
// random value that is public.
var innocents = []string{
	// Programs.
	`client_secret: this.config.secret,`,
	`clientSecret: process.env.GITHUB_CLIENT_SECRET!,`,
	`const clientSecret = options.clientSecret;`,
	`Zoom({ clientId: ZOOM_CLIENT_ID, clientSecret: ZOOM_CLIENT_SECRET }),`,
	`self.client_secret = encode_client_secret(client_secret)`,
	`client_secret = ClientSecretField(max_length=255)`,
	`kwargs['oauth2ClientSecret'] = oauth2_client_secret`,
	`'oauth2-client-secret=OAUTH2-CLIENT-SECRET']),`,
	`proto.azureadConfig.clientSecret = azuread_config[`,
	`client_secret: api_auth.ApiAuth.ApiKeyConfig = proto.Field(`,
	`    oauth2_client_secret: OAuth2 client secret`,
	`this.accessToken=this.cfg.pw2Hash;`,
	`def __init__(self, client_id, client_secret=None, access_token_url=None):`,
	`func Exchange(ctx context.Context, code, codeVerifier string) (*Token, error) {`,
	`return new OAuth2AccessToken(tokenType, tokenValue, issuedAt);`,
	`if (token.accessToken === undefined) { throw new MissingTokenError(); }`,
	`access_token = response.json().get("access_token")`,
	`var names = ["code", "state", "access_token", "refresh_token", "client_secret"];`,
	`{"required":["code","redirect_uri","client_id","code_verifier"]}`,
	`("client_secret", "client_secret_basic", "client_secret_post", "private_key_jwt")`,
	`map[string]string{"code": "authorization_code", "token": "access_token"}`,
	`| access_token | string | The token that was issued |`,
	`| client_secret | required | see https://docs.example.com/clients |`,
	`refresh_token|access_token|id_token|client_secret`,
	`access_token;refresh_token;expires_in;token_type`,
	`access_token - the token of the user, client_secret - its secret`,
	`access_token changed from empty to something-of-the-user`,
	`access_token: &default none`,
	`client_secret += suffix_of_the_secret`,
	`client_secret <- readline(prompt)`,
	`refresh_token=sha256:VVV, client_secret = pbkdf2_sha256$600000$V$VV=`,
	`client_secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-V`,
	`{"event":"secret","id":7,"payload":"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"}`,
	`{"event": "secret", "data": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"}`,
	`if code_verifier == expectedVerifier { return nil }`,
	`if access_token == null || refresh_token === undefined {`,
	`assert client_secret == settings.CLIENT_SECRET`,
	`client_secret != "the-one-that-was-configured"`,
	`“access_token” is required, ‘client_secret’ as well`,
	`java -Dclient_secret=${CLIENT_SECRET} -Dtoken=none -jar x.jar`,
	`curl -b cookies.txt -c cookies.txt https://x/`,
	`docker run -b 'sid=V' img`,
	`Setting password (password) to empty`,
	`http://web:changeme-changeme@localhost:8080/ and postgres://app:V@localhost/x`,
	`Cookie: - Set-Cookie: -`,
	// Descriptions of interfaces.
	`{"name":"code","in":"query","description":"The authorization code","schema":{"type":"string"}}`,
	`{"name":"access_token","value":{"type":"string","format":"password"}}`,
	`<xs:element name="access_token" type="xs:string" minOccurs="0"/>`,
	`<property name="client_secret" value="${oauth.client.secret}"/>`,
	`<client_secret></client_secret><grant_type>client_credentials</grant_type>`,
	`<access_token/> <token_type>Bearer</token_type>`,
	`<key>access_token</key><string></string><key>kind</key><string>Bearer</string>`,
	`Content-Disposition: form-data; name="client_secret"\r\n\r\n\r\n--x`,
	`optional string access_token = 1; optional string refresh_token = 2;`,
	`<code>RSASSA-PKCS1-v1_5</code> and <code>ECDHE-RSA-AES128-GCM-SHA256</code>`,
	`access_token,refresh_token,expires_in,token_type`,
	`INSERT INTO tokens (access_token, refresh_token, expires_at) VALUES ($1, $2, $3)`,
	`UPDATE "oauth_tokens" SET "access_token" = $1, "refresh_token" = $2 WHERE "id" = $3`,
	// Texts.
	`The access token is a string that denotes a specific scope, lifetime, and other attributes.`,
	`Each authorization code is bound to the client identifier and redirection-uri-of-the-client.`,
	`the refresh token was issued to the client during registration-of-the-application`,
	`access token for client web-shop: not found`,
	`client secret (from environment): missing`,
	`refresh token received: expired at 2026-11-20T08:15:00.123456Z`,
	`Access token issued for session: V`,
	`access_token validated for request: V`,
	`access_token hash: V`,
	`Access token jti is V`,
	`Refresh token family id: V`,
	`Authorization code issued by: V`,
	`access token expired, trace id V`,
	`client secret rotated for application id V`,
	`token_type_hint=access_token client_id=V`,
	`token is valid, code is correct`,
	`token found in header, code for client web-shop`,
	`unexpected token "export" in module`,
	`the code "ERR_INVALID_ARG_TYPE" was thrown`,
	`code -> ERR_STREAM_PREMATURE_CLOSE, token -> none`,
	`code value: 42, token value: null`,
	`clientSecret: https://docs.example.com/register/how-to`,
	`{"verifier":"org.keycloak.TokenVerifier","hostnameVerifier":"DefaultHostnameVerifier@1f2e3d4c"}`,
	`X-Token-Count: [12] x-code-page: [utf-8]`,
}

// What only looks like a secret stays.
func TestInnocents(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, line := range innocents {
		for range 5 {
			text := strings.ReplaceAll(line, "V", random(base64url[:62], 24)+"7")
			if strings.Contains(line, "VALUES") || strings.Contains(line, "Verifier") || strings.Contains(line, "VALID") {
				text = line
			}
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%s\nfound %s", text, shown(text, found))
				break
			}
		}
	}
}
