package detect

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
)

// clean are classes of lines that are full of what looks like secrets and hold none.
// In a template %x stands for a random value of a kind (see fillClean), «a|b|c» for one
// of several texts.
var clean = map[string][]string{
	"public keys of pairs": {
		"%t INFO %w «%P=%i|%P: %i|\"%P\":\"%i\",|'%P': '%i',|<%P>%i</%P>|%P => %i|[%P=%i]|%P=%i&x=1|{\\\"%P\\\":\\\"%i\\\"}» ok",
	},
	"codes that are counted": {
		"«promo|coupon|zip|postal|product|country|area|status|exit|QR|tracking|voucher|discount|gift|booking|item|activation|license|reason|hash» code «|is |was |: »%i %w",
		"«error|return|result|cipher|event|message|failure» code« |: | = »«%u|%h32|%A16» %w", "error code %u", "code=«ENOENT|404|S256|ERR_BAD_REQUEST|0x80070005» %w",
		`{"error":{"code":"%A8","error_code":"AADSTS%d5","status_code":404,"request_id":"%u"}}`,
	},
	"ciphers": {
		"«code: |code=|cipher code »«ECDHE-RSA-AES128-GCM-SHA256|TLS_AES_256_GCM_SHA384|ECDHE-ECDSA-CHACHA20-POLY1305|RSA-OAEP-256|aes-256-gcm» state=%b16",
	},
	"tokens that no one sends": {
		"«next page|continuation|page|pagination|sync|resume|cursor|CSRF|cancellation|cancel|lock|lease|fencing|reservation|delegation|idempotency|device|push|sequence» token« |: | is | = »%i",
		"«Unexpected|unexpected|unrecognized|illegal|stray|end|stop|padding|special|string|comment|EOF» token« |: | = »«%i|}|<EOF>|'x'|##ing|[PAD]» at %d2:%d2",
		"«last|first» token %i", "%w «refresh|access|id» token %u «due for rotation|expired|revoked at %t|was not found»", "token %u «expired|belongs to ann»",
		"«csrf|xsrf|page|continuation»«.|_|-»token«=|: »%i", "«cancellation|lease|fencing|reservation|delegation|continuation»«_t|T|-t»oken«=|: |\":\"»%i",
		"tokens: %d3, prompt_tokens=%d3 token_ids=[%d4, %d3] tokens/s: 41.2 eos_token=\"</s>\" pad_token=[PAD] max_tokens=4096",
	},
	"cut words": {
		"«api_key=|access_token: |refresh_token=|Bearer |Authorization: Bearer |token »«v1.2.3-rc4|HS256/JWK|JWK/RS256|v1.2.3|ES256/P-256|2026-11-25|12345678|expired»",
	},
	"placeholders": {
		"«client_secret|access_token|refresh_token|password|code|id_token|token|api_key»«=|: | => |\":\"»«****|[FILTERED]|<redacted>|REDACTED|null|None|undefined|${SECRET}|{{ secret }}|your_client_secret|xxxxxxxxxxxx|%SECRET%|(null)»",
	},
	"headers": {
		"«ETag|If-None-Match»: «W/|»\"%i\"", "«X-Request-Id|X-Amz-Request-Id|X-Correlation-Id|Idempotency-Key|Last-Event-ID|X-GitHub-Delivery»: %u", "traceparent: 00-%h32-%h16-01",
		"«Digest|Repr-Digest»: sha-256=«:|»%B32", "Content-MD5: %B16", "WWW-Authenticate: Bearer realm=\"%u\", error=\"invalid_token\", error_description=\"The access token expired (%u)\"",
		"Sec-WebSocket-«Key|Accept»: %B16",
	},
	"cookies of no session": {
		"«Set-Cookie|Cookie»: «_ga|_gid|locale|theme|consent|csrftoken|XSRF-TOKEN|AWSALB|__cf_bm|_hjid|sid_length|session_timeout|login_hint|refresh_interval|auth_method|resid|preset_auth|remember_state»=%a20; Path=/",
		"level=info msg=\"%w cookie\" «token_id|auth_id»=%i dur=3ms", "cookie auth: sha256:%h64",
	},
	"PKCE and keys": {
		"code_challenge=%b32&code_challenge_method=S256&state=%b16&nonce=%b16&response_type=code&client_id=%u",
		`{"kty":"RSA","n":"%b64","e":"AQAB","kid":"%b16","x5t":"%b20","alg":"RS256","use":"sig"}`, "-----BEGIN CERTIFICATE----- MII%B64",
		"Accepted publickey for ann from 10.1.2.3 port 5%d4 ssh2: ED25519 SHA256:%b32",
	},
	"stored secrets": {
		"password«=|: »«$2b$12$%a53|$argon2id$v=19$m=65536,t=3,p=4$%b16$%b32|pbkdf2_sha256$600000$%a22$%B32|{SSHA}%B24|ENC(%B24)|vault:v1:%B32|SCRAM-SHA-256$4096:%B16$%B32:%B32»",
		"INSERT INTO keys VALUES (%d4,'«secret|token|access_token|authorization-code»','«%h64|pbkdf2_sha256$600000$%a22$%B32|$2a$10$%a53»')",
		"INSERT INTO log VALUES (%d4,'auth','«%h40|%b32|%a22»','«%h64|%b32»')",
		"secret: «%o-%o-%l5|%o-tls|%o-%h10|kube-system/%o-token-%l5|arn:aws:secretsmanager:eu-west-1:%d12:secret:prod/%o-%l6|projects/%d12/secrets/%o/versions/3»",
		"secret \"%o-%o-%l5\" not found in namespace %o", "secretKeyRef: {name: %o-%l8, key: password} resourceVersion=%d8", "token=%o-token-%l5 secret=%o-%h10",
	},
	"databases": {
		"LOG:  execute <unnamed>: SELECT id, token_hash, secret_id FROM sessions WHERE code = $1 AND token = $2", "DETAIL:  parameters: $1 = '%u', $2 = '%h40'",
		"Key (token_id)=(%u) already exists.", "UPDATE tokens SET revoked = true WHERE jti = '%u'", "COPY sessions (id, token_hash, secret) FROM stdin; %u %h64 \\N",
	},
	"builds": {
		"#%d2 sha256:%h64 %d2MB / 1%d2MB", "Digest: sha256:%h64", "    --hash=sha256:%h64 \\", "%o/%o v0.3.1-0.20260%d1%d8-%h12 h1:%B32=", "commit %h40 (tag: v1.2.3) Change-Id: I%h40",
		"npm http fetch GET 200 https://registry.npmjs.org/%o/-/%o-1.2.3.tgz 33ms integrity sha512-%B64 (cache hit)", "Cache key: %o-%o-%h64 restored from key: Linux-node-%h40",
		"Downloading https://files.pythonhosted.org/packages/%h2/%h2/%h60/%o_%o-1.2-py3-none-any.whl (33 kB)", "::set-output name=digest::%i",
	},
	"programs": {
		"\tat com.%o.OAuth2«Token|Secret|Code»Filter.%o(%o.java:%d3) ~[%o-1.2.3.jar!/:5.4]", `  File "/usr/lib/python3/%o.py", line %d3, in «get_token|verify_code|load_secret|exchange_code»`,
		"    return self.client.exchange(code, code_verifier=verifier)", "    token = self.get_token(code=code, client_secret=self.client_secret)", "    const { access_token, refresh_token } = await res.json();",
		"  client_secret = «data.vault_secret.oauth_prod.value|aws_secret_version.web_client.secret_string»",
		"  client_secret «=|:» «var.oauth_client_secret_production|local.idp_secrets_v2|module.idp.client_secret_eu|config.oauth.clientSecretProduction|process.env.KEYCLOAK_SECRET_PROD|CLIENT_SECRET_PROD_EU»",
		"    clientSecret: config.get(\"oauth.clientSecret\"),", "  client_secret = var.client_secret", "    String code = request.getParameter(\"code\");", "  token: ${{ secrets.GITHUB_TOKEN }}",
		"!function(e){e.x={password:r.X%l6.Y%l3,token:e.t,accessToken:t.s%a9,clientSecret:n.J%l3.U%a9}}(this);//# sourceMappingURL=app.%h20.js.map",
		"curl -sS https://%o.example/%h12?v=%l10 -u ann:«$PASS|${TOKEN}|<token>|********|mypassword»",
	},
	"addresses of objects": {
		"#<OAuth2::AccessToken:0x%h16 @client=#<OAuth2::Client:0x%h16>>", "<oauthlib.AccessToken object at 0x%h12> AccessToken@%h8 ClientSecret: 0x%h16",
	},
	"sentences": {
		"%w the «access token|refresh token|authorization code|client secret|id token|password» «is invalid|has expired|was not found|of user ann expired at %t|issued for %u was revoked|hash: %h64|id: %u|length is 43»",
		"your password: auth cart and the client secret: «replica|request|timeout|handler»", "%w secret code \"passwordChangedAt\": \"%h32\"", "%w secret invalid xsrfToken: %i",
		"session %u started, cookie policy=strict", "%w [%o-%d1] order user %i proxy %i",
	},
	"access logs": {
		`10.0.0.%d2 - ann [20/Nov/2026:08:15:02 +0000] "GET /%o/«%u|%h24|%U»?«page_token|cursor|v|etag|state|sid_length|gclid|client_id|kid»=%i HTTP/1.1" 200 %d4 "-" "Mozilla/5.0" rid=%h32`,
		"%u,%t,%o,%h32,%a22,%B16,%d10,%o_%o",
	},
}

