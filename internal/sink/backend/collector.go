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
	// GRPC and HTTP are host:port without TLS, MTLS is gRPC that wants a client
	// certificate, Full is HTTP in front of an exporter that cannot send and has a
	// queue for one request.
	GRPC, HTTP, MTLS, Full string
	out                    string
}

// StartCollector starts one.
func StartCollector(t testing.TB, certs Certs) *Collector {
	t.Helper()
	bin := filepath.Join(cached(t, "otelcol", buildCollector), "otelcol")
	var ports [5]int
	for i := range ports {
		ports[i] = FreePort(t)
	}
	dir := t.TempDir()
	address := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	c := &Collector{GRPC: address(0), HTTP: address(1), MTLS: address(2), Full: address(3), out: filepath.Join(dir, "out.jsonl")}
	config := write(t, filepath.Join(dir, "c.yaml"), fmt.Sprintf(`
receivers:
  otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}
  otlp/tls: {protocols: {grpc: {endpoint: %q, tls: {cert_file: %q, key_file: %q, client_ca_file: %q}}}}
  otlp/full: {protocols: {http: {endpoint: %q}}}
exporters:
  file: {path: %q, flush_interval: 50ms}
  otlp_http: {endpoint: "http://%s", sending_queue: {queue_size: 1, num_consumers: 1, sizer: requests}, retry_on_failure: {initial_interval: 30s}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp, otlp/tls], exporters: [file]}
    logs/full: {receivers: [otlp/full], exporters: [otlp_http]}
`, c.GRPC, c.HTTP, c.MTLS, certs.ServerCert, certs.ServerKey, certs.CA, c.Full, c.out, address(4)))
	all := func() error {
		for _, port := range ports[:4] {
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

// Records returns what has arrived so far, as OTLP's own JSON says it.
func (c *Collector) Records(t testing.TB) (all []plog.LogRecord) {
	t.Helper()
	text, err := os.ReadFile(c.out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(text[:bytes.LastIndexByte(text, '\n')+1], []byte("\n")) {
		if len(line) == 0 {
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
