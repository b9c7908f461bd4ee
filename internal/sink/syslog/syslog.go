// Package syslog is the sink for RFC 5424 messages over TLS or TCP with octet
// counting (RFC 5425, RFC 6587), the text in JSON, CEF, LEEF or OCSF.
//
// Syslog has no acknowledgement. An item counts as delivered when the receiver's
// system has confirmed every byte of it and the connection has then lived on for
// a while: a refused client certificate shows only after the first write. When a
// connection breaks, what was sent over it in the last ten seconds (at most 1,000
// messages) is sent again over the next one. So the bound is: lost can be what a
// receiver had not read when it died, if that is older than that or leakveil was
// stopped in between. There is no UDP.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/format"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Bounds on what is sent again after a broken connection.
const (
	resendFor   = 10 * time.Second
	resendItems = 1000
)

// DefaultSettle is how long a connection must live on behind a write.
const DefaultSettle = 500 * time.Millisecond

// Options configure a Sink.
type Options struct {
	// Address is host:port.
	Address string
	// Plain is TCP without TLS.
	Plain bool
	TLS   transport.TLS
	// Format of the text: json (the default), cef, leef, ocsf or ocsf-data.
	Format string
	// Facility is 0 to 23; nil: 13, log audit.
	Facility *int
	// Host and App of the messages; empty: this host's name, leakveil.
	Host, App string
	// Settle is how long a connection must live on behind a write; 0: DefaultSettle.
	Settle time.Duration
}

// Sink writes to one receiver.
type Sink struct {
	o       Options
	tls     *tls.Config
	text    format.Func
	message format.Syslog
	conn    *connection
	recent  []sent // in the order of sending
}

// sent is a frame that may have to be sent again.
type sent struct {
	at    time.Time
	frame []byte
}

var _ sink.Sink = (*Sink)(nil)

// New checks the options. It does not connect.
func New(o Options) (*Sink, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" || port == "" {
		return nil, errors.New("address: is not host:port")
	}
	if o.Format == "" {
		o.Format = "json"
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	facility := 13
	if o.Facility != nil {
		facility = *o.Facility
	}
	if facility < 0 || facility > 23 {
		return nil, fmt.Errorf("facility: %d is not 0 to 23", facility)
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname()
	}
	if o.App == "" {
		o.App = "leakveil"
	}
	s := &Sink{o: o, message: format.Syslog{Facility: facility, Host: o.Host, App: o.App, ID: "leakveil@32473"}}
	if s.text, err = format.ByName(o.Format); err != nil {
		return nil, err
	}
	if o.Plain {
		return s, nil
	}
	if s.tls, err = o.TLS.Config(); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if s.tls.ServerName == "" {
		s.tls.ServerName = host
	}
	return s, nil
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed})
	var frames [][]byte
	var rendered []int
	for i, item := range items {
		if frame, err := s.frame(item); err == nil {
			frames, rendered = append(frames, frame), append(rendered, i)
		}
	}
	if len(frames) == 0 {
		return report
	}
	outcome := sink.Outcome{Verdict: sink.Delivered}
	if reason := s.write(ctx, frames); reason != "" {
		outcome = sink.Outcome{Verdict: sink.Retry, Reason: reason}
	}
	for _, i := range rendered {
		report.Outcomes[i] = outcome
	}
	return report
}

// frame renders an item: the message's length in bytes, a blank, the message.
func (s *Sink) frame(item sink.Item) ([]byte, error) {
	r, err := field.Parse(item.Document)
	if err != nil {
		return nil, err
	}
	text, err := s.text(item)
	if err != nil {
		return nil, err
	}
	message := s.message.Message(r, text)
	return append([]byte(strconv.Itoa(len(message))+" "), message...), nil
}

// write sends frames and waits until they are confirmed; it returns a reason why
// they are not, or nothing.
func (s *Sink) write(ctx context.Context, frames [][]byte) (reason string) {
	if s.conn == nil || !s.conn.alive() {
		if reason := s.connect(ctx); reason != "" {
			return reason
		}
	}
	err := s.conn.write(ctx, frames)
	if err == nil {
		err = s.conn.settle(ctx, s.o.Settle)
	}
	if err != nil {
		s.drop()
		if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return sink.ReasonUnconfirmed
		}
		return sink.ReasonNetwork
	}
	now := time.Now()
	for _, frame := range frames {
		s.recent = append(s.recent, sent{now, frame})
	}
	s.forget(now)
	return ""
}

// forget drops what need not be sent again.
func (s *Sink) forget(now time.Time) {
	keep := 0
	for keep < len(s.recent) && (now.Sub(s.recent[keep].at) > resendFor || len(s.recent)-keep > resendItems) {
		keep++
	}
	s.recent = append([]sent(nil), s.recent[keep:]...)
}

// connect opens a connection and sends again what an earlier one may have lost.
func (s *Sink) connect(ctx context.Context) (reason string) {
	s.drop()
	conn, err := dial(ctx, s.o.Address, s.tls)
	if err != nil {
		if ctx.Err() != nil {
			return sink.ReasonTimeout
		}
		return sink.ReasonNetwork
	}
	s.conn = conn
	if len(s.recent) == 0 {
		return ""
	}
	var again [][]byte
	now := time.Now()
	for i := range s.recent {
		again = append(again, s.recent[i].frame)
		s.recent[i].at = now
	}
	if s.conn.write(ctx, again) != nil {
		s.drop()
		return sink.ReasonNetwork
	}
	return ""
}

// drop closes the connection. What was sent over it shortly before its end may
// not have been read there.
func (s *Sink) drop() {
	if s.conn != nil {
		s.conn.close()
		s.forget(s.conn.ended)
		s.conn = nil
	}
}

// Close implements sink.Closer.
func (s *Sink) Close() error {
	s.drop()
	return nil
}