var (
	publicKeys = strings.Fields("state nonce kid jti at_hash c_hash s_hash x5t jkt etag trace_id span_id request_id session_state digest sha256 commit build_id order_id next_token page_token " +
		"cursor csrf_token client_id user_id device_id idempotency_key code_challenge cache_key checksum fingerprint parent_id job_id tx_id image_id pod_uid resource_version tenant_id key_id " +
		"version_id asset_id integrity token_id token_hash secret_name secret_version password_hash code_id auth_method session_index refresh_interval token_count access_level " +
		"nextPageToken xsrfToken sessionState traceId tokenHash secretArn X-Request-Id request.id")
	cleanWords = strings.Fields("order cart checkout shipping invoice handler service proxy worker queue topic partition replica leader commit upstream timeout deploy rollout node volume namespace ingress issuer watch")
	ids        = []string{"%h32", "%h40", "%h64", "%h16", "%h12", "%u", "%U", "%b16", "%b32", "%B24", "%a22", "%l25", "%A20", "%d19"}
)

// kinds are the values that a letter behind % stands for; a number is their length.
var cleanKinds = map[byte]func(n int) string{
	'h': func(n int) string { return draw(hexDigits, n) },
	'a': func(n int) string { return draw(base64url[:62], n) },
	'l': func(n int) string { return draw("abcdefghijklmnopqrstuvwxyz0123456789", n) },
	'A': func(n int) string { return draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", n) },
	'd': func(n int) string { return draw("123456789", n) },
	'b': func(n int) string { return draw(base64url, n*4/3+1) },
	'B': func(n int) string { return base64.StdEncoding.EncodeToString(randomBytes(n)) },
	'u': func(int) string { return uuid() },
	'U': func(int) string { return "01" + draw("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24) },
	't': func(int) string { return "2026-11-" + draw("12", 2) + "T08:15:02.123Z" },
	'o': func(int) string { return cleanWords[rand.IntN(len(cleanWords))] },
	'w': func(int) string {
		return cleanWords[rand.IntN(len(cleanWords))] + " " + cleanWords[rand.IntN(len(cleanWords))]
	},
	'P': func(int) string { return publicKeys[rand.IntN(len(publicKeys))] },
}

func draw(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(out)
}

// fillClean makes a line of a template. The key of a class is drawn once a line.
func fillClean(text string) string {
	for strings.Contains(text, "«") {
		before, rest, _ := strings.Cut(text, "«")
		choices, behind, _ := strings.Cut(rest, "»")
		all := strings.Split(choices, "|")
		text = before + all[rand.IntN(len(all))] + behind
	}
	text = strings.ReplaceAll(text, "%P", cleanKinds['P'](0))
	for strings.Contains(text, "%i") {
		text = strings.Replace(text, "%i", ids[rand.IntN(len(ids))], 1)
	}
	var out strings.Builder
	for p := 0; p < len(text); p++ {
		kind := (func(int) string)(nil)
		if text[p] == '%' && p+1 < len(text) {
			kind = cleanKinds[text[p+1]]
		}
		if kind == nil {
			out.WriteByte(text[p])
			continue
		}
		n := 0
		for p++; p+1 < len(text) && isDigit(text[p+1]); p++ {
			n = n*10 + int(text[p+1]-'0')
		}
		out.WriteString(kind(n))
	}
	return out.String()
}

// Lines full of look-alikes keep every byte, each alone and all after each other.
func TestCleanLinesStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	var all []string
	for class, templates := range clean {
		for _, template := range templates {
			for range 40 {
				line := fillClean(template)
				all = append(all, line)
				if found := scanText(t, s, line); len(found) > 0 {
					t.Errorf("%s: %q: %s", class, line, shown(line, found))
					break
				}
			}
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	text := strings.Join(all, "\n") + "\n"
	if found := scanText(t, s, text); len(found) > 0 {
		t.Errorf("in one text: %s", shown(text, found))
	}
}
