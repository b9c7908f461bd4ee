package otlp

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// What instrumentation writes by the semantic conventions, with nothing secret in it, is
// not touched.
func TestSemanticConventionsStay(t *testing.T) {
	random := func(n int) string {
		b := make([]byte, n)
		_, _ = rand.Read(b)
		return hex.EncodeToString(b)
	}
	uuid := func() string {
		s := random(16)
		return fmt.Sprintf("%s-%s-4%s-a%s-%s", s[:8], s[8:12], s[13:16], s[17:20], s[20:])
	}
	m := testMasker(t, nil)
	for range 20 {
		ld := plog.NewLogs()
		r := ld.ResourceLogs().AppendEmpty()
		for name, text := range map[string]string{
			"service.name": "token-service", "service.namespace": "auth", "service.version": "1.4.2-" + random(4), "service.instance.id": uuid(),
			"deployment.environment.name": "production", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "java", "telemetry.sdk.version": "1.52.0",
			"k8s.pod.name": "token-service-" + random(5)[:9] + "-x2k4q", "k8s.pod.uid": uuid(), "k8s.namespace.name": "auth", "k8s.node.name": "ip-10-1-2-3.eu-west-1.compute.internal",
			"k8s.deployment.name": "token-service", "container.id": random(32), "container.image.name": "registry.example/auth/token-service", "host.name": "node-7", "host.id": random(16),
			"cloud.provider": "aws", "cloud.region": "eu-west-1", "cloud.account.id": "123456789012", "cloud.resource_id": "arn:aws:ecs:eu-west-1:123456789012:task/auth/" + random(16),
			"process.command_line": "java -Xmx2g -jar /app/token-service.jar --server.port=8080", "process.runtime.name": "OpenJDK Runtime Environment", "os.description": "Linux 6.1.0 #1 SMP",
			"vcs.ref.head.revision": random(20), "oci.manifest.digest": "sha256:" + random(32), "process.executable.build_id.gnu": random(20),
		} {
			r.Resource().Attributes().PutStr(name, text)
		}
		r.Resource().Attributes().PutEmptySlice("container.image.repo_digests").AppendEmpty().SetStr("registry.example/auth@sha256:" + random(32))
		l := r.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		l.Body().SetStr("token issued for client web-shop, expires in 3600 s")
		a := l.Attributes()
		for name, text := range map[string]string{
			"http.request.method": "POST", "http.route": "/oauth/token", "url.path": "/oauth/token", "url.scheme": "https", "url.full": "https://idp.example/oauth/authorize?response_type=code&client_id=web-shop&scope=openid%20profile&state=" + random(16) + "&nonce=" + random(16),
			"server.address": "idp.example", "client.address": "203.0.113.7", "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0", "network.protocol.version": "1.1",
			"error.type": "invalid_grant", "error.message": "authorization code has expired", "exception.type": "com.example.auth.InvalidTokenException",
			"exception.message": "token is expired or revoked", "exception.stacktrace": "com.example.auth.InvalidTokenException: token is expired\n\tat com.example.auth.TokenService.check(TokenService.java:142)\n\tat com.example.auth.TokenController.token(TokenController.java:57)\n",
			"code.function.name": "com.example.auth.TokenService.refreshToken", "code.file.path": "src/main/java/com/example/auth/TokenService.java", "code.stacktrace": "at refreshToken (token.js:10:3)",
			"db.system.name": "postgresql", "db.namespace": "auth", "db.collection.name": "refresh_tokens", "db.operation.name": "SELECT", "db.query.summary": "SELECT refresh_tokens",
			"db.query.text": "SELECT id, client_id, token_hash, code_challenge FROM refresh_tokens WHERE token_hash = $1 AND revoked = false", "db.query.parameter.0": uuid(),
			"messaging.system": "kafka", "messaging.destination.name": "auth.token.events", "messaging.message.id": uuid(), "messaging.kafka.message.key": "client-web-shop", "messaging.consumer.group.name": "token-audit",
			"rpc.system": "grpc", "rpc.service": "auth.v1.TokenService", "rpc.method": "RefreshToken", "rpc.grpc.status_code": "UNAUTHENTICATED",
			"session.id": uuid(), "user.id": "u-" + random(6), "enduser.id": "alice", "thread.name": "http-nio-8080-exec-7", "trace_id": random(16), "span_id": random(8), "logger.name": "c.e.auth.TokenService",
			"oauth.grant_type": "authorization_code", "oauth.token_type": "Bearer", "oauth.client_id": "web-shop", "oauth.code_challenge_method": "S256", "oauth.scope": "openid profile offline_access",
			"feature_flag.key": "rotate-refresh-token", "feature_flag.result.variant": "enabled", "http.response.header.etag": `W/"` + random(16) + `"`, "tls.server.hash.sha256": random(32), "tls.client.ja3": random(16),
			"gen_ai.request.model": "gpt-4o", "gen_ai.response.id": "chatcmpl-" + random(12), "aws.request_id": uuid(), "faas.invocation_id": uuid(), "log.file.path": "/var/log/pods/auth_token-service/token-service/0.log",
			"otel.status_code": "ERROR", "event.name": "token.refresh.failed", "token.endpoint": "https://idp.example/oauth/token", "session.previous_id": uuid(),
		} {
			a.PutStr(name, text)
		}
		a.PutInt("http.response.status_code", 401)
		a.PutInt("token.expires_in", 3600)
		a.PutEmptySlice("http.request.header.x-request-id").AppendEmpty().SetStr(uuid())
		a.PutEmptySlice("http.request.header.traceparent").AppendEmpty().SetStr("00-" + random(16) + "-" + random(8) + "-01")
		a.PutEmptySlice("http.request.header.content-type").AppendEmpty().SetStr("application/x-www-form-urlencoded")
		ld.MarkReadOnly()
		out, err := m.Logs(ld)
		if err != nil || out.Changed {
			t.Fatalf("%v", err)
		}
		for _, d := range out.Detections {
			t.Errorf("%s by %s in %s", d.Kind, d.Rule, d.Where.Field)
		}
	}
}
