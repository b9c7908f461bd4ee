package config

import (
	"net/url"
	"strings"
	"time"
)

// otlp checks what goes together with an OTLP input.
func (v *validator) otlp(c *Config) {
	in := &c.Input.OTLP
	const key = "input.otlp."
	k := &c.Input.Kafka
	if len(k.Brokers) > 0 || len(k.Topics) > 0 || k.TopicsRegex != "" {
		v.add(key+"enabled", "goes not together with input.kafka; run one leakveil for each")
	}
	if in.GRPC == "" && in.HTTP == "" {
		v.add(key+"grpc", "and %shttp are both empty; listen on one of them", key)
	}
	v.listens(key+"grpc", in.GRPC)
	v.listens(key+"http", in.HTTP)
	if in.GRPC != "" && in.GRPC == in.HTTP && !strings.HasSuffix(in.GRPC, ":0") {
		v.add(key+"http", "is the address of %sgrpc; use another port", key)
	}
	if in.MaxRequestBytes < 1<<10 || in.MaxRequestBytes > maxRequest {
		v.add(key+"max_request_bytes", "is %v; it must be between 1KiB and %v: one larger request of deeply nested values could end the process", in.MaxRequestBytes, Size(maxRequest))
	}
	if in.MaxStreams < 1 || in.MaxStreams > 1<<20 {
		v.add(key+"max_streams", "must be between 1 and %d", 1<<20)
	}
	v.enum(key+"on_error", in.OnError)
	v.serverTLS(key+"tls.", &in.TLS)
	v.otlpOutputs(c)
	v.otlpAlerts(c)
	v.otlpLimits(c)
}

// maxRequest bounds requests, as otlp.MaxPayload does payloads: their decoders go down by
// recursion, before anybody can look how deep.
const maxRequest = 8 << 20

func (v *validator) listens(key, address string) {
	if address != "" && !isListenAddress(address) {
		v.add(key, "must be host:port, as 127.0.0.1:4317")
	}
}

func (v *validator) serverTLS(key string, t *ServerTLS) {
	switch {
	case !t.Enabled && *t != (ServerTLS{}):
		v.add(key+"enabled", "is false, though other keys of %s are set; set it to true, or leave them out", strings.TrimSuffix(key, "."))
	case t.Enabled && (t.CertFile == "" || t.KeyFile == ""):
		v.add(key+"cert_file", "and %skey_file are needed with %senabled", key, key)
	}
}

func (v *validator) otlpOutputs(c *Config) {
	out := &c.Output
	if out.OTLP.Endpoint == "" && out.File.Path == "" && !c.KafkaRecords() {
		v.add("output.otlp.endpoint", "is needed: say where masked requests go, or set output.file.path, or output.kafka.brokers")
	}
	v.otlpEndpoint(&out.OTLP)
	v.otlpFile(&out.File)
	v.enum("output.kafka.codec", out.Kafka.Codec)
	v.enum("output.kafka.encoding", out.Kafka.Encoding)
	if len(out.Kafka.Brokers) == 0 {
		return
	}
	v.brokers("output.kafka.brokers", out.Kafka.Brokers)
	v.connection("output.kafka.", &out.Kafka.TLS, &out.Kafka.SASL)
	if t := out.Kafka.Topic; t != "" && (!strings.Contains(t, topicPlaceholder) || !legalTopic(strings.ReplaceAll(t, topicPlaceholder, "t"))) {
		v.add("output.kafka.topic", "must be a topic name with {topic}, which stands for otlp_logs, otlp_spans and otlp_metrics; empty means that Kafka gets detections alone")
	}
}

func (v *validator) otlpFile(out *FileOutput) {
	const key = "output.file."
	if out.MaxAge < 0 || out.MaxAge > 0 && out.MaxAge < time.Second {
		v.add(key+"max_age", "is %v; it must be 0, or a second or more", out.MaxAge)
	}
	if out.MaxBytes != 0 {
		v.between(key+"max_bytes", out.MaxBytes, 1<<20, 1<<50)
	}
	if out.Keep < 0 || out.Keep > maxKeep {
		v.add(key+"keep", "must be between 0 and %d", maxKeep)
	}
}

// maxKeep bounds the files that are renamed at each rotation.
const maxKeep = 1000

