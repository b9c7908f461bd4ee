package collector_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/sink/backend"
)

// balancing is every key that contrib's loadbalancing exporter 0.162.0 knows, as far as its
// documentation and code say: it cannot be built in, so its settings are checked as text.
type balancing struct {
	RoutingKey        string        `mapstructure:"routing_key"`
	RoutingAttributes []string      `mapstructure:"routing_attributes"`
	Timeout           time.Duration `mapstructure:"timeout"`
	Protocol          struct {
		OTLP otlpexporter.Config `mapstructure:"otlp"`
	} `mapstructure:"protocol"`
	Resolver struct {
		Static *struct {
			Hostnames []string `mapstructure:"hostnames"`
		} `mapstructure:"static"`
		DNS *struct {
			Hostname string        `mapstructure:"hostname"`
			Port     string        `mapstructure:"port"`
			Interval time.Duration `mapstructure:"interval"`
			Timeout  time.Duration `mapstructure:"timeout"`
		} `mapstructure:"dns"`
		K8s *struct {
			Service         string        `mapstructure:"service"`
			Ports           []int32       `mapstructure:"ports"`
			Timeout         time.Duration `mapstructure:"timeout"`
			ReturnHostnames bool          `mapstructure:"return_hostnames"`
		} `mapstructure:"k8s"`
	} `mapstructure:"resolver"`
}

var variable = regexp.MustCompile(`\$\{env:[A-Z_]+:-([^}]*)\}`)

func decoded(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLoadBalancersExporters(t *testing.T) {
	text, err := os.ReadFile("loadbalancer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	exporters := decoded(t, variable.ReplaceAll(text, []byte("$1")))["exporters"].(map[string]any)
	if got := slices.Sorted(maps.Keys(exporters)); !slices.Equal(got, []string{"loadbalancing", "loadbalancing/metrics"}) {
		t.Fatalf("exporters: %q", got)
	}
	for name, routing := range map[string]string{"loadbalancing": "traceID", "loadbalancing/metrics": "service"} {
		var c balancing
		c.Protocol.OTLP = *otlpexporter.NewFactory().CreateDefaultConfig().(*otlpexporter.Config)
		if err := confmap.NewFromStringMap(exporters[name].(map[string]any)).Unmarshal(&c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.RoutingKey != routing || c.Resolver.DNS == nil || c.Resolver.DNS.Port != "4317" || c.Resolver.DNS.Hostname != "gateways" || c.Resolver.DNS.Timeout != time.Second {
			t.Errorf("%s: %+v", name, c)
		}
		o := &c.Protocol.OTLP
		if o.ClientConfig.Endpoint != "" || o.ClientConfig.TLS.CertFile == "" || o.ClientConfig.TLS.Insecure || o.ClientConfig.TLS.ServerName != "gateways" || o.QueueConfig.Get().StorageID != nil {
			t.Errorf("%s: an endpoint that is not used, no TLS, or secrets on disk: %+v", name, o)
		}
		o.ClientConfig.Endpoint = "gateway:4317" // what the exporter fills in for each gateway
		if err := confmap.Validate(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// All but the choice of a gateway, in a real Collector: the exporters are the OTLP exporters
// that the load balancer would make, for the one gateway there is.
func TestLoadBalancerInFrontOfAGateway(t *testing.T) {
	n := newNetwork(t, backend.Hyperscan)
	gateway := n.start("gateway", "")
	text, err := os.ReadFile("loadbalancer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := decoded(t, text)
	exporters := map[string]any{}
	for name, e := range config["exporters"].(map[string]any) {
		o := maps.Clone(e.(map[string]any)["protocol"].(map[string]any)["otlp"].(map[string]any))
		o["endpoint"] = gateway.grpc
		exporters["otlp_grpc/"+regexp.MustCompile(`\W`).ReplaceAllString(name, "_")] = o
	}
	config["exporters"] = exporters
	for _, p := range config["service"].(map[string]any)["pipelines"].(map[string]any) {
		list := p.(map[string]any)["exporters"].([]any)
		for i := range list {
			list[i] = "otlp_grpc/" + regexp.MustCompile(`\W`).ReplaceAllString(list[i].(string), "_")
		}
	}
	out, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "balancer.yaml")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	balancer := n.startFile(path, "GATEWAYS=localhost")
	value := secret()
	trace := send(t, otlpnettest.Client{Address: balancer.grpc, TLS: n.client}, "balanced", value)
	backend.Eventually(t, "records and an alert behind the load balancer", func() bool {
		return len(n.logs.Records(t)) >= 2 && len(n.siem.Records(t)) >= 1
	})
	n.searched(map[string]string{"balanced": value}, gateway, balancer)
	n.alerted(map[string]string{"balanced": trace})
}
