package corpus

import (
	"fmt"
	"strings"
	"time"
)

// start is the time of a stream's first line.
var start = time.Date(2026, 11, 20, 8, 15, 2, 0, time.UTC)

// fill replaces the marks of a text by drawn values.
func (g *Generator) fill(text, client string) string {
	for {
		open := strings.IndexByte(text, '{')
		replaced := false
		for i := open; i >= 0 && i < len(text); i++ {
			end := strings.IndexByte(text[i:], '}')
			if text[i] != '{' || end < 0 || end > 4 {
				continue
			}
			if v, ok := g.mark(text[i+1:i+end], client); ok {
				text = text[:i] + v + text[i+end+1:]
				replaced = true
				break
			}
		}
		if !replaced {
			return text
		}
	}
}

func (g *Generator) mark(name, client string) (string, bool) {
	switch name {
	case "T":
		return start.Add(time.Duration(g.seq) * 3 * time.Millisecond).Format("2006-01-02T15:04:05.000Z"), true
	case "C":
		return client, true
	case "S":
		return g.service(), true
	case "U":
		return g.pick("ann", "ben", "cleo", "dora", "emil") + fmt.Sprint(g.rnd.IntN(900)), true
	case "IP":
		return fmt.Sprintf("10.%d.%d.%d", g.rnd.IntN(256), g.rnd.IntN(256), 1+g.rnd.IntN(250)), true
	case "N":
		return fmt.Sprint(g.rnd.IntN(100000)), true
	case "B22":
		return g.b64u(22), true
	case "B43":
		return g.b64u(43), true
	case "H16":
		return g.hex(16), true
	case "H32":
		return g.hex(32), true
	case "H40":
		return g.hex(40), true
	case "H64":
		return g.hex(64), true
	case "ID":
		return g.uuid(), true
	}
	return "", false
}

// plainTexts are ordinary lines.
var plainTexts = []string{
	`{IP} - - [{T}] "GET /assets/app.{H16}.js HTTP/1.1" 200 {N} "https://shop.example.com/cart?step=2" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"`,
	`{IP} - {U} [{T}] "POST /api/v1/orders/{N}/items HTTP/1.1" 201 {N} "-" "okhttp/4.12.0" 0.0{N} upstream=10.2.3.4:8080`,
	`{"time":"{T}","level":"INFO","service":"{S}","msg":"request handled","method":"GET","path":"/api/v1/products/{N}","status":200,"duration_ms":{N},"trace_id":"{H32}","span_id":"{H16}"}`,
	`{"time":"{T}","level":"WARN","service":"{S}","msg":"slow query","table":"order_items","rows":{N},"duration_ms":{N},"user":"{U}"}`,
	`time={T} level=info service={S} msg="cache refreshed" keys={N} took={N}us heap=512MiB goroutines={N}`,
	`{T} INFO  c.e.s.orders.OrderController - order {N} of user {U} confirmed, {N} items, delivery in 3 days`,
	`{T} DEBUG c.e.s.persistence.HikariPool - pool stats (total=10, active={N}, idle=4, waiting=0)`,
	`I1120 08:15:02.{N}       1 controller.go:{N}] syncing deployment default/{S} generation {N} replicas 3`,
	`	at com.example.shop.orders.OrderService.confirm(OrderService.java:{N})`,
	`	at java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)`,
	`  File "/usr/lib/python3.11/site-packages/django/core/handlers/base.py", line {N}, in _get_response`,
	`Nov 20 08:15:02 node-{N} kubelet[1183]: pod {S}-{H16} container started, image pulled in {N}ms`,
	`{T} [{S}] consumer group orders-projection partition {N} offset {N} lag 0`,
	`[{T}] "GET /api/v1/stock/{N} HTTP/2" 200 - 0 {N} 12 11 "{IP}" "grpc-go/1.66.0" "{ID}" "stock.svc:8080" "10.1.2.3:8080"`,
}

