package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const goodConfig = `input:
  kafka: {brokers: [127.0.0.1:9092], topics: [app-logs], group: leakveil, start: earliest}
output:
  kafka: {topic: "{topic}.masked"}
alerts:
  kafka: {topic: leakveil.alerts}
dead_letter:
  kafka: {topic: leakveil.dead-letter}
fingerprint: {key_file: KEY}
rules: {dirs: [], disable: [DISABLED]}
`

func configFile(t *testing.T, pairs ...string) string {
	t.Helper()
	return file(t, "leakveil.yaml", strings.NewReplacer(append(pairs, "DISABLED", "")...).Replace(goodConfig))
}

func TestConfigCheck(t *testing.T) {
	key, _ := newKeyFile(t)
	good := configFile(t, "KEY", key)
	got := leakveil(t, "", "config", "check", good)
	got.want(t, 0, good+": ok")
	if got.stderr != "" {
		t.Errorf("warned of %q", got.stderr)
	}

	missing := configFile(t, "KEY", filepath.Join(t.TempDir(), "nokey"))
	leakveil(t, "", "config", "check", missing).want(t, 0, "warning: "+missing+":9: fingerprint.key_file", "no such file", ": ok")
	leakveil(t, "", "config", "check", "--files", missing).want(t, 2, "leakveil: "+missing+":9: fingerprint.key_file")

	typo := configFile(t, "KEY", key, "brokers:", "brokres:")
	leakveil(t, "", "config", "check", typo).want(t, 2, typo+":2: ", "brokres", "brokers")

	rule := configFile(t, "KEY", key, "DISABLED", "no-such-rule")
	leakveil(t, "", "config", "check", rule).want(t, 2, `cannot disable "no-such-rule"`)
}

func TestConfigPrint(t *testing.T) {
	key, _ := newKeyFile(t)
	good := configFile(t, "KEY", key)
	t.Setenv("LEAKVEIL_LOG_LEVEL", "debug")
	printed := leakveil(t, "", "config", "print", good)
	printed.want(t, 0, "brokers: ['127.0.0.1:9092']", "level: debug", key)
	// What is printed is a configuration again, and the same.
	again := leakveil(t, "", "config", "print", file(t, "again.yaml", printed.stdout))
	if again.stdout != printed.stdout {
		t.Errorf("got:\n%s\nwant:\n%s", again.stdout, printed.stdout)
	}
	leakveil(t, "", "config", "print").want(t, 0, "brokers: []", "level: debug")
	leakveil(t, "", "config", "print", configFile(t, "KEY", key, "[app-logs]", "[]")).want(t, 2, "input.kafka.topics: is needed")
}
