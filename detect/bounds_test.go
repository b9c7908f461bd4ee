package detect

import (
	"encoding/base64"
	"strings"
	"testing"
)

// foundIn scans a text with one value V in it and wants exactly that value.
func foundIn(t *testing.T, s *Scanner, text, value string) {
	t.Helper()
	filled := strings.Replace(text, "V", value, 1)
	found := scanText(t, s, filled)
	if len(found) != 1 || filled[found[0].Start:found[0].End] != value {
		t.Errorf("%q: %s", filled, shown(filled, found))
	}
}

// A key may be indexed, as PHP and Rails write lists.
func TestIndexedKeys(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"code_verifier", "access_token", "client_secret"} {
		for _, g := range []string{"K[]=V&a=b", "K[0]=V&a=b", "K[12]=V", "a=b&K%5B%5D=V&c=d", "u=%3FK%5B0%5D%3DV%26a%3Db", "user[K]=V&a=b", "K[] = V"} {
			foundIn(t, s, strings.Replace(g, "K", key, 1), random(base64url[:62], 42)+"7")
		}
	}
	for _, key := range []string{"code", "token"} {
		for _, g := range []string{"K[]=V&client_id=a", "GET /cb?K%5B%5D=V&client_id=a"} {
			foundIn(t, s, strings.Replace(g, "K", key, 1), random(base64url[:62], 42)+"7")
		}
	}
}

// A JWS without a signature is as good as one with, where "none" is accepted: the
// dot at its end belongs to it, a full stop behind it does not.
func TestUnsignedJWTs(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, alg := range []string{"none", "None", "NONE"} {
		value := fake(`{"alg":"`+alg+`","typ":"JWT"}`, `{"sub":"`+random(hexDigits, 8)+`","iss":"https://id"}`)
		value = value[:strings.LastIndexByte(value, '.')+1]
		for _, g := range []string{
			"id_token=V&state=s", "access_token: V", `{"access_token":"V"}`, "Authorization: Bearer V", "got V from upstream", "checked V",
			"checked V. Next", `{"msg":"kept V"}`, "client_assertion=V", "u=%23id_token%3DV%26state%3Ds", "token=V&client_id=a",
		} {
			foundIn(t, s, g, value)
		}
		foundIn(t, s, "got V from upstream", value[:len(value)-1])
	}
	for _, text := range []string{
		"flask " + fake(`{"user":1}`, `{"a":1}`)[:40], "x eyJhbGciOiJub25lIn0. y", "x eyJhbGciOiJub25lIn0 y",
	} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
}

