package kafka

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func fakeCluster(t *testing.T, options ...kfake.Opt) (*kfake.Cluster, Connection) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, Connection{Brokers: c.ListenAddrs()}
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// reach asks for the brokers both ways that kafka-go connects.
func reach(t *testing.T, c Connection) error {
	t.Helper()
	transport, err := c.Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	if _, err := (&kafkago.Client{Addr: c.Addr(), Transport: transport}).Metadata(testContext(t), &kafkago.MetadataRequest{}); err != nil {
		return err
	}
	return probe(testContext(t), "input.kafka", c)
}

func TestSASLMechanisms(t *testing.T) {
	for mechanism, method := range map[string]string{"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			secret, wrong := rand.Text(), rand.Text()
			_, c := fakeCluster(t, kfake.EnableSASL(), kfake.Superuser(method, "alice", secret))
			c.SASL = &SASL{Mechanism: mechanism, Username: "alice", PasswordFile: secretFile(t, secret+"\n")}
			if err := reach(t, c); err != nil {
				t.Fatal(err)
			}
			c.SASL.PasswordFile = secretFile(t, wrong)
			err := reach(t, c)
			if err == nil || strings.Contains(err.Error(), wrong) {
				t.Errorf("a wrong password gave %v", err)
			}
		})
	}
}

func TestPasswordIsReadForEachConnection(t *testing.T) {
	secret := rand.Text()
	_, c := fakeCluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secret))
	c.SASL = &SASL{Mechanism: "plain", Username: "alice", PasswordFile: secretFile(t, rand.Text())}
	dialer, err := c.Dialer()
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(testContext(t), *dialer, c.Brokers[0], time.Minute); err == nil {
		t.Fatal("the wrong password was accepted")
	}
	if err := os.WriteFile(c.SASL.PasswordFile, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(testContext(t), *dialer, c.Brokers[0], time.Minute); err != nil {
		t.Error(err)
	}
}

func TestConnectionMistakes(t *testing.T) {
	empty := secretFile(t, "\n")
	for _, c := range []struct {
		conn Connection
		want string
	}{
		{Connection{SASL: &SASL{Mechanism: "oauth", Username: "u", PasswordFile: empty}}, "sasl.mechanism must be"},
		{Connection{SASL: &SASL{Mechanism: "plain", Username: "u", PasswordFile: empty}}, "sasl.password_file: " + empty + " is empty"},
		{Connection{SASL: &SASL{Mechanism: "plain", Username: "u", PasswordFile: empty + "x"}}, "sasl.password_file: open "},
		{Connection{TLS: &TLS{CAFile: empty}}, "tls.ca_file: " + empty + " holds no PEM certificate"},
		{Connection{TLS: &TLS{CAFile: empty + "x"}}, "tls.ca_file: open "},
		{Connection{TLS: &TLS{CertFile: empty}}, "tls.cert_file and tls.key_file go together"},
		{Connection{TLS: &TLS{CertFile: empty, KeyFile: empty}}, "tls.cert_file " + empty},
	} {
		if _, err := c.conn.Transport(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Transport: %v, want %s…", err, c.want)
		}
		if _, err := c.conn.Dialer(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Dialer: %v, want %s…", err, c.want)
		}
	}
}

func TestTransportSettings(t *testing.T) {
	transport, err := Connection{Brokers: []string{"a:1"}, TLS: &TLS{ServerName: "n"}}.Transport()
	if err != nil {
		t.Fatal(err)
	}
	if transport.MetadataTTL != time.Second || transport.DialTimeout <= 0 || transport.IdleTimeout <= 0 || transport.MetadataTopics != nil {
		t.Errorf("%+v", transport.MetadataTopics)
	}
	if c := transport.TLS; c.MinVersion != tls.VersionTLS12 || c.InsecureSkipVerify || c.ServerName != "n" {
		t.Error("TLS is weaker than it must be")
	}
}

func TestUnreachableBrokers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = probe(testContext(t), "input.kafka", Connection{Brokers: []string{closed}})
	if err == nil || !strings.HasPrefix(err.Error(), "input.kafka.brokers: "+closed+" cannot be reached; check address and port") {
		t.Error(err)
	}
	cluster, _ := fakeCluster(t)
	if err := probe(testContext(t), "input.kafka", Connection{Brokers: append([]string{closed}, cluster.ListenAddrs()...)}); err != nil {
		t.Errorf("the second broker was not asked: %v", err)
	}
}
