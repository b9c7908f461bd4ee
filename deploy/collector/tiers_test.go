package collector_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/sink/backend"
)

// tier is a Collector with leakveil under one of the ready configurations.
type tier struct {
	*backend.Process
	name, grpc, http, metrics, state string
}

// network is the tiers and what they send to.
type network struct {
	t              *testing.T
	program        string
	certs          backend.Certs
	key            string
	logs, siem     *backend.Collector
	client, nobody *tls.Config // with a certificate of the authority, and without
}

func newNetwork(t *testing.T, engine string) *network {
	n := &network{t: t, program: backend.BuildOwn(t, engine), certs: backend.NewCerts(t), key: filepath.Join(t.TempDir(), "key.bin")}
	if err := os.WriteFile(n.key, []byte(secret()), 0o600); err != nil {
		t.Fatal(err)
	}
	n.logs, n.siem = backend.StartCollector(t, n.certs), backend.StartCollector(t, n.certs)
	ca, err := os.ReadFile(n.certs.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(n.certs.ClientCert, n.certs.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	n.nobody = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	n.client = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	return n
}

// secret is a value that a verifier, a token and a client secret may have.
func secret() string {
	var b [33]byte
	_, _ = rand.Read(b[:])
	return "v" + base64.RawURLEncoding.EncodeToString(b[:])[:41] + "Q"
}

// start starts a tier with the configuration NAME.yaml; gateway is where it sends, when it
// sends to one.
func (n *network) start(name, gateway string) *tier {
	n.t.Helper()
	return n.startFile(name+".yaml", "GATEWAY="+gateway)
}

// startFile starts a tier with a configuration; env goes over what all have.
func (n *network) startFile(path string, env ...string) *tier {
	n.t.Helper()
	t := &tier{name: filepath.Base(path), grpc: otlpnettest.FreeAddress(n.t), http: otlpnettest.FreeAddress(n.t), metrics: otlpnettest.FreeAddress(n.t), state: n.t.TempDir()}
	_, port, _ := strings.Cut(t.metrics, ":")
	t.Process = backend.StartOwn(n.t, n.program, path, append([]string{
		"LISTEN_GRPC=" + t.grpc, "LISTEN_HTTP=" + t.http, "LISTEN_ZPAGES=" + otlpnettest.FreeAddress(n.t), "METRICS_PORT=" + port,
		"BACKEND=" + n.logs.MTLS, "SIEM=https://" + n.siem.MTLSHTTP,
		"TLS_CERT=" + n.certs.ServerCert, "TLS_KEY=" + n.certs.ServerKey, "TLS_CA=" + n.certs.CA,
		"KEY_FILE=" + n.key, "STATE_DIR=" + t.state,
	}, env...)...)
	return t
}

// scrape is what /metrics says.
func (t *tier) scrape(tb testing.TB) string {
	tb.Helper()
	r, err := http.Get("http://" + t.metrics + "/metrics")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// send logs one clean record and one with a value, within a span, and returns the trace's
// id.
func send(t *testing.T, c otlpnettest.Client, service, value string) (trace string) {
	t.Helper()
	sdk := otlpnettest.NewSDK(t, c, resource.NewSchemaless(attribute.String("service.name", service)))
	ctx, span := sdk.Traces.Tracer("shop").Start(t.Context(), "login")
	for _, text := range []string{"order 12 shipped", "POST /token client_id=web-" + service + "&code_verifier=" + value} {
		var r otellog.Record
		r.SetBody(attribute.StringValue(text))
		sdk.Logs.Logger("shop").Emit(ctx, r)
	}
	span.End()
	sdk.Flush(t)
	return span.SpanContext().TraceID().String()
}

// The configurations as they are in use: applications send to an agent, to a sidecar and to
// the gateway itself, and agent and sidecar send to the gateway.
func TestTiers(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) { tiers(t, engine) })
	}
}

// engines are what the Collector is built with. Building it without cgo compiles everything
// again, which is for the long job.
func engines() []string {
	if os.Getenv("LEAKVEIL_LONG") != "" {
		return []string{backend.Hyperscan, backend.Portable}
	}
	return []string{backend.Hyperscan}
}

