package backend

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Collector is an OpenTelemetry Collector that writes what arrives to a file.
type Collector struct {
	*Process
	// GRPC and HTTP are host:port without TLS, MTLS is gRPC and MTLSHTTP HTTP that want a
	// client certificate, Full is HTTP in front of an exporter that cannot send and has a
	// queue for one request.
	GRPC, HTTP, MTLS, MTLSHTTP, Full string
	out                              string
}

// StartCollector starts one.
func StartCollector(t testing.TB, certs Certs) *Collector {
	t.Helper()
	bin := filepath.Join(cached(t, "otelcol", buildCollector), "otelcol")
	var ports [6]int
	for i := range ports {
		ports[i] = FreePort(t)
	}
	dir := t.TempDir()
	address := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	c := &Collector{GRPC: address(0), HTTP: address(1), MTLS: address(2), Full: address(3), MTLSHTTP: address(4), out: filepath.Join(dir, "out.jsonl")}
	config := write(t, filepath.Join(dir, "c.yaml"), fmt.Sprintf(`
receivers:
  otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}
  otlp/tls: {protocols: {grpc: {endpoint: %q, tls: {cert_file: %q, key_file: %q, client_ca_file: %q}}, http: {endpoint: %q, tls: {cert_file: %q, key_file: %q, client_ca_file: %q}}}}
  otlp/full: {protocols: {http: {endpoint: %q}}}
exporters:
  file: {path: %q, flush_interval: 50ms}
  otlp_http: {endpoint: "http://%s", sending_queue: {queue_size: 1, num_consumers: 1, sizer: requests}, retry_on_failure: {initial_interval: 30s}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp, otlp/tls], exporters: [file]}
    traces: {receivers: [otlp, otlp/tls], exporters: [file]}
    metrics: {receivers: [otlp, otlp/tls], exporters: [file]}
    logs/full: {receivers: [otlp/full], exporters: [otlp_http]}
`, c.GRPC, c.HTTP, c.MTLS, certs.ServerCert, certs.ServerKey, certs.CA, c.MTLSHTTP, certs.ServerCert, certs.ServerKey, certs.CA, c.Full, c.out, address(5)))
	all := func() error {
		for _, port := range ports[:5] {
			if err := listens(port)(); err != nil {
				return err
			}
		}
		return nil
	}
	c.Process = begin(t, exec.Command(bin, "--config", config), all)
	return c
}

func buildCollector(dir string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	return command(filepath.Join(root, "internal", "sink", "backend", "otelcol"),
		"go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "otelcol"), ".")
}

// Raw returns all that has arrived so far, of all signals: a request a line, as OTLP's own
// JSON.
func (c *Collector) Raw(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(c.out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

// Records returns the log records that have arrived so far.
func (c *Collector) Records(t testing.TB) (all []plog.LogRecord) {
	t.Helper()
	for line := range bytes.Lines(c.Raw(t)) {
		if !bytes.HasPrefix(line, []byte(`{"resourceLogs"`)) {
			continue
		}
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		check(t, err)
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					all = append(all, record)
				}
			}
		}
	}
	return all
}
