package kafkatest

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy relays a client's connections over loopback TCP and can break them. Its
// Dial goes into Transport.Dial or Dialer.DialFunc: no address changes.
type Proxy struct {
	mu     sync.Mutex
	relays map[*relay]struct{}
	delay  time.Duration
	flow   chan struct{} // closed while bytes may pass
	refuse bool
	done   chan struct{}
}

// relay is the pair of sockets behind one connection of the client.
type relay struct{ near, far *net.TCPConn }

// cut ends both sides with a reset, not an orderly end.
func (r *relay) cut() {
	for _, c := range []*net.TCPConn{r.near, r.far} {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// NewProxy makes a proxy that passes everything until told otherwise.
func NewProxy(t testing.TB) *Proxy {
	p := &Proxy{relays: map[*relay]struct{}{}, flow: make(chan struct{}), done: make(chan struct{})}
	close(p.flow)
	t.Cleanup(func() { close(p.done); p.Cut() })
	return p
}

// Dial opens a connection through the proxy.
func (p *Proxy) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	refuse := p.refuse
	p.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("refused by the proxy")}
	}
	upstream, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	client, near, err := pair()
	if err != nil {
		_ = upstream.Close()
		return nil, err
	}
	r := &relay{near: near, far: upstream.(*net.TCPConn)}
	p.mu.Lock()
	p.relays[r] = struct{}{}
	p.mu.Unlock()
	go p.copy(r, r.near, r.far)
	go p.copy(r, r.far, r.near)
	return client, nil
}

// pair is two ends of one loopback connection.
func pair() (client net.Conn, server *net.TCPConn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	accepted, err := l.Accept()
	if err != nil {
		_ = client.Close()
		return nil, nil, err
	}
	return client, accepted.(*net.TCPConn), nil
}

func (p *Proxy) copy(r *relay, to, from *net.TCPConn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err == nil && p.pass() {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			p.mu.Lock()
			delete(p.relays, r)
			p.mu.Unlock()
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}

// pass waits for the delay and the end of a stall.
func (p *Proxy) pass() bool {
	p.mu.Lock()
	delay, flow := p.delay, p.flow
	p.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-p.done:
			return false
		}
	}
	select {
	case <-flow:
		return true
	case <-p.done:
		return false
	}
}

// Cut resets all connections and tells how many there were.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	relays := p.relays
	p.relays = map[*relay]struct{}{}
	p.mu.Unlock()
	for r := range relays {
		r.cut()
	}
	return len(relays)
}

// Refuse makes new connections fail, or not any more.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	p.refuse = on
	p.mu.Unlock()
}

// Delay holds each read of either side back by d.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	p.delay = d
	p.mu.Unlock()
}

// Stall holds all bytes back: connections stay open and silent.
func (p *Proxy) Stall(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
		if on {
			p.flow = make(chan struct{})
		}
	default:
		if !on {
			close(p.flow)
		}
	}
}
