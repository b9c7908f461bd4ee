package syslog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/syslog"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

type starter func(testing.TB, backend.Certs) *backend.Syslog

var servers = map[string]starter{"rsyslog": backend.StartRsyslog, "syslog-ng": backend.StartSyslogNG}

// msg returns what a server calls MSG.
func msg(m map[string]any) string {
	for _, name := range []string{"msg", "MESSAGE", "MSG"} {
		if text, ok := m[name].(string); ok {
			return text
		}
	}
	return ""
}

func TestRealServers(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			certs := backend.NewCerts(t)
			server := start(t, certs)
			items := sinktest.Hostile(t)
			tls := transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey}
			expect(t, open(t, syslog.Options{Address: server.TLS, TLS: tls}), items, delivered)
			expect(t, open(t, syslog.Options{Address: server.TCP, Plain: true}), items, delivered)
			backend.Eventually(t, "every message", func() bool { return len(server.Messages(t)) == 2*len(items) })
			seen := map[string]int{}
			for _, m := range server.Messages(t) {
				var document any
				if err := json.Unmarshal([]byte(msg(m)), &document); err != nil {
					t.Fatalf("%v: %v", err, m)
				}
				seen[strings.TrimSpace(msg(m))]++
			}
			for _, item := range items {
				if seen[string(item.Document)] != 2 {
					t.Errorf("%d times: %s", seen[string(item.Document)], item.Document)
				}
			}
		})
	}
}

// A certificate that a server refuses shows only after the first write (TLS 1.3):
// nothing sent so may count as delivered.
func TestRefusedCertificates(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			certs := backend.NewCerts(t)
			server := start(t, certs)
			for what, tls := range map[string]transport.TLS{
				"none":    {CAFile: certs.CA},
				"foreign": {CAFile: certs.CA, CertFile: certs.ForeignCert, KeyFile: certs.ForeignKey},
				"other":   {CAFile: certs.CA, CertFile: certs.OtherCert, KeyFile: certs.OtherKey},
				"server":  {CertFile: certs.ClientCert, KeyFile: certs.ClientKey},
			} {
				s := open(t, syslog.Options{Address: server.TLS, TLS: tls})
				for range 2 {
					o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]
					if o != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork}) {
						t.Errorf("%s: %+v", what, o)
					}
				}
			}
		})
	}
}
