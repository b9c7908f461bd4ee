package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

var errBroken = errors.New("syslog: the connection is broken")

// connection is a stream with somebody who reads it: a receiver says nothing,
// but that it has refused a certificate or gone away shows on a read alone.
type connection struct {
	net.Conn
	tcp    *net.TCPConn
	broken chan struct{} // closed when the other side is gone
	ended  time.Time     // when it was; to be read behind broken
}

func dial(ctx context.Context, address string, config *tls.Config) (*connection, error) {
	raw, err := (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	tcp, ok := raw.(*net.TCPConn)
	if !ok {
		_ = raw.Close()
		return nil, errors.New("syslog: not TCP")
	}
	c := &connection{Conn: raw, tcp: tcp, broken: make(chan struct{})}
	if config != nil {
		secure := tls.Client(raw, config)
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		c.Conn = secure
	}
	go c.watch()
	return c, nil
}

// watch reads and forgets whatever comes, until the stream ends.
func (c *connection) watch() {
	defer func() { c.ended = time.Now(); close(c.broken) }()
	scratch := make([]byte, 1024)
	for {
		if _, err := c.Read(scratch); err != nil {
			return
		}
	}
}

func (c *connection) alive() bool {
	select {
	case <-c.broken:
		return false
	default:
		return true
	}
}

func (c *connection) write(ctx context.Context, frames [][]byte) error {
	if at, ok := ctx.Deadline(); ok {
		_ = c.SetWriteDeadline(at)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	var all []byte
	for _, frame := range frames {
		all = append(all, frame...)
	}
	_, err := c.Write(all)
	return err
}

// settle waits until the other side's system has confirmed every byte, and then
// for d more, while the connection lives.
func (c *connection) settle(ctx context.Context, d time.Duration) error {
	tick := time.NewTicker(max(time.Millisecond, d/10))
	defer tick.Stop()
	confirmed := time.Time{}
	for {
		if confirmed.IsZero() && unconfirmed(c.tcp) == 0 {
			confirmed = time.Now()
		}
		if !confirmed.IsZero() && time.Since(confirmed) >= d {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.broken:
			return errBroken
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *connection) close() {
	_ = c.Conn.Close()
	<-c.broken
}
