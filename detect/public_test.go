package detect

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// public are lines as systems of many kinds write them, in the notation of clean, none of
// which holds a secret.
var public = map[string][]string{
	"tests": {
		"«PASS|FAIL|XFAIL|KFAIL»: gdb.%o/%o-%l4.exp: «check|print|step into|continue to breakpoint:» %w %d2", "ok  \tgithub.com/%o/%o/%o\t%d1.%d3s", "--- FAIL: Test%o (0.%d2s)",
		"test %o::tests::%o_%o ... ok", "  ✓ %w should return a token when the code is valid (%d2 ms)", "E       AssertionError: assert 'Token' == 'token'", "FAILED tests/test_%o.py::test_refresh_token[%o-%d1] - KeyError: 'access_token'",
		"    expected: \"client_secret\" got: \"client_id\"", "PASSED: secret rotation of %o (%d2/%d2)", "[INFO] Tests run: %d2, Failures: 0, Errors: 0, Skipped: %d1, Time elapsed: %d1.%d3 s -- in com.%o.OAuth2TokenTest",
	},
	"kernels and systems": {
		"Nov 25 10:%d2:%d2 host-%d2 sshd[%d4]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.1.2.%d2  user=root",
		"Nov 25 10:%d2:%d2 host sshd[%d4]: Accepted publickey for ann from 10.0.0.%d2 port %d5 ssh2: RSA SHA256:%b32", "kernel: [%d5.%d6] audit: type=1400 audit(%d10.%d3:%d2): apparmor=\"STATUS\" operation=\"profile_load\" name=\"%o\" pid=%d4 comm=\"apparmor_parser\"",
		"systemd[1]: Started Session %d3 of user %o.", "CRON[%d4]: (root) CMD (/usr/lib/%o/%o-rotate-secret --keep %d1)", "dhcpd: DHCPACK on 10.1.2.%d2 to %h2:%h2:%h2:%h2:%h2:%h2 via eth0", "kernel: CPU%d1: Core temperature above threshold, cpu clock throttled (total events = %d4)",
		"systemd-logind[%d3]: New session %d2 of user ann; seat0, token state: none", "%h16 RAS KERNEL INFO instruction cache parity error corrected at 0x%h8", "usb 1-%d1: SerialNumber: %A12", "postfix/smtpd[%d5]: %A10: client=unknown[10.1.2.%d2], sasl_method=LOGIN, sasl_username=ann",
	},
	"clusters": {
		"I1125 10:%d2:%d2.%d6       1 secrets.go:%d2] \"Synced secret\" secret=\"%o/%o-%l5\" resourceVersion=\"%d8\"", "pod/%o-%h10-%l5 condition met: token volume projected, serviceaccount=%o",
		"Warning  FailedMount  %d1m  kubelet  MountVolume.SetUp failed for volume \"%o-token-%l5\" : secret \"%o-token-%l5\" not found", "level=info msg=\"synced\" app=%o revision=%h40 secret=%o-tls code=Unchanged",
		"time=\"2026-11-25T10:%d2:%d2Z\" level=info msg=\"shim reaped\" id=%h64 namespace=moby topic=/tasks/delete", "helm upgrade %o ./%o --set auth.existingSecret=%o-auth --set image.tag=%h12",
		"e2e: leader election lost: lease %o/%o held by %o-%h10-%l5_%u", "etcd: compacted raft log at %d8, member %h16, token expired for lease %h16",
	},
	"clouds": {
		`{"eventVersion":"1.08","eventName":"GetSecretValue","requestParameters":{"secretId":"arn:aws:secretsmanager:eu-west-1:%d12:secret:%o-%l6"},"responseElements":null,"requestID":"%u","eventID":"%u","sharedEventID":"%u"}`,
		`{"insertId":"%a12","labels":{"k8s-pod/pod-template-hash":"%h10"},"trace":"projects/%o/traces/%h32","spanId":"%h16","textPayload":"token refresh scheduled"}`,
		"REPORT RequestId: %u Duration: %d3.%d2 ms Billed Duration: %d3 ms XRAY TraceId: 1-%h8-%h24 SegmentId: %h16", "module.%o.aws_secretsmanager_secret_version.%o: Refreshing state... [id=arn:aws:secretsmanager:eu-west-1:%d12:secret:%o-%a6|%u]",
		"  + client_secret      = (sensitive value)", "  ~ secret_id          = \"%u\" -> (known after apply)", "h2 https 10.0.0.1:%d5 \"GET https://app.example:443/ HTTP/2.0\" \"curl\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:%d12:targetgroup/%o/%h16 \"Root=1-%h8-%h24\"",
	},
	"data": {
		"081109 %d6 %d2 INFO dfs.DataNode$PacketResponder: Received block blk_-%d19 of size %d8 from /10.250.%d2.%d2", "17/06/09 20:10:%d2 INFO storage.BlockManager: Found block rdd_%d1_%d1 locally",
		"%d10 - WARN  [SendWorker:%d12:QuorumCnxManager$SendWorker@%d3] - Interrupted while waiting for message on queue, session 0x%h14", "LOG:  duration: %d2.%d3 ms  execute <unnamed>: select id, token_id, secret_id from sessions where code = $1",
		"DETAIL:  parameters: $1 = '%u', $2 = '%h40', $3 = '2026-11-25'", "binding parameter (%d1:VARCHAR) <- [%u]", "binding parameter (%d1:VARCHAR) <- [%h64]", "==> Parameters: %u(String), %d4(Long), %o(String)",
		"[generated in 0.000%d2s] ('%u', %d3, '%h32')", "Executing (default): SELECT \"id\", \"code\", \"token\" FROM \"orders\" WHERE \"code\" = 'SKU-%d5-%A4';", "redis: SET session:%u EX 3600 NX ok", "[kafka] offset=%d8 key=%u headers=[traceparent=00-%h32-%h16-01]",
		"%A16 SCRAM-SHA-256$4096:%B16$%B32:%B32", "INSERT INTO audit (id, kind, digest) VALUES (%d3, 'secret', '%h64'), (%d3, 'token', '%h64');",
	},
	"web": {
		"10.1.%d2.%d2 - - [25/Nov/2026:10:%d2:%d2 +0000] \"GET /%o/%o?code=%A8&page_token=%b16 HTTP/1.1\" 404 %d3 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:%d3.0)\"", "[error] %d4#%d4: *%d5 upstream timed out (110: Connection timed out) while reading response header, client: 10.1.2.%d2, request: \"POST /%o/token HTTP/1.1\"",
		"X-Amz-Cf-Id: %b40==", "CF-RAY: %h16-FRA", "etag: W/\"%h32-%d3\"", "Sec-WebSocket-Key: %B16", "x-envoy-peer-metadata-id: sidecar~10.1.2.%d2~%o-%h10-%l5.%o~%o.svc.cluster.local", "traceparent: 00-%h32-%h16-00",
		"+%b24|GET /%o HTTP/1.1|Host:%o.example|Accept:*/*", "-%b24", "content-security-policy: script-src 'nonce-%b16' 'sha256-%B32'", "TLS session ticket key rotated, %d1 keys, next in %d3s; session id %h64",
	},
	"builds": {
		"Step %d1/%d2 : COPY --from=build /%o /usr/bin/%o", " ---> %h12", "#%d1 [%d1/%d2] RUN npm ci --ignore-scripts", "added %d3 packages, and audited %d3 packages in %d1s", "remote: Counting objects: 100%% (%d2/%d2), done.", "   %h7..%h7  main       -> origin/main",
		"warning \"%o > %o@^1.2.3\" has unmet peer dependency", "gpg:                using RSA key %A40", "Get:%d2 http://deb.debian.org/debian bookworm/main amd64 lib%o amd64 1.2-%d1 [%d2.%d1 kB]", "Compiling %o v0.%d1.%d1 (registry+https://github.com/rust-lang/crates.io-index)",
		"  go: downloading github.com/%o/%o v0.0.0-20261125%d6-%h12", "Uploading build cache %h64: %d3 MB", "src/%o.c:%d3:%d2: warning: unused variable 'token' [-Wunused-variable]",
	},
}