// lookAlikeTexts are lines without secrets, full of what looks like them.
var lookAlikeTexts = []string{
	`{IP} - - [{T}] "GET /assets/app.{H16}.js HTTP/1.1" 200 {N} "https://shop.example.com/cart?step=2" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"`,
	`{IP} - - [{T}] "GET /authorize?response_type=code&client_id={C}&redirect_uri=https%3A%2F%2Fapp%2Fcb&scope=openid&state={B22}&nonce={B22}&code_challenge={B43}&code_challenge_method=S256 HTTP/1.1" 302 0`,
	`{IP} - - [{T}] "POST /token HTTP/1.1" 400 {N} "-" "okhttp/4.12.0" rt=0.0{N} request_id={ID}`,
	`{T} DEBUG [org.keycloak.events] (executor-thread-{N}) type="CODE_TO_TOKEN", realmId="{ID}", realmName="prod", clientId="{C}", userId="{ID}", sessionId="{ID}", ipAddress="{IP}", token_id="{ID}", grant_type="authorization_code", refresh_token_type="Refresh", scope="openid email", code_id="{ID}", client_auth_method="client-secret"`,
	`{T} WARN  [org.keycloak.events] (executor-thread-{N}) type="CODE_TO_TOKEN_ERROR", realmId="{ID}", clientId="{C}", userId="null", ipAddress="{IP}", error="pkce_verification_failed", grant_type="authorization_code", code_id="{ID}"`,
	`{"time":"{T}","level":"INFO","service":"{S}","msg":"request handled","status":200,"status_code":200,"duration_ms":{N},"trace_id":"{H32}","span_id":"{H16}"}`,
	`{"time":"{T}","level":"ERROR","service":"{S}","msg":"upstream refused","error_code":"E{N}","code":"ERR_BAD_GATEWAY","etag":"W/\"{H40}\"","commit":"{H40}"}`,
	`time={T} level=info service={S} msg="cache hit" key=user:{U}:profile etag="{H32}" digest=sha256:{H64} took={N}us`,
	`time={T} level=warn service={S} msg="retry" code=ENOENT exit_code=1 attempt=3 request_id={ID} traceparent=00-{H32}-{H16}-01`,
	`{T} INFO  c.e.s.orders.OrderController - order {N} created for {U} promo code=SUMMER{N} country_code=DE zip_code=10115`,
	`{T} ERROR c.e.s.web.GlobalExceptionHandler - java.lang.IllegalStateException: Unexpected status code 404 from http://profile.svc.cluster.local:8080/api/v1/users/{N}`,
	`	at org.springframework.security.oauth2.client.endpoint.DefaultAuthorizationCodeTokenResponseClient.getTokenResponse(DefaultAuthorizationCodeTokenResponseClient.java:{N})`,
	`  File "/usr/lib/python3.11/site-packages/requests_oauthlib/oauth2_session.py", line {N}, in fetch_token`,
	`I1120 08:15:02.{N}       1 controller.go:{N}] pod {S}-{H16} image registry.example.com/{S}@sha256:{H64} pulled`,
	`{IP} - {ID} - {U} [{T}] app.example.com GET - "/api/v1/orders?page={N}&nextPageToken=CAUQ{N}" HTTP/1.1 "Mozilla/5.0" 200 {N} 0.0{N}`,
	`{"@timestamp":"{T}","log.level":"info","message":"introspection ok","active":true,"client_id":"{C}","token_type":"Bearer","expires_in":300,"scope":"openid profile","jti":"{ID}","kid":"{B43}","at_hash":"{B22}"}`,
	`{T} DEBUG o.s.s.w.FilterChainProxy - Secured GET /actuator/health session={ID}`,
	`{T} [{S}] WWW-Authenticate: Bearer realm="orders", error="invalid_token", error_description="The token expired"`,
	`{T} INFO masked access_token=[REDACTED] code_verifier=<redacted> password=**** authorization=[FILTERED]`,
	`2026/11/20 08:15:02 [error] 31#31: *{N} connect() failed (111: Connection refused) while connecting to upstream, client: {IP}, server: app.example.com, request: "GET /health HTTP/1.1"`,
	`{T} INFO rpc finished grpc.code=Unavailable grpc.method=GetUser grpc.time_ms={N} max_tokens=4096 tokens=128 csrf_token_valid=true`,
}
