package app_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/telemetry"
)

// endpoint is leakveil run with an OTLP input, in this process.
type endpoint struct {
	t                      *testing.T
	dir, grpc, http, serve string
	log                    *lockedBuffer
	stop                   func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// newEndpoint starts one; input and more are YAML, input of keys below input.otlp.
func newEndpoint(t *testing.T, input, more string) *endpoint {
	t.Helper()
	e := &endpoint{t: t, dir: t.TempDir(), grpc: otlpnettest.FreeAddress(t), http: otlpnettest.FreeAddress(t), serve: otlpnettest.FreeAddress(t), log: &lockedBuffer{}}
	text := fmt.Sprintf("input:\n  otlp:\n    enabled: true\n    grpc: %s\n    http: %s\n%sfingerprint: {key_file: %s}\nhttp: {listen: %q}\n%s",
		e.grpc, e.http, input, randomKey(t), e.serve, strings.ReplaceAll(more, "DIR", e.dir))
	if !strings.Contains(more, "alerts:") {
		text += fmt.Sprintf("alerts: {file: {path: %s/alerts.ndjson}, interval: 1s}\n", e.dir)
	}
	path := filepath.Join(e.dir, "leakveil.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.Open(t.Context(), c, telemetry.Build{Version: "test"}, slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	e.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			r.Close()
		})
	}
	t.Cleanup(e.stop)
	await(t, "getting ready", nil, func() bool { return e.get("/readyz") == http.StatusOK })
	return e
}

// randomKey is newKey without building the program.
func randomKey(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.bin")
	if err := os.WriteFile(path, []byte(randomSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (e *endpoint) get(path string) int {
	r, err := http.Get("http://" + e.serve + path)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

func (e *endpoint) read(name string) []byte {
	e.t.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, name))
	if err != nil {
		e.t.Fatal(err)
	}
	return text
}

// planted are secrets that an application lets slip into its telemetry.
type planted struct {
	t     *testing.T
	all   needles
	count int
}

func (p *planted) secret() string {
	s := randomSecret()
	p.all.add(p.t, s)
	p.count++
	return s
}

// application logs and traces as one does that uses the SDK and an instrumented client.
func (p *planted) application(sdk *otlpnettest.SDK) (records, spans int) {
	p.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	ctx, span := sdk.Traces.Tracer("shop").Start(p.t.Context(), "login code_verifier="+p.secret(), trace.WithAttributes(
		attribute.String("code_verifier", p.secret()),
		attribute.StringSlice("http.request.header.authorization", []string{"Bearer " + p.secret()}),
		attribute.String("http.target", "/cb?code="+p.secret()+"&state=xyz"),
	))
	span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.message", "token refused: refresh_token="+p.secret())))
	span.SetStatus(codes.Error, "client_secret="+p.secret())
	client := http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(sdk.Traces))}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/callback?code="+p.secret()+"&state=abc", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	span.End()

	logger := sdk.Logs.Logger("shop")
	emit := func(body attribute.Value, attributes ...attribute.KeyValue) {
		var r otellog.Record
		r.SetBody(body)
		r.AddAttributes(attributes...)
		logger.Emit(ctx, r)
		records++
	}
	emit(attribute.StringValue("POST /token grant_type=authorization_code&client_id=shop&code_verifier=" + p.secret()))
	emit(attribute.StringValue(`{"level":"debug","body":"{\"refresh_token\":\"` + p.secret() + `\",\"client_id\":\"shop\"}"}`))
	emit(attribute.ByteSliceValue([]byte("client_secret=" + p.secret())))
	emit(attribute.MapValue(attribute.Map("request", attribute.Map("headers", attribute.Slice("authorization", attribute.SliceValue(attribute.StringValue("Bearer "+p.secret())))))))
	emit(attribute.StringValue("nothing to see"), attribute.String("client_secret", p.secret()), attribute.Int("n", 7))
	for i := range 50 {
		emit(attribute.StringValue(fmt.Sprintf("order %d shipped in 12 ms", i)))
	}
	return records, 2
}

func shop() *resource.Resource {
	return resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("cloud.region", "eu-west-1"))
}

func TestOTLPEndToEnd(t *testing.T) {
	for _, c := range []struct {
		name       string
		http, gzip bool
		out        string
	}{
		{"grpc", false, true, "grpc"},
		{"http", true, true, "http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			backend := otlpnettest.Start(t, nil)
			out := fmt.Sprintf("output:\n  otlp: {endpoint: %q, protocol: %s}\n  file: {path: DIR/out.ndjson}\n",
				map[string]string{"grpc": backend.GRPC, "http": "http://" + backend.HTTP}[c.out], c.out)
			e := newEndpoint(t, "", out)
			address := e.grpc
			if c.http {
				address = e.http
			}
			sdk := otlpnettest.NewSDK(t, otlpnettest.Client{Address: address, HTTP: c.http, Gzip: c.gzip}, shop())
			p := &planted{t: t}
			records, spans := p.application(sdk)
			sdk.Flush(t) // answered: so all of it must be everywhere now
			if gotRecords, gotSpans, _ := backend.Counts(); gotRecords != records || gotSpans != spans {
				t.Errorf("%d records and %d spans came, want %d and %d", gotRecords, gotSpans, records, spans)
			}
			e.searched(p, backend)
			metrics := e.metrics()
			for _, want := range []string{
				fmt.Sprintf(`leakveil_records_total{direction="out",topic="logs"} %d`, records),
				fmt.Sprintf(`leakveil_records_total{direction="in",topic="traces"} %d`, spans),
				`leakveil_requests_total{result="delivered",signal="logs"} 1`,
			} {
				if !strings.Contains(metrics, want) {
					t.Errorf("/metrics lacks %s", want)
				}
			}
		})
	}
}

func (e *endpoint) metrics() string {
	e.t.Helper()
	r, err := http.Get("http://" + e.serve + "/metrics")
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		e.t.Fatal(err)
	}
	return b.String()
}

// searched looks for the planted secrets in every output, and for a detection of each.
func (e *endpoint) searched(p *planted, backend *otlpnettest.Backend) {
	e.t.Helper()
	alerts := e.read("alerts.ndjson")
	outputs := map[string][]byte{"back end": backend.Raw(), "file": e.read("out.ndjson"), "alerts": alerts, "log": e.log.Bytes(), "metrics": []byte(e.metrics())}
	for name, text := range outputs {
		if len(text) == 0 {
			e.t.Errorf("%s is empty", name)
		}
		if form := p.all.in(text); form != "" {
			e.t.Errorf("%s: a secret passed (%s)", name, form)
		}
	}
	for _, name := range []string{"back end", "file"} {
		if !bytes.Contains(outputs[name], []byte("REDACTED.")) || !bytes.Contains(outputs[name], []byte("order 49 shipped in 12 ms")) {
			e.t.Errorf("%s: masks or clean records are missing", name)
		}
	}
	detections := 0
	for line := range bytes.Lines(alerts) {
		if bytes.Contains(line, []byte(`"kind":"event"`)) {
			detections++
			if !bytes.Contains(line, []byte(`"signal":"`)) || !bytes.Contains(line, []byte(`"eu-west-1"`)) || !bytes.Contains(line, []byte(`"shop"`)) {
				e.t.Errorf("a detection lacks its place, region or service: %s", line)
			}
		}
	}
	if detections < p.count {
		e.t.Errorf("%d detections of %d secrets", detections, p.count)
	}
}
