package backend

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// Certs are the files of an authority made for one test, and of what it signed.
type Certs struct {
	CA                      string
	ServerCert, ServerKey   string // localhost, 127.0.0.1; CN node
	ClientCert, ClientKey   string // CN admin
	OtherCert, OtherKey     string // signed, but CN other
	ForeignCert, ForeignKey string // of another authority
}

type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCerts makes them in a folder that other users can read.
func NewCerts(t testing.TB) Certs {
	t.Helper()
	dir := shared(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	c := Certs{CA: at("ca.pem"), ServerCert: at("node.pem"), ServerKey: at("node.key"), ClientCert: at("admin.pem"), ClientKey: at("admin.key"),
		OtherCert: at("other.pem"), OtherKey: at("other.key"), ForeignCert: at("foreign.pem"), ForeignKey: at("foreign.key")}
	ca := authority(t, c.CA)
	leaf(t, ca, "node", c.ServerCert, c.ServerKey)
	leaf(t, ca, "admin", c.ClientCert, c.ClientKey)
	leaf(t, ca, "other", c.OtherCert, c.OtherKey)
	leaf(t, authority(t, at("foreign-ca.pem")), "admin", c.ForeignCert, c.ForeignKey)
	return c
}

func authority(t testing.TB, path string) signer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: "test authority", Organization: []string{"leakveil"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	write(t, path, encode("CERTIFICATE", der))
	return signer{cert, key}
}

func leaf(t testing.TB, by signer, name, certPath, keyPath string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name, Organization: []string{"leakveil"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	check(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	write(t, certPath, encode("CERTIFICATE", der))
	write(t, keyPath, encode("PRIVATE KEY", private))
}

func serial(t testing.TB) *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	check(t, err)
	return n
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