func TestUserCodes(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, v := range []string{"wdjb-mjht", "WDJB-MJHT", "Wdjb-Mjht", "wdjbmjht", "bcd-fgh-jkl", "w3jb-7jht", "a4cb-x7ee", "ABCD1234"} {
		for _, g := range []string{"user_code=V&a=b", `{"user_code":"V"}`, "user_code: V"} {
			foundIn(t, s, g, v)
		}
	}
	for _, v := range []string{"invalid", "expired", "not-found", "missing_code", "http-400", "pending", "slow-down", "error-404", "wdjb-mj"} {
		for _, g := range []string{"user_code=V&a=b", `{"user_code":"V"}`, "user_code: V"} {
			text := strings.Replace(g, "V", v, 1)
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
}

// A byte that no alphabet has does not end an unquoted value when what follows
// is clearly its rest.
func TestValuesGoOn(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	number, part := random("0123456789", 0)+"1234567890123456", func() string { return random(base64url[:62], 26) + "7" }
	for _, g := range []string{"K=V", "K=V&a=b", "x K=V y", "K: V", "K=V; a=b", "(K=V)", "[K=V]", "K=V,a=b", "K=V|200|12ms", "a=b&K=V HTTP/1.1", `{"m":"K=V"}`, "K=V|user=ann"} {
		for _, key := range []string{"access_token", "refresh_token"} {
			for _, v := range []string{number + "|" + part(), part() + ":" + part(), part() + "!" + part(), part() + "^" + part() + "@" + part(), part() + "*" + part() + "==", number + "|" + part() + "%2F" + part()} {
				foundIn(t, s, strings.Replace(g, "K", key, 1), v)
			}
		}
	}
	foundIn(t, s, "code_verifier=V&state=s", part()+"+"+part()+"/"+part()+"==")
	foundIn(t, s, "client_secret=V&a=b", "Ab%zz"+part()+"%Q"+part())
}

// What stands behind a value and is none of it stays.
func TestNeighboursStay(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, after := range []string{
		"&state={B}", ";state={B}", ",{B}", " {B}", "|200|{H}", "|{H}|x", "|{B}", "|user=ann", ":443", "@api.example.com", "#access_token_type=x", "#_=_",
		"#state={B}", "?state={B}", ":trace_id={H}", "/api/v1/orders", "|12345678901234567890|x", "<br>{B}", ")", "]", "}", `"`, "'", "> {B}",
	} {
		for _, key := range []string{"access_token", "code_verifier"} {
			if strings.ContainsAny(after, "/") && key == "access_token" {
				continue // a slash is of its alphabet
			}
			value := random(base64url[:62], 42) + "7"
			text := key + "=" + value + fill(after)
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value {
				t.Errorf("%q: %s", text, shown(text, found))
			}
		}
	}
}

// Words beside a key that make it another thing.
func TestOtherKeys(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"promo code=A1B2C3D4E5F6G7H8 client_id=shop", "QR code: {H}", `{"promo code":"A1B2C3D4E5F6G7H8"}`, "discount code: SUMMER2026SPECIAL99",
		"Gift code = {H}", "product code={H}", "cursor_token={B}", "page token: {B}", "next token={B}", "resume_token={B}", "skipToken={B}",
		"client_secret: Optional", "client_secret: OPTIONAL", "client_secret: must not be empty", "client_secret: should be rotated every year", "client_secret: basic",
	} {
		if filled := fill(text); len(scanText(t, s, filled)) > 0 {
			t.Errorf("%q: %s", filled, shown(filled, scanText(t, s, filled)))
		}
	}
	for _, text := range []string{
		"authorization code={B}", "auth code: {B}", "POST code={B}&state=s", "error code={B} client_id=a", "the code: {B}", "bearer token: {B}",
		"client_secret: hunterhunter", "client_secret: hunterhunter client_id: web", "client_secret=hunterhunter from the file",
	} {
		if filled := fill(text); len(scanText(t, s, filled)) != 1 {
			t.Errorf("%q: nothing found", filled)
		}
	}
}

// What begins like a token inside a longer piece of base64 is none.
func TestPrefixesInBlobs(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	blob := func(n int) string { return base64.StdEncoding.EncodeToString(randomBytes(n)) }
	for _, prefix := range []string{"EA" + "A", "C" + "hl", "AT" + "OA", "aP" + "rx"} {
		for _, joint := range []string{"/", "+"} {
			for range 50 {
				body := random(base64url[:62], 119) + "7"
				for _, text := range []string{
					"data:image/png;base64," + blob(300) + joint + prefix + body + joint + blob(300),
					"data:image/png;base64," + blob(300) + joint + prefix + body + "==", "blob " + prefix + body + joint + blob(300),
				} {
					if prefix[0] == 'a' && text[0] == 'b' {
						continue // + and / are of its alphabet
					}
					if found := scanText(t, s, text); len(found) > 0 && text[found[0].Start:found[0].Start+3] == prefix[:3] {
						t.Fatalf("%q: %s", text, shown(text, found))
					}
				}
				foundIn(t, s, "GET /v1/oauth/tokens/of/the/application/V HTTP/1.1", prefix+body)
			}
		}
	}
}

// Spring writes how a secret is stored before it; other braces are a list.
func TestEncodersBeforeSecrets(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, g := range []string{"client_secret={noop}V", "client_secret: {bcrypt}V", "client_secret={V}", "{client_secret={pbkdf2}V, a=b}"} {
		foundIn(t, s, g, random(base64url[:62], 30)+"7")
	}
	for _, text := range []string{"access_token=OAuth2AccessToken[value=abc]", "access_token=DefaultOAuth2AccessToken@1f2e3d4c", "client_secret: !vault |", "client_secret: !Ref"} {
		if found := scanText(t, s, text); len(found) > 0 {
			t.Errorf("%q: %s", text, shown(text, found))
		}
	}
}
