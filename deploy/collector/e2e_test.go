package collector_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/sink/backend"
)

// system is what stands between applications and the back end.
type system struct {
	key        string
	grpc, http string
	back       *backend.Collector
	// outputs are all texts that come out anywhere.
	outputs func() map[string][]byte
	alerts  func() []told
}

// collectorSystem is the built Collector beside an application, as sidecar.yaml has it.
func collectorSystem(t *testing.T, engine string) *system {
	n := newNetwork(t, engine)
	c := n.start("sidecar", n.logs.MTLS)
	return &system{
		key: n.key, grpc: c.grpc, http: c.http, back: n.logs,
		outputs: func() map[string][]byte {
			return map[string][]byte{"back end": n.logs.Raw(t), "alerts": n.siem.Raw(t), "log": []byte(c.Log()), "metrics": []byte(c.scrape(t))}
		},
		alerts: func() (out []told) {
			for _, r := range n.siem.Records(t) {
				a := told{client: text(r, "leakveil.client.id"), trace: r.TraceID().String(), span: r.SpanID().String(), kind: text(r, "leakveil.kind"), field: text(r, "leakveil.where.field")}
				if v, ok := r.Attributes().Get("leakveil.fingerprints"); ok {
					for _, f := range v.Slice().All() {
						a.fingerprints = append(a.fingerprints, f.Str())
					}
				}
				out = append(out, a)
			}
			return out
		},
	}
}

// runSystem is leakveil run with OTLP in and out.
func runSystem(t *testing.T, protocol string) *system {
	dir, program := t.TempDir(), backend.BuildLeakveil(t)
	s := &system{key: filepath.Join(dir, "key.bin"), grpc: otlpnettest.FreeAddress(t), http: otlpnettest.FreeAddress(t), back: backend.StartCollector(t, backend.NewCerts(t))}
	endpoint, listen := s.back.GRPC, otlpnettest.FreeAddress(t)
	if protocol == "http" {
		endpoint = "http://" + s.back.HTTP
	}
	config, alerts := filepath.Join(dir, "leakveil.yaml"), filepath.Join(dir, "alerts.ndjson")
	for path, text := range map[string]string{
		s.key: secret(),
		config: fmt.Sprintf("input:\n  otlp: {enabled: true, grpc: %q, http: %q}\noutput:\n  otlp: {endpoint: %q, protocol: %s}\nalerts: {file: {path: %q}}\nfingerprint: {key_file: %q}\nhttp: {listen: %q}\n",
			s.grpc, s.http, endpoint, protocol, alerts, s.key, listen),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := backend.StartLeakveil(t, program, config, listen)
	s.outputs = func() map[string][]byte {
		r, err := http.Get("http://" + listen + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		metrics, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return map[string][]byte{"back end": s.back.Raw(t), "alerts": read(t, alerts), "log": []byte(p.Log()), "metrics": metrics}
	}
	s.alerts = func() []told { return detections(t, read(t, alerts)) }
	return s
}

// detections reads those of leakveil's own documents.
func detections(t *testing.T, text []byte) (out []told) {
	for line := range bytes.Lines(text) {
		var d struct {
			Event    struct{ Kind string }
			Leakveil struct {
				Kind         string
				Client       struct{ ID string }
				Fingerprints []string
				Where        struct {
					Field string
					Trace string `json:"trace_id"`
					Span  string `json:"span_id"`
				}
			}
		}
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		if l := &d.Leakveil; d.Event.Kind == "event" {
			out = append(out, told{client: l.Client.ID, trace: l.Where.Trace, span: l.Where.Span, kind: l.Kind, field: l.Where.Field, fingerprints: l.Fingerprints})
		}
	}
	return out
}

// Applications in Go and Python, and requests that no SDK makes, over gRPC and HTTP,
// through the built Collector and through leakveil run, to a Collector that writes what it
// gets. No secret is in anything that comes out, and each has its alert.
func TestEndToEnd(t *testing.T) {
	systems := map[string]func(t *testing.T) *system{
		"collector": func(t *testing.T) *system { return collectorSystem(t, backend.Hyperscan) },
		"run, grpc": func(t *testing.T) *system { return runSystem(t, "grpc") },
	}
	long := os.Getenv("LEAKVEIL_LONG") != ""
	if long {
		systems["collector, portable engine"] = func(t *testing.T) *system { return collectorSystem(t, backend.Portable) }
		systems["run, http"] = func(t *testing.T) *system { return runSystem(t, "http") }
	}
	for name, start := range systems {
		t.Run(name, func(t *testing.T) {
			s, p := start(t), &plan{t: t}
			for _, overHTTP := range []bool{false, true} {
				address := s.grpc
				if overHTTP {
					address = s.http
				}
				p.everyPlace(address, overHTTP)
				p.goApplication(address, overHTTP)
				if long {
					p.pythonApplication(address, overHTTP)
				}
			}
			backend.Eventually(t, "everything at the back end", func() bool { // its file is written after it has answered
				text := s.back.Raw(t)
				want := 2
				if long {
					want = 4
				}
				return bytes.Count(text, []byte("order 49 shipped in 12 ms")) == want
			})
			p.searched(s.outputs())
			p.alerted(s.key, s.alerts())
			if masks := bytes.Count(s.back.Raw(t), []byte("REDACTED.")); masks < len(p.all)*3/4 { // those in bytes are in base64
				t.Errorf("%d masks of %d secrets", masks, len(p.all))
			}
		})
	}
}
