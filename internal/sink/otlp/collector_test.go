package otlp

import (
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// A real Collector takes what is sent, over each protocol, and says 503 when its
// queue is full.
func TestARealCollector(t *testing.T) {
	certs := backend.NewCerts(t)
	c := backend.StartCollector(t, certs)
	items := sinktest.Hostile(t)
	tls := transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey}
	sent := 0
	for name, o := range map[string]Options{
		"grpc":       {HTTP: transport.HTTPOptions{URL: "http://" + c.GRPC}},
		"grpc, gzip": {HTTP: transport.HTTPOptions{URL: "http://" + c.GRPC, Gzip: true}},
		"mutual TLS": {HTTP: transport.HTTPOptions{URL: "https://" + c.MTLS, TLS: tls}},
		"http":       {Protocol: "http", HTTP: transport.HTTPOptions{URL: "http://" + c.HTTP}},
		"http, gzip": {Protocol: "http", HTTP: transport.HTTPOptions{URL: "http://" + c.HTTP, Gzip: true}},
	} {
		for i, outcome := range open(t, o).Send(t.Context(), items).Outcomes {
			if outcome.Verdict != sink.Delivered {
				t.Fatalf("%s: item %d: %+v", name, i, outcome)
			}
		}
		sent += len(items)
		backend.Eventually(t, name, func() bool { return len(c.Records(t)) == sent })
		for i, got := range c.Records(t)[sent-len(items):] {
			checkRecord(t, items[i], got)
		}
	}
}

func TestARealCollectorRefuses(t *testing.T) {
	certs := backend.NewCerts(t)
	c := backend.StartCollector(t, certs)
	items := sinktest.Items(t, 1)
	full := open(t, Options{Protocol: "http", HTTP: transport.HTTPOptions{URL: "http://" + c.Full}})
	backend.Eventually(t, "a full queue", func() bool {
		o := full.Send(t.Context(), items).Outcomes[0]
		return o == sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}
	})
	for name, tls := range map[string]transport.TLS{
		"no certificate":      {CAFile: certs.CA},
		"foreign certificate": {CAFile: certs.CA, CertFile: certs.ForeignCert, KeyFile: certs.ForeignKey},
		"unknown authority":   {CertFile: certs.ClientCert, KeyFile: certs.ClientKey},
	} {
		s := open(t, Options{HTTP: transport.HTTPOptions{URL: "https://" + c.MTLS, TLS: tls}})
		if o := s.Send(t.Context(), items).Outcomes[0]; o.Verdict != sink.Retry || o.Reason != sink.ReasonNetwork {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if n := len(c.Records(t)); n != 0 {
		t.Error(n, "records arrived")
	}
}