// publicMegabytes is how much is scanned in the long job.
const publicMegabytes = 30

// Megabytes of lines without secrets, of the background generator and of all templates,
// in one stream: not a byte is found in them.
func TestLinesOfManySystemsStay(t *testing.T) {
	size := 1 << 20
	if os.Getenv("LEAKVEIL_LONG") != "" {
		size = publicMegabytes << 20
	}
	s := newScanner(t, defaultSet(t))
	var templates []string
	for _, group := range []map[string][]string{clean, public} {
		for _, list := range group {
			templates = append(templates, list...)
		}
	}
	o := corpus.Clean
	o.Seed = rand.Uint64()
	g := corpus.New(o)
	var open Open
	for done := 0; done < size; {
		var text []byte
		for len(text) < 256<<10 {
			if rand.IntN(2) == 0 {
				text = append(text, g.Next().Text...)
			} else {
				text = append(text, fillClean(templates[rand.IntN(len(templates))])...)
			}
			text = append(text, '\n')
		}
		var b Batch
		b.SetLines(text)
		b.SetOpen(open)
		found, _, err := s.Scan(&b)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			at := lineStart(text, f.Start, 0)
			end, _ := lineEnd(text, f.End, len(text))
			t.Errorf("%s: %q in %q", f.Rule.ID, text[f.Start:f.End], text[at:end])
		}
		open = s.Open()
		done += len(text)
	}
}
