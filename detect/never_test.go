package detect

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// neverMasked are names with values of their kind: none is a secret, however it is
// written. Marks are those of fill; {S} is a JWT-free random run of 22, {D} digits, {L}
// a ULID.
var neverMasked = []struct{ key, value string }{
	{"state", "{B}"}, {"nonce", "{B}"}, {"session_state", "{U}"}, {"kid", "{B}"}, {"jti", "{U}"}, {"at_hash", "{S}"}, {"c_hash", "{S}"}, {"s_hash", "{S}"}, {"sd_hash", "{B}"},
	{"x5t", "{S}"}, {"jkt", "{B}"}, {"ath", "{B}"}, {"etag", "{H}"}, {"if_none_match", "{B}"}, {"trace_id", "{H}"}, {"span_id", "{S}"}, {"traceparent", "00-{H}-0123456789abcdef-01"},
	{"request_id", "{U}"}, {"correlation_id", "{U}"}, {"digest", "sha256:{H}{H}"}, {"sha256", "{H}{H}"}, {"commit", "{H}0a1b2c3d"}, {"build_id", "{B}"}, {"order_id", "{L}"},
	{"next_token", "{B}"}, {"next_page_token", "{B}"}, {"page_token", "{B}"}, {"continuation_token", "{B}"}, {"cursor", "{B}"}, {"client_token", "{U}"}, {"client_request_token", "{U}"},
	{"idempotency_token", "{U}"}, {"idempotency_key", "{U}"}, {"device_token", "{H}{H}"}, {"push_token", "{B}"}, {"fcm_token", "{B}"}, {"change_token", "{U}"}, {"sequence_token", "{H}"},
	{"csrf_token", "{B}"}, {"xsrf_token", "{B}"}, {"max_tokens", "4096"}, {"prompt_tokens", "{D}"}, {"token_count", "{D}"}, {"total_tokens", "{D}"},
	{"status_code", "404"}, {"error_code", "AADSTS{D}"}, {"exit_code", "137"}, {"country_code", "DE"}, {"currency_code", "EUR"}, {"zip_code", "10115"}, {"postal_code", "80331-1234"},
	{"promo_code", "A1B2C3D4E5F6G7H8"}, {"product_code", "SKU-99812-BLACK-XL"}, {"coupon_code", "{H}"}, {"tracking_code", "1Z999AA1{D}"}, {"code", "ENOENT"}, {"code", "404"}, {"code", "S256"},
	{"code", "ERR_HTTP2_STREAM_CANCEL"}, {"response_type", "code"}, {"response_type", "code id_token"}, {"token_type", "Bearer"}, {"token_type", "urn:ietf:params:oauth:token-type:access_token"},
	{"grant_type", "authorization_code"}, {"grant_type", "refresh_token"}, {"code_challenge_method", "S256"}, {"token_endpoint_auth_method", "client_secret_basic"},
	{"expires_in", "3600"}, {"token_endpoint", "https://id.example.com/token"}, {"client_id", "{U}"}, {"public_key_token", "b77a5c561934e089"}, {"fingerprint", "{H}{H}"},
}

// unreal are what stands for a value without being one.
var unreal = []string{
	"****", "********", "xxxxxxxx", "[FILTERED]", "[REDACTED]", "<redacted>", "REDACTED", "***REDACTED***", "<hidden>", "null", "None", "undefined", "nil", "${SECRET}", "{{ secret }}",
	"$CLIENT_SECRET", "%SECRET%", "your_client_secret", "YOUR_TOKEN_HERE", "<access-token>", "[client secret]", "changeme", "example", "redacted", "(null)",
}

func fillAll(text string) string {
	for mark, value := range map[string]func() string{
		"{S}": func() string { return random(base64url, 22) },
		"{D}": func() string { return random("123456789", 10) },
		"{L}": func() string { return "01" + random("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24) },
	} {
		for strings.Contains(text, mark) {
			text = strings.Replace(text, mark, value(), 1)
		}
	}
	return fill(text)
}

// No public name's value is masked, in any glue.
func TestNeverMasked(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, tc := range neverMasked {
		for _, g := range glues {
			// client_id beside a bare code would say that a code is one
			text := spell(strings.ReplaceAll(g.text, "client_id=app", "a=b"), tc.key, fillAll(tc.value))
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%s: %q: %s", g.name, text, shown(text, found))
			}
		}
	}
}

// What stands for a value is not masked behind any strong name, in any glue.
func TestNothingIsNotMasked(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"access_token", "refresh_token", "client_secret", "code_verifier", "id_token", "device_code", "api_key", "auth_code"} {
		for _, v := range unreal {
			for _, g := range glues {
				text := spell(g.text, key, v)
				if found := scanText(t, s, text); len(found) > 0 {
					t.Errorf("%s: %q: %s", g.name, text, shown(text, found))
				}
			}
		}
	}
}

// Lines with public material, challenges and words stay.
func TestPublicLinesStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		`WWW-Authenticate: Bearer realm="{U}", error="invalid_token"`, `www-authenticate: Basic realm="{B}", charset="UTF-8"`, `WWW-Authenticate: DPoP algs="ES256 PS256"`,
		"-----BEGIN PUBLIC KEY----- MIIBIjANBgkqhkiG9w0B{B}{B}{B} -----END PUBLIC KEY-----", `"x5c":["MIIC{B}{B}{B}{B}"]`, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{B} ann@host",
		`{"kty":"EC","crv":"P-256","x":"{B}","y":"{B}","kid":"{S}"}`, "commit {H}0a1b2c3d by ann", "index {H}..{H} 100644", "Digest: sha256:{H}{H}", "uuid {U} ulid {L}",
		"tokens: 128, tokens/s: 41.2, prompt_tokens=812", `tokens=["##ing","hello"] token_ids=[101, 2023]`, "code {D} has expired", "status code 404", "exit code 137",
		"code_challenge={B}&code_challenge_method=S256&client_id=web", "idempotency-key: {U}", "X-Amz-Request-Id: {U}", `"DeviceToken":"{H}{H}"`, `"clientToken": "{U}"`,
		"refresh_token_expires_in=7776000 access_token_lifetime=300", "cache key token:{D} evicted", "parser: unexpected token } at 1:{D}",
	} {
		for range 5 + rand.IntN(2) {
			filled := fillAll(text)
			if found := scanText(t, s, filled); len(found) > 0 {
				t.Errorf("%q: %s", filled, shown(filled, found))
				break
			}
		}
	}
}
