package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	otellog "go.opentelemetry.io/otel/log"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/leakveil/leakveil/internal/gateway"
	"github.com/leakveil/leakveil/internal/kafkatest"
	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
)

// emit logs one record and sends it; the error is what the SDK was answered.
func emit(ctx context.Context, sdk *otlpnettest.SDK, body string) error {
	var r otellog.Record
	r.SetTimestamp(time.Now())
	r.SetBody(attribute.StringValue(body))
	sdk.Logs.Logger("test").Emit(ctx, r)
	return sdk.Logs.ForceFlush(ctx)
}

// While the output is away, nothing is answered with success, senders come again, and
// what was found is kept once; nothing is lost.
func TestOTLPOutputAway(t *testing.T) {
	for _, overHTTP := range []bool{false, true} {
		t.Run(fmt.Sprintf("http=%v", overHTTP), func(t *testing.T) {
			backend := otlpnettest.Start(t, nil)
			e := newEndpoint(t, "", fmt.Sprintf("output: {otlp: {endpoint: %q, retry_for: 100ms}, file: {path: DIR/out.ndjson}}\n", backend.GRPC))
			address := e.grpc
			if overHTTP {
				address = e.http
			}
			p := &planted{t: t}
			once := otlpnettest.NewSDK(t, otlpnettest.Client{Address: address, HTTP: overHTTP}, shop())
			backend.Fail(errors.New("away"))
			body := "code_verifier=" + p.secret()
			err := emit(t.Context(), once, body)
			if retryable := status.Code(err) == codes.Unavailable || err != nil && strings.Contains(err.Error(), "retry-able"); !retryable {
				t.Fatalf("answered %v", err)
			}
			await(t, "not being ready", nil, func() bool { return e.get("/readyz") == http.StatusServiceUnavailable })
			patient := otlpnettest.NewSDK(t, otlpnettest.Client{Address: address, HTTP: overHTTP, Retry: true}, shop())
			done := make(chan error, 1)
			go func() { done <- emit(context.Background(), patient, "client_secret="+p.secret()) }()
			select {
			case err := <-done:
				t.Fatalf("answered while the output was away: %v", err)
			case <-time.After(time.Second): // some tries
			}
			backend.Fail(nil)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			await(t, "being ready again", nil, func() bool { return e.get("/readyz") == http.StatusOK })
			if n, _, _ := backend.Counts(); n != 1 {
				t.Errorf("%d records came, want 1", n)
			}
			if n := strings.Count(string(e.read("alerts.ndjson")), `"kind":"event"`); n != 2 {
				t.Errorf("%d detections are kept, want 2", n)
			}
			e.stop()
			for name, text := range map[string][]byte{"back end": backend.Raw(), "file": e.read("out.ndjson"), "alerts": e.read("alerts.ndjson"), "log": e.log.Bytes()} {
				if form := p.all.in(text); form != "" {
					t.Errorf("%s: a secret passed (%s)", name, form)
				}
			}
		})
	}
}

// The configuration's TLS, client certificates and tokens reach both sides.
func TestOTLPSecured(t *testing.T) {
	ca := otlpnettest.NewAuthority(t)
	cert, key := ca.Pair(t, "leakveil")
	token := writeToken(t, "token-of-senders")
	tls := fmt.Sprintf("tls: {enabled: true, cert_file: %s, key_file: %s", cert, key)
	backend := newEndpoint(t, "    "+tls+", client_ca_file: "+ca.CAFile+"}\n    auth: {token_file: "+token+"}\n", "output: {file: {path: DIR/out.ndjson}}\n")
	front := newEndpoint(t, "    "+tls+", client_ca_file: "+ca.CAFile+"}\n    auth: {token_file: "+token+"}\n",
		fmt.Sprintf("output: {otlp: {endpoint: %q, %s, ca_file: %s}, auth: {token_file: %s}}}\n", backend.grpc, tls, ca.CAFile, token))
	for _, c := range []struct {
		name, cert, token string
		ok                bool
	}{{"right", "client", "token-of-senders", true}, {"wrong token", "client", "another", false}, {"no certificate", "", "token-of-senders", false}} {
		for _, overHTTP := range []bool{false, true} {
			address := front.grpc
			if overHTTP {
				address = front.http
			}
			sdk := otlpnettest.NewSDK(t, otlpnettest.Client{Address: address, HTTP: overHTTP, TLS: ca.Config(t, c.cert), Token: c.token}, shop())
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			if err := emit(ctx, sdk, "hello"); (err == nil) != c.ok {
				t.Errorf("%s, http=%v: %v", c.name, overHTTP, err)
			}
			cancel()
		}
	}
	if n := strings.Count(string(backend.read("out.ndjson")), "hello"); n != 2 {
		t.Errorf("%d records arrived, want 2", n)
	}
}

