package otlpnet_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/leakveil/leakveil/internal/otlpnet"
	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
)

func oneLog(text string) plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(text)
	return ld
}

func oneSpan(name string) ptrace.Traces {
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(name)
	return td
}

func onePoint(name string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	return md
}

func dial(t *testing.T, o otlpnet.ExporterOptions) *otlpnet.Exporter {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e, err := otlpnet.Dial(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// endpoints are the two ways to a back end.
func endpoints(b *otlpnettest.Backend, scheme string) map[string]otlpnet.ExporterOptions {
	return map[string]otlpnet.ExporterOptions{
		"grpc": {Endpoint: b.GRPC}, "http": {Endpoint: scheme + "://" + b.HTTP + "/", HTTP: true},
	}
}

func TestExporterReachesServer(t *testing.T) {
	for _, compression := range []string{"", "none", "zstd", "snappy"} {
		b := otlpnettest.Start(t, nil)
		for name, o := range endpoints(b, "http") {
			o.Compression = compression
			e := dial(t, o)
			if err := errors.Join(e.Logs(t.Context(), oneLog("hello")), e.Traces(t.Context(), oneSpan("work")), e.Metrics(t.Context(), onePoint("count"))); err != nil {
				t.Errorf("%s, %q: %v", name, compression, err)
			}
		}
		if l, s, p := b.Counts(); l != 2 || s != 2 || p != 2 {
			t.Errorf("%q: %d %d %d", compression, l, s, p)
		}
	}
}

func TestAnswersAreToldApart(t *testing.T) {
	b := otlpnettest.Start(t, nil)
	for name, o := range endpoints(b, "http") {
		e := dial(t, o)
		b.Fail(status.Error(codes.Unavailable, "later"))
		if err := e.Logs(t.Context(), oneLog("x")); err == nil || consumererror.IsPermanent(err) {
			t.Errorf("%s: unavailable: %v", name, err)
		}
		b.Fail(status.Error(codes.InvalidArgument, "never"))
		if err := e.Logs(t.Context(), oneLog("x")); !consumererror.IsPermanent(err) {
			t.Errorf("%s: refused: %v", name, err)
		}
	}
	b.Fail(nil)
	if n, _, _ := b.Counts(); n != 0 {
		t.Errorf("%d records came", n)
	}
}

// What is tried again is delivered once it is taken, within one call.
func TestRetries(t *testing.T) {
	b := otlpnettest.Start(t, nil)
	b.Fail(errors.New("not yet"))
	e := dial(t, otlpnet.ExporterOptions{Endpoint: b.GRPC, RetryFor: time.Minute})
	done := make(chan error, 1)
	go func() { done <- e.Logs(context.Background(), oneLog("x")) }()
	select {
	case err := <-done:
		t.Fatalf("answered before it was delivered: %v", err)
	case <-time.After(time.Second): // several tries
	}
	b.Fail(nil)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n, _, _ := b.Counts(); n != 1 {
		t.Errorf("%d records came", n)
	}
	e = dial(t, otlpnet.ExporterOptions{Endpoint: otlpnettest.FreeAddress(t), RetryFor: 300 * time.Millisecond})
	if err := e.Logs(t.Context(), oneLog("x")); err == nil || consumererror.IsPermanent(err) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestTLSAndTokens(t *testing.T) {
	ca := otlpnettest.NewAuthority(t)
	cert, key := ca.Pair(t, "server")
	clientCert, clientKey := ca.Pair(t, "client")
	const token = "token-of-this-test"
	b := otlpnettest.Start(t, func(o *otlpnet.ServerOptions) {
		o.TLS = &otlpnet.ServerTLS{CertFile: cert, KeyFile: key, ClientCAFile: ca.CAFile}
		o.Token = []byte(token)
	})
	good := otlpnet.ClientTLS{CAFile: ca.CAFile, CertFile: clientCert, KeyFile: clientKey}
	noCert := otlpnet.ClientTLS{CAFile: ca.CAFile}
	stranger := otlpnettest.NewAuthority(t)
	otherCert, otherKey := stranger.Pair(t, "client")
	for _, c := range []struct {
		name  string
		tls   *otlpnet.ClientTLS
		token string
		ok    bool
	}{
		{"all right", &good, token, true},
		{"no client certificate", &noCert, token, false},
		{"certificate of a stranger", &otlpnet.ClientTLS{CAFile: ca.CAFile, CertFile: otherCert, KeyFile: otherKey}, token, false},
		{"server unknown", &otlpnet.ClientTLS{CAFile: stranger.CAFile, CertFile: clientCert, KeyFile: clientKey}, token, false},
		{"wrong token", &good, token + "x", false},
		{"no token", &good, "", false},
		{"no TLS", nil, "", false},
	} {
		scheme := "https"
		if c.tls == nil {
			scheme = "http"
		}
		for name, o := range endpoints(b, scheme) {
			o.TLS = c.tls
			if c.token != "" {
				o.Token = []byte(c.token)
			}
			o.Timeout = 3 * time.Second
			if err := dial(t, o).Logs(t.Context(), oneLog("x")); (err == nil) != c.ok {
				t.Errorf("%s over %s: %v", c.name, name, err)
			}
		}
	}
	if n, _, _ := b.Counts(); n != 2 {
		t.Errorf("%d records came, want 2", n)
	}
}

// post sends a body to /v1/logs and returns the answer's code.
func post(t *testing.T, b *otlpnettest.Backend, body []byte, contentType, encoding string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.HTTP+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func TestBodiesOfHTTP(t *testing.T) {
	b := otlpnettest.Start(t, func(o *otlpnet.ServerOptions) { o.MaxRequest = 1 << 20 })
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(oneLog("hello"))
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(text)
	_ = w.Close()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	const json = "application/json"
	if code := post(t, b, text, json, ""); code != http.StatusOK {
		t.Errorf("JSON: %d", code)
	}
	if code := post(t, b, zipped.Bytes(), json, "gzip"); code != http.StatusOK {
		t.Errorf("gzip: %d", code)
	}
	if code := post(t, b, z.EncodeAll(text, nil), json, "zstd"); code != http.StatusOK {
		t.Errorf("zstd: %d", code)
	}
	if n, _, _ := b.Counts(); n != 3 {
		t.Errorf("%d records came, want 3", n)
	}
	if code := post(t, b, text[:len(text)-3], json, ""); code != http.StatusBadRequest {
		t.Errorf("half a body: %d", code)
	}
	if code := post(t, b, text, "text/plain", ""); code != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d", code)
	}
	large, err := (&plog.JSONMarshaler{}).MarshalLogs(oneLog(strings.Repeat("a", 2<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if code := post(t, b, large, json, ""); code < 400 {
		t.Errorf("too large: %d", code)
	}
	if code := post(t, b, z.EncodeAll(large, nil), json, "zstd"); code < 400 { // small on the wire
		t.Errorf("too large when decompressed: %d", code)
	}
	if n, _, _ := b.Counts(); n != 3 {
		t.Errorf("%d records came, want 3", n)
	}
}

func TestLargeRequestsOfGRPC(t *testing.T) {
	b := otlpnettest.Start(t, func(o *otlpnet.ServerOptions) { o.MaxRequest = 1 << 20 })
	for _, compression := range []string{"none", "gzip"} {
		e := dial(t, otlpnet.ExporterOptions{Endpoint: b.GRPC, Compression: compression})
		if err := e.Logs(t.Context(), oneLog(strings.Repeat("a", 2<<20))); err == nil {
			t.Errorf("%s: taken", compression)
		}
		if err := e.Logs(t.Context(), oneLog(strings.Repeat("a", 1000))); err != nil {
			t.Errorf("%s: %v", compression, err)
		}
	}
	if n, _, _ := b.Counts(); n != 2 {
		t.Errorf("%d records came, want 2", n)
	}
}

// Shutdown waits for the request under way.
func TestShutdownWaits(t *testing.T) {
	slow := &slowConsumer{entered: make(chan struct{}), leave: make(chan struct{})}
	address := otlpnettest.FreeAddress(t)
	s, err := otlpnet.Listen(t.Context(), otlpnet.ServerOptions{GRPC: address, MaxRequest: 1 << 20, Log: slog.New(slog.DiscardHandler)}, slow)
	if err != nil {
		t.Fatal(err)
	}
	e := dial(t, otlpnet.ExporterOptions{Endpoint: address})
	answer := make(chan error, 1)
	go func() { answer <- e.Logs(context.Background(), oneLog("x")) }()
	<-slow.entered
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	select {
	case <-stopped:
		t.Error("stopped before the request was answered")
	case <-time.After(200 * time.Millisecond):
	}
	close(slow.leave)
	if err := errors.Join(<-answer, <-stopped); err != nil {
		t.Error(err)
	}
}

type slowConsumer struct {
	otlpnettest.Backend
	entered, leave chan struct{}
}

func (s *slowConsumer) Logs(context.Context, plog.Logs) error {
	close(s.entered)
	<-s.leave
	return nil
}

// A taken address is said, and leaves nothing behind.
func TestAddressTaken(t *testing.T) {
	b := otlpnettest.Start(t, nil)
	free := otlpnettest.FreeAddress(t)
	_, err := otlpnet.Listen(t.Context(), otlpnet.ServerOptions{GRPC: free, HTTP: b.HTTP, MaxRequest: 1 << 20, Log: slog.New(slog.DiscardHandler)}, b)
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("%v", err)
	}
	s, err := otlpnet.Listen(t.Context(), otlpnet.ServerOptions{GRPC: free, MaxRequest: 1 << 20, Log: slog.New(slog.DiscardHandler)}, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
