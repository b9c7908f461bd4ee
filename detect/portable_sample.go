package detect

// sampleText is what logs look like, written for this: the portable engine counts
// its trigrams to look for rare ones. It decides speed, never what is found.
const sampleText = `10.4.17.203 - - [12/Mar/2026:06:25:24 +0000] "GET /api/v1/orders/48213/items?page=2&limit=50 HTTP/1.1" 200 5316 "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
2026-03-12T06:25:24.118Z INFO  [http-nio-8080-exec-7] c.e.shop.web.OrderController : Order 48213 loaded for customer 9912 in 14 ms
{"time":"2026-03-12T06:25:24.120Z","level":"info","logger":"shop.cart","msg":"request completed","method":"POST","path":"/cart/items","status":201,"duration_ms":8.31,"request_id":"6f1c2b8e-4a0d-4f59-9a57-0c1d2e3f4a5b","user_agent":"okhttp/4.12.0"}
{"@timestamp":"2026-03-12T06:25:25.004+00:00","log.level":"DEBUG","message":"Cache miss for product 7731","service.name":"catalog","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","span.id":"00f067aa0ba902b7"}
ts=2026-03-12T06:25:25Z caller=main.go:117 level=warn component=queue msg="retrying after timeout" attempt=3 backoff=1.6s err="context deadline exceeded"
Mar 12 06:25:26 web-03 sshd[21877]: Accepted publickey for deploy from 10.0.3.9 port 50412 ssh2: ED25519 SHA256:q2V0d9Xn
Mar 12 06:25:26 web-03 systemd[1]: Started Session 4411 of user deploy.
Mar 12 06:25:27 web-03 kernel: [1284411.201] eth0: link is up at 10000 Mbps, full duplex, flow control: none
I0312 06:25:27.441021       1 controller.go:132] "Reconciling object" namespace="default" name="frontend-7c9f" generation=4
2026/03/12 06:25:28 [error] 31#31: *98123 upstream timed out (110: Connection timed out) while reading response header from upstream, client: 10.4.2.8, server: api.example.com, request: "GET /health HTTP/1.1", upstream: "http://10.2.3.4:8080/health"
java.lang.IllegalStateException: Connection pool is closed
	at com.example.shop.db.PoolManager.acquire(PoolManager.java:211)
	at org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:883)
	at java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)
Caused by: java.io.IOException: Broken pipe
Traceback (most recent call last):
  File "/srv/app/worker/tasks.py", line 88, in process
    raise ValueError("unexpected state: %s" % state)
ValueError: unexpected state: pending
<134>1 2026-03-12T06:25:29Z edge-2 haproxy 1204 - - 10.9.8.7:41022 [12/Mar/2026:06:25:29.001] fe_https be_app/app4 0/0/1/23/24 200 1832 - - ---- 812/790/14/3/0 0/0 "GET /static/js/main.3f9ac1.js HTTP/2.0"
2026-03-12 06:25:30 UTC [4122]: [3-1] user=app,db=shop,host=10.1.1.7 LOG:  duration: 12.412 ms  statement: SELECT id, name, price FROM products WHERE category_id = $1 ORDER BY created_at DESC LIMIT 20
level=error ts=2026-03-12T06:25:30.117Z msg="failed to send notification" integration=email status_code=503 response_code=UNAVAILABLE error_code=E1042 country_code=DE token_count=512
kafka.server.ReplicaManager [ReplicaManager broker=2] Error processing append operation on partition events-14
type=AVC msg=audit(1773296730.411:9921): avc: denied { read } for pid=2211 comm="nginx" name="index.html" dev="sda1" ino=131 scontext=system_u:system_r:httpd_t:s0
postfix/smtpd[8123]: connect from mail.example.org[192.0.2.25]; client=unknown, session closed, no password set, authentication disabled, access granted, refresh done, client connected, id 1234
x-request-id: 0f8fad5b-d9cb-469f-a165-70867728950e, content-type: application/json; charset=utf-8, content-length: 348, cache-control: no-cache, accept-encoding: gzip, deflate, br, x-forwarded-for: 203.0.113.9
`