func (v *validator) otlpEndpoint(out *OTLPOutput) {
	const key = "output.otlp."
	v.enum(key+"protocol", out.Protocol)
	v.enum(key+"compression", out.Compression)
	v.positive(key+"timeout", out.Timeout)
	if out.RetryFor < 0 {
		v.add(key+"retry_for", "is %v; it must be 0 or more", out.RetryFor)
	}
	if !out.TLS.Enabled && out.TLS != (TLS{}) {
		v.add(key+"tls.enabled", "is false, though other keys of %stls are set; set it to true, or leave them out", key)
	}
	if (out.TLS.CertFile == "") != (out.TLS.KeyFile == "") {
		v.add(key+"tls.cert_file", "and %stls.key_file go together: set both or none", key)
	}
	if out.Auth.TokenFile != "" && !out.TLS.Enabled {
		v.add(key+"auth.token_file", "needs %stls.enabled: true; a token is not sent in clear", key)
	}
	if out.Endpoint == "" {
		return
	}
	if out.Protocol == "grpc" {
		if !isAddress(out.Endpoint) {
			v.add(key+"endpoint", "must be host:port, as collector:4317, with %sprotocol: grpc", key)
		}
		return
	}
	u, err := url.Parse(out.Endpoint)
	scheme := map[bool]string{false: "http", true: "https"}[out.TLS.Enabled]
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != scheme {
		v.add(key+"endpoint", "must be a URL, as %s://collector:4318, with %stls.enabled: %v", scheme, key, out.TLS.Enabled)
	}
}

// otlpAlerts: detections need a place that is durable.
func (v *validator) otlpAlerts(c *Config) {
	switch t := c.Alerts.Kafka.Topic; {
	case c.KafkaAlerts() && !legalTopic(t):
		v.add("alerts.kafka.topic", "is no topic name: 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'")
	case c.KafkaAlerts() && c.KafkaRecords() && isOTLPTopic(c, t):
		v.add("alerts.kafka.topic", "%s is an output topic; use another", t)
	case !c.KafkaAlerts() && c.Alerts.File.Path == "" && c.Alerts.Store.Path == "":
		v.add("alerts.file.path", "or alerts.store.path is needed with input.otlp and without output.kafka.brokers: detections are kept there before a request is answered")
	}
	if p := c.Output.File.Path; p != "" && p == c.Alerts.File.Path {
		v.add("output.file.path", "is alerts.file.path too; use two files")
	}
}

func isOTLPTopic(c *Config, topic string) bool {
	for _, name := range []string{"otlp_logs", "otlp_spans", "otlp_metrics"} {
		if c.OutputTopic(name) == topic {
			return true
		}
	}
	return false
}

func (v *validator) otlpLimits(c *Config) {
	l := &c.Limits
	v.positive("limits.scan_timeout", l.ScanTimeout)
	v.positive("limits.drain_timeout", l.DrainTimeout)
	v.positive("limits.produce_timeout", l.ProduceTimeout)
	v.positive("alerts.window", c.Alerts.Window)
	v.positive("alerts.interval", c.Alerts.Interval)
	if l.MemoryBudget < c.Input.OTLP.MaxRequestBytes {
		v.add("limits.memory_budget", "is %v; it must be at least input.otlp.max_request_bytes (%v)", l.MemoryBudget, c.Input.OTLP.MaxRequestBytes)
	}
}

// kafkaAlone checks that nothing is set which an OTLP input alone can fill.
func (v *validator) kafkaAlone(c *Config) {
	if c.Output.OTLP.Endpoint != "" {
		v.add("output.otlp.endpoint", "needs input.otlp.enabled: true; records of Kafka go to Kafka")
	}
	if c.Output.File.Path != "" {
		v.add("output.file.path", "needs input.otlp.enabled: true; records of Kafka go to Kafka")
	}
}

// otlpFiles are the files that the OTLP sections name.
func (c *Config) otlpFiles(add func(key, path string, secret bool)) {
	in, out := &c.Input.OTLP, &c.Output.OTLP
	add("input.otlp.tls.cert_file", in.TLS.CertFile, false)
	add("input.otlp.tls.key_file", in.TLS.KeyFile, true)
	add("input.otlp.tls.client_ca_file", in.TLS.ClientCAFile, false)
	add("input.otlp.auth.token_file", in.Auth.TokenFile, true)
	add("output.otlp.tls.ca_file", out.TLS.CAFile, false)
	add("output.otlp.tls.cert_file", out.TLS.CertFile, false)
	add("output.otlp.tls.key_file", out.TLS.KeyFile, true)
	add("output.otlp.auth.token_file", out.Auth.TokenFile, true)
}

// otlpWarnings are what works but is unsafe.
func (v *validator) otlpWarnings(c *Config) {
	in := &c.Input.OTLP
	if !in.Enabled || in.TLS.Enabled {
		return
	}
	for _, l := range []struct{ key, address string }{{"input.otlp.grpc", in.GRPC}, {"input.otlp.http", in.HTTP}} {
		if l.address == "" || isLoopback(l.address) {
			continue
		}
		v.add(l.key, "listens beyond this machine without TLS: requests hold secrets until they are masked; set input.otlp.tls.enabled: true")
	}
}
