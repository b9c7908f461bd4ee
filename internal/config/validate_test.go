package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	f := func(name, text, want string) {
		t.Run(name, func(t *testing.T) {
			t.Helper()
			if got := problems(t, text); got != "config.yaml:"+want {
				t.Errorf("got\n%s\nwant\nconfig.yaml:%s", got, want)
			}
		})
	}
	kafka := func(line string) string {
		return "fingerprint: {key_file: k}\ninput:\n  kafka:\n    brokers: [a:1]\n    topics: [a, b]\n" + line
	}
	f("topics and regex", kafka("    topics_regex: c\n"), "6: input.kafka.topics_regex: goes not together with input.kafka.topics; keep one of the two")
	f("output is input", kafka("output: {kafka: {topic: \"{topic}\"}}\n"), "6: output.kafka.topic: would write masked records into the topic they came from; use another name, as {topic}.masked")
	f("fixed output", kafka("output: {kafka: {topic: all}}\n"), "6: output.kafka.topic: must hold {topic}: records of several input topics cannot keep order and partition in one")
	f("output names", kafka("output: {kafka: {topic: \"{name}.x\"}}\n"), "6: output.kafka.topic: must be a topic name in which {topic} stands for the input topic, as {topic}.masked")
	f("output read again", "fingerprint: {key_file: k}\ninput: {kafka: {brokers: [a:1], topics: [a, a.masked]}}\n", "2: input.kafka.topics[1]: a.masked is the output topic of a; leakveil's own output is never read")
	f("alerts read again", kafka("alerts: {kafka: {topic: b}}\n"), "6: alerts.kafka.topic: b is among input.kafka.topics; leakveil's own topics are never read")
	f("alerts on output", kafka("alerts: {kafka: {topic: b.masked}}\n"), "6: alerts.kafka.topic: b.masked is the output topic of b; use another")
	f("one topic for two", kafka("alerts: {kafka: {topic: x}}\ndead_letter: {kafka: {topic: x}}\n"), "7: dead_letter.kafka.topic: is x, as alerts.kafka.topic is; use two topics")
	f("encoding", kafka("    encoding: otlp\n"), "6: input.kafka.encoding: must be one of text, json, otlp_proto, otlp_json")
	f("signal of text", kafka("    signal: logs\n"), "6: input.kafka.signal: goes with input.kafka.encoding: otlp_proto or otlp_json alone")
	f("no alerts", kafka("alerts: {kafka: {topic: \"\"}}\n"), "6: alerts.kafka.topic: is empty, and alerts.file.path is too; detections need one of them")
	f("tls off", kafka("    tls: {ca_file: x}\n"), "6: input.kafka.tls.enabled: is false, though other keys of input.kafka.tls are set; set it to true, or leave them out")
	f("half a pair", kafka("    tls: {enabled: true, cert_file: x}\n"), "6: input.kafka.tls.cert_file: and input.kafka.tls.key_file go together: set both or none")
	f("output sasl alone", kafka("output: {kafka: {sasl: {username: x}}}\n"), "6: output.kafka.sasl: is set without output.kafka.brokers; without brokers the output uses the input's brokers, tls and sasl")
	f("heartbeat", kafka("    heartbeat_interval: 5s\n"), "6: input.kafka.heartbeat_interval: is 5s; it must be at most a third of input.kafka.session_timeout (10s)")
	f("memory", kafka("limits: {memory_budget: 1MiB}\n"), "6: limits.memory_budget: is 1MiB; it must be at least 136MiB, input.kafka.fetch_max_bytes and twice limits.max_decompressed_batch")
	f("regex", "fingerprint: {key_file: k}\ninput: {kafka: {brokers: [a:1], topics_regex: \"a(\"}}\n", "2: input.kafka.topics_regex: is not a regular expression: error parsing regexp: missing closing ): `a(`")
	f("sinks without a store", kafka("alerts: {sinks: [{name: a, type: file, path: x}]}\n"), "6: alerts.store.path: is needed with alerts.sinks: alerts wait there until a sink has them")
	f("sink without a type", kafka("alerts: {store: {path: x}, sinks: [{name: a}]}\n"), "6: alerts.sinks[0].type: is needed: alertmanager, elasticsearch, file, kafka, otlp, splunk_hec, syslog or webhook")
	f("sink with a bad name", kafka("alerts: {store: {path: x}, sinks: [{name: A b, type: file}]}\n"), "6: alerts.sinks[0].name: must be 1 to 63 of a-z, 0-9, _ and -")
	f("two of a name", kafka("alerts: {store: {path: x}, sinks: [{name: a, type: file}, {name: a, type: file}]}\n"), "6: alerts.sinks[1].name: a is the name of another sink; what was sent is kept under it")
	f("two passwords", kafka("alerts: {store: {path: x}, sinks: [{name: a, type: webhook, token_file: x, token_env: Y}]}\n"), "6: alerts.sinks[0].token_file: and token_env are both set; keep one")
	f("mask of verifiers", kafka("policies:\n  - {kind: code_verifier, action: partial}\n"), "7: policies[0].action: partial would show a part of a code_verifier; use mask, hash or remove")
}

func TestValidateWithoutFile(t *testing.T) {
	err := new(Config).Validate()
	if err == nil || !strings.Contains(err.Error(), "input.kafka.brokers: is needed") || !strings.Contains(err.Error(), "fingerprint.key_file: is needed") {
		t.Error(err)
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key.bin")
	if err := os.WriteFile(key, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(minimal, "key.bin", key, 1)
	c := load(t, text+"rules: {dirs: ["+dir+"]}\n")
	if err := c.CheckFiles(); err != nil {
		t.Error(err)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Error(w)
	}
	c = load(t, text+"rules:\n  dirs:\n    - "+key+"\n    - "+dir+"/absent\n")
	err := c.CheckFiles()
	if err == nil || !strings.Contains(err.Error(), ":6: rules.dirs[0]: "+key+" is no folder\n") ||
		!strings.HasSuffix(err.Error(), ":7: rules.dirs[1]: "+dir+"/absent: no such file or directory") {
		t.Error(err)
	}
}

func TestWarnings(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.bin")
	if err := os.WriteFile(key, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LEAKVEIL_INPUT_KAFKA_SASL_MECHANISM", "plain")
	t.Setenv("LEAKVEIL_INPUT_KAFKA_SASL_USERNAME", "u")
	t.Setenv("LEAKVEIL_INPUT_KAFKA_SASL_PASSWORD_FILE", key)
	got := strings.Join(load(t, minimal).Warnings(), "\n")
	if !strings.Contains(got, "can be read by every user") || !strings.Contains(got, "plain without TLS") {
		t.Error(got)
	}
}

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	for in, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "": ""} {
		if err := os.WriteFile(path, []byte(in), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadSecret(path); err != nil || string(got) != want {
			t.Errorf("ReadSecret of %q = %q, %v", in, got, err)
		}
	}
	if err := os.Truncate(path, maxSecretFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSecret(path); err == nil {
		t.Error("a file of more than 1 MiB was read")
	}
	if _, err := ReadSecret(path + "x"); err == nil {
		t.Error("an absent file was read")
	}
}
