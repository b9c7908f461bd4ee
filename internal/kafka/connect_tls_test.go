package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// authority signs certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var raw []byte
	raw, a.key = sign(t, template, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	a.file = pemFile(t, "CERTIFICATE", raw)
	return a
}

func sign(t *testing.T, template *x509.Certificate, a *authority) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return raw, key
}

func pemFile(t *testing.T, kind string, raw []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue gives a certificate for the name, and its files.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	raw, key := sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "CERTIFICATE", raw), pemFile(t, "PRIVATE KEY", der)
}

// secured is a broker with TLS that asks for a client certificate.
func secured(t *testing.T, a *authority) Connection {
	t.Helper()
	certFile, keyFile := a.issue(t, "broker.test")
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	_, c := fakeCluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert}))
	return c
}

func TestMutualTLS(t *testing.T) {
	a := newAuthority(t)
	c := secured(t, a)
	certFile, keyFile := a.issue(t, "leakveil")
	c.TLS = &TLS{CAFile: a.file, CertFile: certFile, KeyFile: keyFile}
	if err := reach(t, c); err != nil {
		t.Fatal(err)
	}
	c.TLS.ServerName = "broker.test"
	if err := reach(t, c); err != nil {
		t.Error(err)
	}
}

func TestTLSMistakesAreExplained(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	c := secured(t, a)
	certFile, keyFile := a.issue(t, "leakveil")
	f := func(conn *TLS, want string) {
		t.Helper()
		c.TLS = conn
		if err := probe(testContext(t), "input.kafka", c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
	f(&TLS{CAFile: stranger.file, CertFile: certFile, KeyFile: keyFile}, "input.kafka.tls.ca_file: ")
	f(&TLS{CAFile: a.file, CertFile: certFile, KeyFile: keyFile, ServerName: "other.test"}, "input.kafka.tls.server_name: ")
	f(&TLS{CAFile: a.file}, "input.kafka.tls.cert_file: ")
	f(nil, "input.kafka.brokers: "+c.Brokers[0]+" closed the connection without an answer; likely it expects TLS")
}
