package config

import (
	"strings"
	"testing"
)

const otlpMinimal = "fingerprint: {key_file: k}\nalerts: {file: {path: a}}\ninput:\n  otlp:\n    enabled: true\n"

func TestValidateOTLP(t *testing.T) {
	f := func(name, more, want string) {
		t.Run(name, func(t *testing.T) {
			t.Helper()
			if got := problems(t, otlpMinimal+more); got != "config.yaml:"+want {
				t.Errorf("got\n%s\nwant\nconfig.yaml:%s", got, want)
			}
		})
	}
	const out = "output: {file: {path: o}}\n"
	f("no output", "", " output.otlp.endpoint: is needed: say where masked requests go, or set output.file.path, or output.kafka.brokers")
	f("kafka too", "  kafka: {brokers: [a:1], topics: [a]}\n"+out, "5: input.otlp.enabled: goes not together with input.kafka; run one leakveil for each")
	f("no address", "    grpc: \"\"\n    http: \"\"\n"+out, "6: input.otlp.grpc: and input.otlp.http are both empty; listen on one of them")
	f("no port", "    grpc: localhost\n"+out, "6: input.otlp.grpc: must be host:port, as 127.0.0.1:4317")
	f("one address", "    grpc: localhost:4318\n    http: localhost:4318\n"+out, "7: input.otlp.http: is the address of input.otlp.grpc; use another port")
	f("tls off", "    tls: {cert_file: x}\n"+out, "6: input.otlp.tls.enabled: is false, though other keys of input.otlp.tls are set; set it to true, or leave them out")
	f("half a pair", "    tls: {enabled: true, cert_file: x}\n"+out, "6: input.otlp.tls.cert_file: and input.otlp.tls.key_file are needed with input.otlp.tls.enabled")
	f("request beyond memory", "limits: {memory_budget: 4MiB}\n"+out, "6: limits.memory_budget: is 4MiB; it must be at least input.otlp.max_request_bytes (8MiB)")
	f("request beyond the decoder", "    max_request_bytes: 9MiB\n"+out, "6: input.otlp.max_request_bytes: is 9MiB; it must be between 1KiB and 8MiB: one larger request of deeply nested values could end the process")
	f("one file", "output: {file: {path: a}}\n", "6: output.file.path: is alerts.file.path too; use two files")
	f("rotation", "output: {file: {path: o, max_bytes: 10, max_age: 1ms, keep: 2000}}\n", "6: output.file.max_age: is 1ms; it must be 0, or a second or more\nconfig.yaml:6: output.file.max_bytes: is 10; it must be between 1MiB and 1024TiB\nconfig.yaml:6: output.file.keep: must be between 0 and 1000")
	f("url for grpc", "output: {otlp: {endpoint: \"http://a:1\"}}\n", "6: output.otlp.endpoint: must be host:port, as collector:4317, with output.otlp.protocol: grpc")
	f("address for http", "output: {otlp: {endpoint: \"a:1\", protocol: http}}\n", "6: output.otlp.endpoint: must be a URL, as http://collector:4318, with output.otlp.tls.enabled: false")
	f("http with tls", "output: {otlp: {endpoint: \"http://a:1\", protocol: http, tls: {enabled: true}}}\n", "6: output.otlp.endpoint: must be a URL, as https://collector:4318, with output.otlp.tls.enabled: true")
	f("token in clear", "output: {otlp: {endpoint: \"a:1\", auth: {token_file: t}}}\n", "6: output.otlp.auth.token_file: needs output.otlp.tls.enabled: true; a token is not sent in clear")
	f("topic for all", "output: {kafka: {brokers: [a:1], topic: all}}\n", "6: output.kafka.topic: must be a topic name with {topic}, which stands for otlp_logs, otlp_spans and otlp_metrics; empty means that Kafka gets detections alone")
}

func TestOTLPNeedsAPlaceOfDetections(t *testing.T) {
	text := "fingerprint: {key_file: k}\noutput: {otlp: {endpoint: \"a:1\"}}\ninput: {otlp: {enabled: true}}\n"
	if got := problems(t, text); !strings.Contains(got, "alerts.file.path: or alerts.store.path is needed with input.otlp and without output.kafka.brokers") {
		t.Error(got)
	}
	c := load(t, text+"alerts: {file: {path: a}}\n")
	if c.KafkaAlerts() || c.KafkaRecords() {
		t.Error("Kafka is in use without brokers")
	}
	c = load(t, "fingerprint: {key_file: k}\noutput: {kafka: {brokers: [a:1]}}\ninput: {otlp: {enabled: true}}\n")
	if !c.KafkaAlerts() || !c.KafkaRecords() {
		t.Error("Kafka is not in use with brokers")
	}
}

func TestKafkaInputHasNoOTLPOutput(t *testing.T) {
	got := problems(t, minimal+"output: {otlp: {endpoint: \"a:1\"}, file: {path: x}}\n")
	for _, want := range []string{"output.otlp.endpoint: needs input.otlp.enabled", "output.file.path: needs input.otlp.enabled"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

func TestListeningInClearIsWarnedOf(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": false, "localhost:1": false, "0.0.0.0:1": true, ":1": true, "[::1]:1": false} {
		c := load(t, otlpMinimal+"    grpc: \""+address+"\"\noutput: {file: {path: o}}\n")
		if got := len(c.Warnings()) > 0; got != want {
			t.Errorf("%s: warned %v", address, got)
		}
	}
}
