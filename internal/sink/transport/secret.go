// Package transport is what sinks over HTTP and TLS have in common: credentials
// from files or the environment, TLS, and one HTTP request with its answer judged
// by status. It never follows a redirect, never retries, never sends credentials
// over plain text to another host, and never puts a credential, a body or a
// receiver's text into an error.
package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret says where a credential is. It holds no value, so that it can be printed.
type Secret struct {
	// File holds the credential; a line end behind it is not part of it. It is read
	// whenever it is needed, so that a rotated one is used at once.
	File string
	// Env names an environment variable.
	Env string
}

const maxSecret = 64 << 10

// Set reports whether a place is named.
func (s Secret) Set() bool { return s.File != "" || s.Env != "" }

// Read returns the credential. Errors name the place alone.
func (s Secret) Read() (string, error) {
	if s.File == "" {
		value, ok := os.LookupEnv(s.Env)
		if !ok || value == "" {
			return "", fmt.Errorf("environment variable %s is empty", s.Env)
		}
		return value, nil
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" || len(value) > maxSecret {
		return "", fmt.Errorf("%s: empty or too long for a credential", s.File)
	}
	return value, nil
}

// header reads a credential that goes into a header.
func (s Secret) header() (string, error) {
	value, err := s.Read()
	if err == nil && strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("a credential has control characters")
	}
	return value, err
}

// TLS says how to verify a server and what to show it. The zero value verifies
// by the system's authorities.
type TLS struct {
	CAFile            string
	CertFile, KeyFile string
	ServerName        string
}

// Config reads the files. The client's certificate is read again at each
// handshake, so that a renewed one is used.
func (t TLS) Config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in it", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("a client certificate needs both its files")
	}
	if t.CertFile == "" {
		return c, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s: %w", t.CertFile, err)
		}
		return &pair, nil
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	_, err := load()
	return c, err
}
