package syslog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/syslog"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Tenzir takes syslog over TLS with octet counting and client certificates, and reads every
// format.
func TestTenzirReads(t *testing.T) {
	certs := backend.NewCerts(t)
	for _, format := range []string{"json", "cef", "leef", "ocsf"} {
		t.Run(format, func(t *testing.T) {
			port := backend.FreePort(t)
			z := backend.StartTenzir(t, fmt.Sprintf(`accept_tcp "127.0.0.1:%d", tls={certfile: %q, keyfile: %q, client_ca: %q, require_client_cert: true} { read_syslog octet_counting=true }`,
				port, certs.ServerCert, certs.ServerKey, certs.CA), port)
			items := sinktest.Hostile(t)
			tls := transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey}
			expect(t, open(t, syslog.Options{Address: fmt.Sprintf("127.0.0.1:%d", port), TLS: tls, Format: format}), items, delivered)
			backend.Eventually(t, "every message", func() bool { return len(z.Events(t)) == len(items) })
			seen := map[string]bool{}
			for _, e := range z.Events(t) {
				data, _ := e["structured_data"].(map[string]any)
				sd, _ := data["leakveil@32473"].(map[string]any)
				id, _ := sd["alertId"].(string)
				seen[id] = true
				if text, _ := e["message"].(string); text == "" || e["app_name"] != "leakveil" {
					t.Fatalf("%v", e)
				}
			}
			for _, item := range items {
				id, isAlert := strings.CutSuffix(item.ID, "-1")
				if isAlert && !seen[id] {
					t.Errorf("%s is missing", item.ID)
				}
			}
		})
	}
}
