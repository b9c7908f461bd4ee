package kafka

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Connection says how to reach a cluster. It holds the names of secret files,
// which are read again for each connection, so that secrets can be changed
// without a restart.
type Connection struct {
	Brokers     []string      // host:port
	TLS         *TLS          // nil: none
	SASL        *SASL         // nil: none
	DialTimeout time.Duration // of one connection with its handshakes; 0: 5 s
	// Dial opens the network connection; nil: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLS names the files of a TLS connection, all PEM.
type TLS struct {
	CAFile            string // empty: the system's authorities
	CertFile, KeyFile string // both or none
	ServerName        string // empty: the broker's host name
}

// SASL says how to authenticate: plain, scram-sha-256 or scram-sha-512.
// The password is in a file or, without one, in an environment variable.
type SASL struct {
	Mechanism, Username, PasswordFile, PasswordEnv string
}

const (
	defaultDialTimeout = 5 * time.Second
	idleTimeout        = 30 * time.Second
	// A leader that moved is found again after at most this long.
	metadataTTL = time.Second
)

// Addr is the bootstrap address for kafka-go's requests.
func (c Connection) Addr() net.Addr { return kafkago.TCP(c.Brokers...) }

func (c Connection) dialTimeout() time.Duration {
	if c.DialTimeout > 0 {
		return c.DialTimeout
	}
	return defaultDialTimeout
}

func (c Connection) dial() func(context.Context, string, string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial
	}
	return (&net.Dialer{Timeout: c.dialTimeout(), KeepAlive: idleTimeout}).DialContext
}

// Transport is the connection pool for requests. Callers close it with
// CloseIdleConnections. MetadataTopics stays unset: naming a topic without the
// right to see it turns the broker's answer into "not found".
func (c Connection) Transport() (*kafkago.Transport, error) {
	config, mechanism, err := c.security()
	if err != nil {
		return nil, err
	}
	return &kafkago.Transport{
		Dial: c.dial(), DialTimeout: c.dialTimeout(), IdleTimeout: idleTimeout,
		MetadataTTL: metadataTTL, ClientID: clientID, TLS: config, SASL: mechanism,
	}, nil
}

// clientID is what brokers write into their logs about leakveil's requests.
const clientID = "leakveil"

// Dialer makes single connections, as consumer groups use them.
func (c Connection) Dialer() (*kafkago.Dialer, error) {
	config, mechanism, err := c.security()
	if err != nil {
		return nil, err
	}
	return &kafkago.Dialer{
		ClientID: clientID, DialFunc: c.dial(), Timeout: c.dialTimeout(),
		KeepAlive: idleTimeout, TLS: config, SASLMechanism: mechanism,
	}, nil
}

func (c Connection) security() (*tls.Config, sasl.Mechanism, error) {
	var config *tls.Config
	var mechanism sasl.Mechanism
	if c.TLS != nil {
		var err error
		if config, err = c.TLS.config(); err != nil {
			return nil, nil, err
		}
	}
	if c.SASL != nil {
		var err error
		if mechanism, err = c.SASL.mechanism(); err != nil {
			return nil, nil, err
		}
	}
	return config, mechanism, nil
}

func (t *TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca_file: %s holds no PEM certificate", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, fmt.Errorf("tls.cert_file and tls.key_file go together: set both or none")
	}
	if t.CertFile == "" {
		return config, nil
	}
	if _, err := t.certificate(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.certificate() }
	return config, nil
}

func (t *TLS) certificate() (*tls.Certificate, error) {
	certificate, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file %s, tls.key_file %s: %w", t.CertFile, t.KeyFile, err)
	}
	return &certificate, nil
}

// password is a mechanism that reads its password for each authentication.
type password struct {
	name string
	sasl *SASL
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	names := map[string]string{"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"}
	name, ok := names[s.Mechanism]
	if !ok {
		return nil, fmt.Errorf("sasl.mechanism must be plain, scram-sha-256 or scram-sha-512")
	}
	p := &password{name, s}
	if _, err := p.read(); err != nil {
		return nil, err
	}
	return p, nil
}

// Name is the mechanism's name in the protocol.
func (p *password) Name() string { return p.name }

// Start begins one authentication.
func (p *password) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	secret, err := p.read()
	if err != nil {
		return nil, nil, err
	}
	if p.name == "PLAIN" {
		return plain.Mechanism{Username: p.sasl.Username, Password: secret}.Start(ctx)
	}
	algorithm := scram.SHA256
	if strings.HasSuffix(p.name, "512") {
		algorithm = scram.SHA512
	}
	mechanism, err := scram.Mechanism(algorithm, p.sasl.Username, secret)
	if err != nil {
		// The library's reason may quote what it could not prepare.
		return nil, nil, fmt.Errorf("sasl.username or the password in %s cannot be used with SCRAM (RFC 4013)", p.sasl.PasswordFile+p.sasl.PasswordEnv)
	}
	return mechanism.Start(ctx)
}

func (p *password) read() (string, error) {
	if p.sasl.PasswordFile == "" && p.sasl.PasswordEnv != "" {
		secret := os.Getenv(p.sasl.PasswordEnv)
		if secret == "" {
			return "", fmt.Errorf("sasl.password_env: environment variable %s is empty", p.sasl.PasswordEnv)
		}
		return secret, nil
	}
	secret, err := os.ReadFile(p.sasl.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("sasl.password_file: %w", err)
	}
	secret = bytes.TrimSuffix(bytes.TrimSuffix(secret, []byte("\n")), []byte("\r"))
	if len(secret) == 0 {
		return "", fmt.Errorf("sasl.password_file: %s is empty", p.sasl.PasswordFile)
	}
	return string(secret), nil
}
