package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
)

func TestExplain(t *testing.T) {
	conn := Connection{SASL: &SASL{Mechanism: "plain"}}
	f := func(conn Connection, err error, want string) {
		t.Helper()
		got := explain("output.kafka", "b:1", conn, fmt.Errorf("dialing: %w", err)).Error()
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s…", got, want)
		}
	}
	f(conn, kafkago.SASLAuthenticationFailed, "output.kafka.sasl: b:1 refused the user or the password (SASL error 58); check username, password_file")
	f(conn, kafkago.UnsupportedSASLMechanism, "output.kafka.sasl.mechanism: b:1 does not offer plain")
	f(conn, kafkago.IllegalSASLState, "output.kafka.sasl: b:1 wants no SASL on this port")
	f(conn, io.EOF, "output.kafka.brokers: b:1 closed the connection without an answer; likely it expects TLS (set output.kafka.tls.enabled: true), or it refused the user")
	f(Connection{}, io.ErrUnexpectedEOF, "output.kafka.brokers: b:1 closed the connection without an answer; likely it expects TLS (set output.kafka.tls.enabled: true), or it expects authentication")
	f(Connection{TLS: &TLS{}}, io.EOF, "output.kafka.brokers: b:1 closed the connection without an answer; likely it does not speak TLS on this port")
	f(conn, tls.RecordHeaderError{Msg: "no TLS"}, "output.kafka.tls.enabled: b:1 does not speak TLS on this port")
	f(conn, context.DeadlineExceeded, "output.kafka.brokers: b:1 does not answer in time")
	f(conn, &net.DNSError{Err: "no such host", Name: "b"}, "output.kafka.brokers: b:1 has no address")
	f(conn, errors.New("odd"), "output.kafka.brokers: b:1 cannot be reached")
}
