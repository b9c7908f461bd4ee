package kafka

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/kafkatest"
)

// securedBroker is a real broker with SASL, TLS with client certificates, and
// SASL over TLS; its users are "app" with the password that is returned.
func securedBroker(t *testing.T, a *authority) (*kafkatest.Broker, string) {
	t.Helper()
	password := rand.Text()
	certFile, keyFile := a.issue(t, "broker.test")
	var pem []byte
	for _, file := range []string{keyFile, certFile, a.file} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pem = append(pem, text...)
	}
	store := filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(store, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	const module = "org.apache.kafka.common.security."
	scram := module + "scram.ScramLoginModule required;"
	return kafkatest.Start(t,
		kafkatest.Listener("SASL", "SASL_PLAINTEXT"), kafkatest.Listener("MTLS", "SSL"), kafkatest.Listener("SASLTLS", "SASL_SSL"),
		kafkatest.ScramUser("app", password),
		kafkatest.Properties(map[string]string{
			"sasl.enabled.mechanisms":                              "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
			"listener.name.sasl.plain.sasl.jaas.config":            module + `plain.PlainLoginModule required user_app="` + password + `";`,
			"listener.name.sasl.scram-sha-256.sasl.jaas.config":    scram,
			"listener.name.sasl.scram-sha-512.sasl.jaas.config":    scram,
			"listener.name.sasltls.sasl.enabled.mechanisms":        "SCRAM-SHA-512",
			"listener.name.sasltls.scram-sha-512.sasl.jaas.config": scram,
			"ssl.keystore.type":                                    "PEM",
			"ssl.keystore.location":                                store,
			"ssl.truststore.type":                                  "PEM",
			"ssl.truststore.location":                              a.file,
			"listener.name.mtls.ssl.client.auth":                   "required",
		})), password
}

// usable goes through preflight and writes a record.
func usable(t *testing.T, c Connection, topic string) error {
	t.Helper()
	p := Plan{Input: c, Topics: []string{topic}, Group: "g", OutputTopic: "{topic}.masked"}
	if _, err := Preflight(testContext(t), p); err != nil {
		return err
	}
	transport, err := c.Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	producer := NewProducer(transport, ProducerOptions{Addr: c.Addr()}, nil)
	defer producer.Close()
	return producer.Produce(testContext(t), topic, 0, recordbatch.None, []recordbatch.Record{{Value: []byte("x")}})
}

func TestSecurityOnARealBroker(t *testing.T) {
	a := newAuthority(t)
	broker, password := securedBroker(t, a)
	broker.CreateTopics(t, kafkatest.Topic{Name: "logs", Partitions: 1}, kafkatest.Topic{Name: "logs.masked", Partitions: 1})
	certFile, keyFile := a.issue(t, "client.test")
	right, wrong := secretFile(t, password), secretFile(t, rand.Text())
	connection := func(listener string, tls *TLS, mechanism, passwordFile string) Connection {
		c := Connection{Brokers: []string{broker.Listener(listener)}, TLS: tls}
		if mechanism != "" {
			c.SASL = &SASL{Mechanism: mechanism, Username: "app", PasswordFile: passwordFile}
		}
		return c
	}
	trusting := &TLS{CAFile: a.file}
	client := &TLS{CAFile: a.file, CertFile: certFile, KeyFile: keyFile}
	cases := []struct {
		name string
		c    Connection
		fail string // a part of the error; "" for none
	}{
		{"PLAIN", connection("SASL", nil, "plain", right), ""},
		{"SCRAM-SHA-256", connection("SASL", nil, "scram-sha-256", right), ""},
		{"SCRAM-SHA-512", connection("SASL", nil, "scram-sha-512", right), ""},
		{"SCRAM over TLS", connection("SASLTLS", trusting, "scram-sha-512", right), ""},
		{"mutual TLS", connection("MTLS", client, "", ""), ""},
		{"PLAIN, wrong password", connection("SASL", nil, "plain", wrong), "password"},
		{"SCRAM, wrong password", connection("SASL", nil, "scram-sha-512", wrong), "password"},
		{"no client certificate", connection("MTLS", trusting, "", ""), "cert_file"},
		{"unknown authority", connection("SASLTLS", &TLS{CAFile: newAuthority(t).file}, "scram-sha-512", right), "ca_file"},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			err := usable(t, test.c, "logs")
			switch {
			case test.fail == "" && err != nil:
				t.Fatal(err)
			case test.fail != "" && (err == nil || !strings.Contains(err.Error(), test.fail)):
				t.Fatalf("got %v, want a sentence with %q", err, test.fail)
			case bytes.Contains(fmt.Append(nil, err), []byte(password)):
				t.Fatal("the error holds the password")
			}
		})
	}
}
