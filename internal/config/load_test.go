package config

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write golden files and docs/config.md anew")

const minimal = `input:
  kafka: {brokers: ["127.0.0.1:9092"], topics: [app-logs]}
fingerprint: {key_file: key.bin}
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Load(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problems(t *testing.T, text string) string {
	t.Helper()
	path := write(t, text)
	_, err := Load(path)
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("Load gave %v, not Problems", err)
	}
	return strings.ReplaceAll(ps.Error(), path, "config.yaml")
}

func TestLoadReadsEveryShape(t *testing.T) {
	c, err := Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := c.Input.Kafka
	want := KafkaInput{
		Brokers: []string{"kafka-1:9093", "kafka-2:9093"}, Topics: []string{}, TopicsRegex: `app-.*`, Group: "Masks.EU", Start: "latest",
		SessionTimeout: 12 * time.Second, HeartbeatInterval: 4 * time.Second, RebalanceTimeout: time.Minute,
		FetchMaxBytes: 4 << 20, MaxWait: 250 * time.Millisecond, OnBadBatch: "halt", Encoding: "otlp_proto", Signal: "traces", OnBadPayload: "text",
		TLS:  TLS{Enabled: true, CAFile: "ca.pem", CertFile: "client.pem", KeyFile: "client.key", ServerName: "kafka.example"},
		SASL: SASL{Mechanism: "scram-sha-512", Username: "leakveil", PasswordFile: "password"},
	}
	if d := cmp.Diff(want, in); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]FingerprintKey{{"k2", "k2.bin"}, {"k1", "k1.bin"}}, c.Fingerprint.Keys); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"pkce-verifier", "np-jwt"}, c.Rules.Disable); d != "" {
		t.Error(d)
	}
	if c.ActionFor("access_token") != "hash" || c.ActionFor("code_verifier") != "mask" {
		t.Errorf("policies: %+v", c.Policies)
	}
	if c.Limits.MemoryBudget != 512<<20 || c.Workers != 2 || c.Engine != "portable" || c.Region != "eu-west-1" || c.Log != (Log{"debug", "json"}) {
		t.Errorf("limits, workers, region or log: %+v", c)
	}
}

func TestDefaultsFillWhatTheFileLeavesOut(t *testing.T) {
	c := load(t, minimal)
	if c.OutputTopic("app-logs") != "app-logs.masked" || c.Alerts.Kafka.Topic != "leakveil.alerts" ||
		c.DeadLetter.Kafka.Topic != "leakveil.dead-letter" || c.Limits.MaxRecordBytes != 16<<20 ||
		c.Input.Kafka.Group != "leakveil" || !c.SameCluster() {
		t.Errorf("defaults: %+v", c)
	}
}

func TestEnvironmentGoesOverTheFile(t *testing.T) {
	t.Setenv("LEAKVEIL_INPUT_KAFKA_BROKERS", "a:1, b:2")
	t.Setenv("LEAKVEIL_LIMITS_MEMORY_BUDGET", "1GiB")
	t.Setenv("LEAKVEIL_ALERTS_WINDOW", "90s")
	t.Setenv("LEAKVEIL_WORKERS", "3")
	t.Setenv("LEAKVEIL_INPUT_KAFKA_TLS_ENABLED", "true")
	t.Setenv("LEAKVEIL_REGION", "") // does not count
	t.Setenv("LEAKVEIL_SERVICE_PORT_HTTP", "9464")
	t.Setenv("LEAKVEIL_PORT_9464_TCP_ADDR", "10.0.0.1") // made by Kubernetes
	t.Setenv("LEAKVEIL_HOMEWORK", "somebody else's")
	c := load(t, minimal+"region: eu\n")
	if d := cmp.Diff([]string{"a:1", "b:2"}, c.Input.Kafka.Brokers); d != "" {
		t.Error(d)
	}
	if c.Limits.MemoryBudget != 1<<30 || c.Alerts.Window != 90*time.Second || c.Workers != 3 || !c.Input.Kafka.TLS.Enabled || c.Region != "eu" {
		t.Errorf("environment not applied: %+v", c)
	}
}

func TestEnvironmentAloneIsAConfiguration(t *testing.T) {
	t.Setenv("LEAKVEIL_INPUT_KAFKA_BROKERS", "a:1")
	t.Setenv("LEAKVEIL_INPUT_KAFKA_TOPICS", "app")
	t.Setenv("LEAKVEIL_FINGERPRINT_KEY_FILE", "key.bin")
	if _, err := Load(""); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironmentMistakes(t *testing.T) {
	t.Setenv("LEAKVEIL_INPUT_KAFKA_BROKER", "a:1")
	t.Setenv("LEAKVEIL_INPT_KAFKA_GROUP", "g")
	t.Setenv("LEAKVEIL_LIMITS_DRAIN_TIMEOUT", "soon")
	t.Setenv("LEAKVEIL_INPUT_KAFKA_SASL_PASSWORD", "hunter-two")
	want := `LEAKVEIL_INPT_KAFKA_GROUP: unknown variable; did you mean LEAKVEIL_INPUT_KAFKA_GROUP?
LEAKVEIL_INPUT_KAFKA_BROKER: unknown variable; did you mean LEAKVEIL_INPUT_KAFKA_BROKERS?
LEAKVEIL_INPUT_KAFKA_SASL_PASSWORD: a secret never stands in the configuration; write it to a file and name the file in LEAKVEIL_INPUT_KAFKA_SASL_PASSWORD_FILE
LEAKVEIL_LIMITS_DRAIN_TIMEOUT: limits.drain_timeout: must be a duration, as 500ms, 30s or 5m`
	if d := cmp.Diff(want, problems(t, minimal)); d != "" {
		t.Error(d)
	}
}

func TestValidateNamesTheVariable(t *testing.T) {
	t.Setenv("LEAKVEIL_LIMITS_DRAIN_TIMEOUT", "5m")
	got := problems(t, minimal)
	if !strings.HasPrefix(got, "LEAKVEIL_LIMITS_DRAIN_TIMEOUT: limits.drain_timeout: is 5m0s;") {
		t.Error(got)
	}
}

func TestInvalidFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid_*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := Load(file)
			var ps Problems
			if !errors.As(err, &ps) {
				t.Fatalf("Load gave %v, not Problems", err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(ps.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), ps.Error()+"\n"); d != "" {
				t.Error(d)
			}
			if strings.Contains(ps.Error(), "hunter") {
				t.Error("the error repeats a secret")
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "absent.yaml"))
	if err == nil || !strings.Contains(err.Error(), "absent.yaml: cannot be read: no such file") {
		t.Error(err)
	}
}

func TestPrintIsReadAgain(t *testing.T) {
	first, err := Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := first.Print(&b); err != nil {
		t.Fatal(err)
	}
	second := load(t, b.String())
	if d := cmp.Diff(first, second, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestPrintShowsNoSecret(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("hunter-two"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, minimal+"output: {kafka: {brokers: [b:1], sasl: {mechanism: plain, username: u, password_file: "+secret+"}}}\n")
	var b bytes.Buffer
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "password_file: "+secret) || strings.Contains(b.String(), "hunter") {
		t.Error(b.String())
	}
}

// What stands where a key belongs may be a secret (password: forgotten before it).
func TestLongUnknownKeysAreNotShown(t *testing.T) {
	secret := "a" + strings.ToLower(rand.Text())
	_, err := Load(write(t, minimal+"http: {"+secret+": 1}\n"))
	if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "http: unknown key") {
		t.Errorf("got %v", err)
	}
}
