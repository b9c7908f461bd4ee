package kafka

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A broker that takes connections and says nothing holds nobody up who is told to stop,
// in a handshake as little as in a request.
func TestStoppedWhileABrokerIsSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	const never = time.Hour // of the library's own patience
	for name, conn := range map[string]Connection{
		"request": {},
		"TLS":     {TLS: &TLS{}},
		"SASL":    {SASL: &SASL{Mechanism: "plain", Username: "u", PasswordFile: password}},
	} {
		conn.Brokers, conn.DialTimeout = []string{l.Addr().String()}, never
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- probe(ctx, "input.kafka", conn) }()
		c := <-accepted
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%s: it answered", name)
		}
		_ = c.Close()
	}
}