func writeToken(t *testing.T, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Requests go to topics of Kafka as the Collector's exporter writes them, in parts when
// one is larger than the topic takes; detections and alerts go to theirs.
func TestOTLPToKafka(t *testing.T) {
	b := broker(t)
	name := "otlp-" + strings.ToLower(randomSecret()[:8])
	topics := map[string]string{}
	all := []kafkatest.Topic{{Name: name + ".alerts", Partitions: 2}}
	for _, topic := range gateway.Topics {
		topics[topic] = topic + "." + name
		all = append(all, kafkatest.Topic{Name: topics[topic], Partitions: 2})
	}
	b.CreateTopics(t, all...)
	e := newEndpoint(t, "", fmt.Sprintf("output: {kafka: {brokers: [%s], topic: \"{topic}.%s\", codec: none, encoding: otlp_json}}\nalerts: {kafka: {topic: %s.alerts}, interval: 1s}\n", b.Addr(), name, name))
	sdk := otlpnettest.NewSDK(t, otlpnettest.Client{Address: e.grpc}, shop())
	p := &planted{t: t}
	records, spans := p.application(sdk)
	sdk.Flush(t)
	// One request beyond max.message.bytes.
	exporter := otlpnettest.NewSDK(t, otlpnettest.Client{Address: e.http, HTTP: true}, shop())
	filler := strings.Repeat("0123456789 abcdef ", 1<<14) // 288 KiB
	for i := range 8 {
		var r otellog.Record
		r.SetBody(attribute.StringValue(fmt.Sprintf("part %d %s", i, filler)))
		exporter.Logs.Logger("large").Emit(t.Context(), r)
	}
	exporter.Flush(t)
	records += 8

	got, parts := 0, 0
	for _, r := range readAll(t, b.Addr(), topics["otlp_logs"], 2) {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		got += ld.LogRecordCount()
		if strings.Contains(string(r.Value), "part ") {
			parts++
		}
		if form := p.all.in(r.Value); form != "" {
			t.Errorf("a secret passed (%s)", form)
		}
	}
	if got != records || parts < 2 {
		t.Errorf("%d records, %d of them in %d parts; want %d", got, 8, parts, records)
	}
	for _, r := range readAll(t, b.Addr(), topics["otlp_spans"], 2) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		spans -= td.SpanCount()
		if form := p.all.in(r.Value); form != "" {
			t.Errorf("a secret passed (%s)", form)
		}
	}
	if spans != 0 {
		t.Errorf("%d spans are missing", spans)
	}
	await(t, "the alerts", nil, func() bool {
		detections, alerts := 0, 0
		for _, r := range readAll(t, b.Addr(), name+".alerts", 2) {
			if form := p.all.in(r.Value); form != "" {
				t.Fatalf("a secret passed (%s)", form)
			}
			if strings.Contains(string(r.Value), `"kind":"event"`) {
				detections++
			} else if strings.Contains(string(r.Value), `"kind":"alert"`) {
				alerts++
			}
		}
		return detections >= p.count && alerts > 0
	})
}
