package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// probe connects to the brokers in turn until one answers. The error explains
// what the first one said.
func probe(ctx context.Context, key string, conn Connection) error {
	dialer, err := conn.Dialer()
	if err != nil {
		return fmt.Errorf("%s.%w", key, err)
	}
	if len(conn.Brokers) == 0 {
		return fmt.Errorf("%s.brokers: is empty; list at least one broker", key)
	}
	var first error
	for _, broker := range conn.Brokers {
		if ctx.Err() != nil {
			break
		}
		err := ask(ctx, *dialer, broker, conn.dialTimeout())
		if err == nil {
			return nil
		}
		if first == nil {
			first = explain(key, broker, conn, err)
		}
	}
	if first == nil {
		first = ctx.Err()
	}
	return first
}

// ask wants an answer of a broker. The end of ctx ends it at once: neither handshakes nor
// requests of the library look at ctx themselves.
func ask(ctx context.Context, dialer kafkago.Dialer, broker string, timeout time.Duration) error {
	dial := dialer.DialFunc
	dialer.DialFunc = func(dialing context.Context, network, address string) (net.Conn, error) {
		c, err := dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = c.Close() })
		}
		return c, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := dialer.DialContext(ctx, "tcp", broker)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing is under way
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	_, err = c.Brokers()
	return err
}

// explain turns an error of a connection into a sentence with key and remedy.
func explain(key, broker string, conn Connection, err error) error {
	where := fmt.Sprintf("%s.brokers: %s", key, broker)
	var dns *net.DNSError
	switch {
	case errors.Is(err, kafkago.SASLAuthenticationFailed):
		return fmt.Errorf("%s.sasl: %s refused the user or the password (SASL error 58); check username, password_file and mechanism", key, broker)
	case errors.Is(err, kafkago.UnsupportedSASLMechanism):
		return fmt.Errorf("%s.sasl.mechanism: %s does not offer %s; choose one that it does", key, broker, conn.SASL.Mechanism)
	case errors.Is(err, kafkago.IllegalSASLState):
		return fmt.Errorf("%s.sasl: %s wants no SASL on this port; leave %s.sasl out, or use the SASL port", key, broker, key)
	case errors.As(err, &dns):
		return fmt.Errorf("%s has no address; correct the host name: %w", where, err)
	}
	if tlsErr := explainTLS(key, broker, err); tlsErr != nil {
		return tlsErr
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "expecting TLS"):
		return explainEOF(key, where, conn)
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fmt.Errorf("%s does not answer in time; check address, port and firewall: %w", where, err)
	}
	return fmt.Errorf("%s cannot be reached; check address and port: %w", where, err)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func explainTLS(key, broker string, err error) error {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &authority):
		return fmt.Errorf("%s.tls.ca_file: the certificate of %s is signed by an authority that is not trusted; name the authority's file: %w", key, broker, err)
	case errors.As(err, &host):
		return fmt.Errorf("%s.tls.server_name: the certificate of %s is for another name; set the name that it has: %w", key, broker, err)
	case errors.As(err, &invalid):
		return fmt.Errorf("%s.tls: the certificate of %s is not valid: %w", key, broker, err)
	case errors.As(err, &header):
		return fmt.Errorf("%s.tls.enabled: %s does not speak TLS on this port; use its TLS port, or set enabled: false", key, broker)
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return fmt.Errorf("%s.tls.cert_file: %s refused the client certificate, or there is none; name one that it trusts: %w", key, broker, err)
	}
	return nil
}

// explainEOF lists why a broker hangs up without a word.
func explainEOF(key, where string, conn Connection) error {
	var why []string
	if conn.TLS != nil {
		why = append(why, "it does not speak TLS on this port (use its TLS port, or set "+key+".tls.enabled: false)")
	} else {
		why = append(why, "it expects TLS (set "+key+".tls.enabled: true)")
	}
	if conn.SASL == nil {
		why = append(why, "it expects authentication (set "+key+".sasl)")
	} else {
		why = append(why, "it refused the user or the password (check "+key+".sasl)")
	}
	return fmt.Errorf("%s closed the connection without an answer; likely %s", where, strings.Join(why, ", or "))
}
