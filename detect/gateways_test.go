package detect

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// gatewayLeaks are lines that proxies, gateways, modules of servers and frameworks
// print, in the form of leaks.
var gatewayLeaks = []struct{ name, text string }{
	{"envoy, access log", `[2026-11-20T08:15:02.123Z] "GET /callback?code=<CODE>&state={b64u22} HTTP/1.1" 302 - 0 0 12 - "10.0.0.1" "curl/8" "{uuid}" "app" "10.0.0.2:80"`},
	{"envoy, header map", `[debug][http] [source/common/http/conn_manager_impl.cc:1135] request headers complete (end_stream=true):\n':path', '/cb?code=<CODE>&state={b64u22}'\n'authorization', 'Bearer <AT>'\n'cookie', 'BearerToken=<JWT>; lang=en'\n`},
	{"envoy, log of headers", `[info][lua] [source/extensions/filters/http/lua/lua_filter.cc:800] script log: Authorization: Bearer <AT>`},
	{"istio, json", `{"authority":"app","method":"GET","path":"/cb?code=<CODE>&state={b64u22}","request_id":"{uuid}","response_code":302,"x_forwarded_for":null}`},
	{"traefik, json", `{"ClientHost":"10.0.0.1","RequestPath":"/cb?code=<CODE>&state={b64u22}","request_Authorization":"Bearer <AT>","request_Cookie":"session=<RT>; lang=en","request_X-Forwarded-Access-Token":"<AT>","request_X-Request-Id":"{uuid}"}`},
	{"traefik, round robin", `level=debug msg="vulcand/oxy/roundrobin/rr: begin ServeHttp on request" Request="{\"Method\":\"GET\",\"URL\":{\"RawQuery\":\"code=<CODE>\\u0026state={b64u22}\"},\"Header\":{\"Authorization\":[\"Bearer <AT>\"],\"X-Request-Id\":[\"{uuid}\"]}}"`},
	{"kong, file log", `{"request":{"uri":"/cb?code=<CODE>&state={b64u22}","querystring":{"code":"<CODE>","state":"{b64u22}"},"headers":{"authorization":"Bearer <AT>","cookie":"session=<RT>; lang=en"}},"latencies":{"kong":1}}`},
	{"haproxy, debug", `00000001:f.clihdr[000c:ffffffff]: authorization: Bearer <AT>`},
	{"haproxy, captured headers", `127.0.0.1:40200 [25/Nov/2026:10:17:32.458] f b/s 0/0/0/0/0 200 116 - - ---- 1/1/0/0/0 0/0 {|session=<RT>; theme=dark|https://app/cb?code=<CODE>&state=abc} "GET /static/app.js HTTP/1.1"`},
	{"haproxy, last cookie", `f b/s 0/0/0 200 116 - - ---- 1/1/0/0/0 0/0 {|theme=dark; app_session=<RT>|} "GET / HTTP/1.1"`},
	{"lighttpd, field of cookies", `127.0.0.1 - - [25/Nov/2026:10:18:00 +0000] "GET /api/me HTTP/1.1" 200 2 "-" "Bearer <AT>" "session=<RT>; theme=dark" `},
	{"nginx, field of Set-Cookie", `"GET /app/x HTTP/1.1" 302 auth="-" cookie="-" sc="session=<RT>; Path=/; SameSite=Lax; HttpOnly" loc="https://id/authorize"`},
	{"caddy, json", `{"level":"info","msg":"handled request","request":{"method":"GET","uri":"/cb?code=<CODE>&state={b64u22}","headers":{"Authorization":["Bearer <AT>"],"Cookie":["session=<RT>; theme=dark"]}},"status":200}`},
	{"mod_log_forensic", `+awa0S5woOGArpwV8RGg61AAAAAA|GET /cb?code=<CODE>&state={b64u22} HTTP/1.1|Host:127.0.0.1%3a9281|Authorization:Bearer <AT>|Connection:keep-alive`},
	{"mod_dumpio", `[dumpio:trace7] mod_dumpio.c(103): [client 127.0.0.1:5] mod_dumpio:  dumpio_in (data-HEAP): Authorization: Bearer <AT>\r\n`},
	{"hydra, leaking", `level=info msg="started handling request" http_request=map[headers:map[accept:*/* authorization:[Bearer <AT>]] host:127.0.0.1:4944 method:GET path:/oauth2/auth query:code=<CODE>&state={b64u22} remote:127.0.0.1:3 scheme:http]`},
	{"doorkeeper", `  Parameters: {"grant_type"=>"authorization_code", "code"=>"<CODE>", "redirect_uri"=>"http://localhost/cb", "code_verifier"=>"<VERIFIER>"}`},
	{"doorkeeper, bind", `  Doorkeeper::Application Create (0.2ms)  INSERT INTO "oauth_applications" ("uid", "secret") VALUES (?, ?)  [["uid", "{b64u43}"], ["secret", "<VERIFIER>"], ["scopes", "read"]]`},
	{"django, sessions", `DELETE FROM "django_session" WHERE "django_session"."session_key" IN ('<SECRET>'); alias=default`},
	{"allauth", `social token 1 {'app_id': None, 'token': '<AT>', 'token_secret': '<RT>', 'expires_at': datetime.datetime(2026, 11, 20)}`},
	{"structlog, colours", "\x1b[36mcookie\x1b[0m=\x1b[35m'app_session=<SECRET>'\x1b[0m \x1b[36murl\x1b[0m=\x1b[35mhttps://app/\x1b[0m"},
	{"structlog, token", "\x1b[1mauthorized\x1b[0m \x1b[36maccess_token\x1b[0m=\x1b[35m<AT>\x1b[0m \x1b[36mscope\x1b[0m=\x1b[35mopenid\x1b[0m"},
	{"console.table", `│ 0       │ 'access_token'  │ '<AT>' │`},
	{"console.table, second", `│ 1       │ 'refresh_token' │ '<RT>'  │`},
	{"psql, expanded", `refresh_token | <RT>`},
	{"lua-resty-jwt", `{"header":{"alg":"RS256"},"raw_header":"eyJhbGciOiJSUzI1NiJ9","raw_payload":"<RT>","valid":true}`},
	{"guzzle", `>>>>>>>>\nPOST /token HTTP/1.1\nAuthorization: Basic <BASIC>\n\ngrant_type=authorization_code&code=<CODE>&code_verifier=<VERIFIER>\n<<<<<<<<\n{"access_token":"<AT>","refresh_token":"<RT>"}`},
	{"php, serialized", `a:2:{s:12:"access_token";s:40:"<AT>";s:13:"refresh_token";s:48:"<RT>";}`},
	{"faraday", `INFO -- request: User-Agent: "Faraday v1.1.0"\nAuthorization: "Basic <BASIC>"`},
	{"openid-client 6", `fetch https://id/token { method: 'POST', headers: Headers { authorization: 'Basic <BASIC>' }, body: 'grant_type=refresh_token&refresh_token=<RT>' }`},
}

