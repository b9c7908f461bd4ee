package otlp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Tenzir takes OTLP over gRPC and HTTP, with client certificates.
func TestTenzirReads(t *testing.T) {
	certs := backend.NewCerts(t)
	tls := transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey}
	for _, protocol := range []string{"grpc", "http"} {
		t.Run(protocol, func(t *testing.T) {
			port := backend.FreePort(t)
			z := backend.StartTenzir(t, fmt.Sprintf(`accept_otlp "127.0.0.1:%d", transport=%q, signals=["logs"], tls={certfile: %q, keyfile: %q, client_ca: %q, require_client_cert: true}`,
				port, protocol, certs.ServerCert, certs.ServerKey, certs.CA), port)
			items := sinktest.Hostile(t)
			url := fmt.Sprintf("https://127.0.0.1:%d", port)
			s := open(t, Options{Protocol: protocol, HTTP: transport.HTTPOptions{URL: url, TLS: tls, Gzip: true}})
			for i, o := range s.Send(t.Context(), items).Outcomes {
				if o.Verdict != sink.Delivered {
					t.Fatalf("item %d: %+v", i, o)
				}
			}
			backend.Eventually(t, "every record", func() bool {
				text, err := json.Marshal(z.Events(t))
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range items {
					if !strings.Contains(string(text), item.ID) {
						return false
					}
				}
				return true
			})
			none := open(t, Options{Protocol: protocol, HTTP: transport.HTTPOptions{URL: url, TLS: transport.TLS{CAFile: certs.CA}}})
			if o := none.Send(t.Context(), items[:1]).Outcomes[0]; o.Verdict != sink.Retry || o.Reason != sink.ReasonNetwork {
				t.Errorf("without a certificate: %+v", o)
			}
		})
	}
}