func tiers(t *testing.T, engine string) {
	n := newNetwork(t, engine)
	gateway := n.start("gateway", "")
	agent, sidecar := n.start("agent", gateway.grpc), n.start("sidecar", gateway.grpc)
	values, traces := map[string]string{}, map[string]string{}
	for name, c := range map[string]otlpnettest.Client{
		"agent-grpc":   {Address: agent.grpc, TLS: n.nobody, Gzip: true},
		"agent-http":   {Address: agent.http, HTTP: true, TLS: n.nobody},
		"sidecar-grpc": {Address: sidecar.grpc},
		"sidecar-http": {Address: sidecar.http, HTTP: true},
		"gateway-grpc": {Address: gateway.grpc, TLS: n.client},
		"gateway-http": {Address: gateway.http, HTTP: true, TLS: n.client, Gzip: true},
	} {
		values[name] = secret()
		traces[name] = send(t, c, name, values[name])
	}
	backend.Eventually(t, "all records and their alerts", func() bool {
		return len(n.logs.Records(t)) >= 2*len(values) && len(n.siem.Records(t)) >= len(values)
	})
	if got, alerts := len(n.logs.Records(t)), len(n.siem.Records(t)); got != 2*len(values) || alerts != len(values) {
		t.Errorf("%d records and %d alerts came, want %d and %d", got, alerts, 2*len(values), len(values))
	}
	folded := filepath.Join(gateway.state, "alerts.ndjson")
	backend.Eventually(t, "the gateway's own alerts in its file", func() bool {
		text, err := os.ReadFile(folded)
		return err == nil && bytes.Contains(text, []byte(`"web-gateway-grpc"`)) && bytes.Contains(text, []byte(`"web-gateway-http"`))
	})
	if text := read(t, folded); bytes.Contains(text, []byte("web-agent")) || bytes.Contains(text, []byte("web-sidecar")) {
		t.Errorf("the gateway alerts of what was masked before: %s", text)
	}
	n.searched(values, gateway, agent, sidecar)
	n.alerted(traces)
	for _, tier := range []*tier{gateway, agent, sidecar} {
		if text := tier.scrape(t); !strings.Contains(text, `otelcol_processor_leakveil_findings{`) || !strings.Contains(text, `kind="code_verifier"`) {
			t.Errorf("%s: /metrics does not tell of its findings", tier.name)
		}
		if want := map[string]string{backend.Hyperscan: `"engine": "hyperscan `, backend.Portable: `"engine": "portable"`}[engine]; !strings.Contains(tier.Log(), want) ||
			strings.Contains(tier.Log(), "the portable engine is in use") != (engine == backend.Portable) {
			t.Errorf("%s does not say which engine it has:\n%s", tier.name, tier.Log())
		}
	}
}

// searched looks for the values in all that came out anywhere.
func (n *network) searched(values map[string]string, tiers ...*tier) {
	n.t.Helper()
	outputs := map[string][]byte{"back end": n.logs.Raw(n.t), "SIEM": n.siem.Raw(n.t)}
	for _, tier := range tiers {
		outputs[tier.name+"'s log"], outputs[tier.name+"'s metrics"] = []byte(tier.Log()), []byte(tier.scrape(n.t))
		err := filepath.WalkDir(tier.state, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				outputs[tier.name+"'s "+filepath.Base(path)], err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			n.t.Error(err)
		}
	}
	for where, text := range outputs {
		for name, value := range values {
			if bytes.Contains(text, []byte(value)) {
				n.t.Errorf("%s: the secret sent as %s came through", where, name)
			}
		}
	}
	for name := range values {
		if want := "client_id=web-" + name + `&code_verifier=REDACTED.code_verifier.`; !bytes.Contains(outputs["back end"], []byte(want)) &&
			!bytes.Contains(outputs["back end"], []byte(strings.Replace(want, "&", `\u0026`, 1))) {
			n.t.Errorf("the masked record of %s did not come", name)
		}
	}
}

// alerted checks that each has one alert, with its client, service and trace.
func (n *network) alerted(traces map[string]string) {
	n.t.Helper()
	seen := map[string]int{}
	for _, r := range n.siem.Records(n.t) {
		client := text(r, "leakveil.client.id")
		name := strings.TrimPrefix(client, "web-")
		seen[name]++
		if r.EventName() != "leakveil.secret.detected" || r.TraceID().String() != traces[name] || text(r, "leakveil.kind") != "code_verifier" {
			n.t.Errorf("an alert that is none of ours: %v in trace %s", r.Attributes().AsRaw(), r.TraceID())
		}
	}
	for name := range traces {
		if seen[name] != 1 {
			n.t.Errorf("%d alerts of %s", seen[name], name)
		}
	}
}

func text(r plog.LogRecord, name string) string {
	v, ok := r.Attributes().Get(name)
	if !ok {
		return ""
	}
	return v.AsString()
}

// The gateway takes nothing from those without a certificate.
func TestGatewayWantsCertificates(t *testing.T) {
	n := newNetwork(t, backend.Hyperscan)
	gateway := n.start("gateway", "")
	for _, c := range []otlpnettest.Client{{Address: gateway.grpc, TLS: n.nobody}, {Address: gateway.http, HTTP: true, TLS: n.nobody}, {Address: gateway.http, HTTP: true}} {
		sdk := otlpnettest.NewSDK(t, c, resource.Empty())
		var r otellog.Record
		r.SetBody(attribute.StringValue("hello"))
		sdk.Logs.Logger("x").Emit(t.Context(), r)
		if err := sdk.Logs.ForceFlush(t.Context()); err == nil {
			t.Errorf("%s: taken without a certificate", fmt.Sprint(c.Address))
		}
	}
	if records := len(n.logs.Records(t)); records != 0 {
		t.Errorf("%d records came", records)
	}
}