// What proxies, modules and frameworks print is found whole, and nothing beside it.
func TestLeaksOfGateways(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, leak := range gatewayLeaks {
		t.Run(leak.name, func(t *testing.T) {
			for range 5 {
				seed := rand.Uint64()
				text, want := filled(rand.New(rand.NewPCG(seed, 1)), leak.text)
				if got := missed(t, s, text, want); got != "" {
					t.Fatalf("seed %d: %s\nfound %s", seed, text, got)
				}
			}
		})
	}
}

// gatewayInnocents stand where gatewayLeaks have values, and are none. V is random.
var gatewayInnocents = []string{
	`│ 0 │ 'access_token' │ 'the-access-token-of-the-user' │`,
	`│ (index) │ access_token │ refresh_token │`,
	` id | access_token | refresh_token | client_secret`,
	`access_token IN ('authorization-header', 'query-parameter')`,
	`the access_token in (the header) is missing`,
	`session=V user=ann action=login`,
	`GET /page?session=V&tab=1 HTTP/1.1`,
	`theme=V; Path=/; HttpOnly`,
	`"_ga=GA1.2.1; consent_session=V; lang=en"`,
	`oidc_cache_set: enter: V (section=n, len=1, encrypt=0, ttl(s)=299, type=shm)`,
	`oauth2_cache_hash_key: leave: hashed key: V`,
	`bearer_token: accept_token_in=5`,
	`username=ann&password=********`,
	`["secret", "registry-credentials-of-the-cluster"]`,
	`enter, redirect_uri=https://app/cb, state=V, code_challenge=V0123456789abcdefghi, auth_request_params=(null)`,
}

func TestInnocentsOfGateways(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, line := range gatewayInnocents {
		for range 5 {
			text := strings.ReplaceAll(line, "V", random(base64url[:62], 24)+"7")
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%s\nfound %s", text, shown(text, found))
				break
			}
		}
	}
}
