package otlp

import (
	"context"
	"errors"
)

// Pool lends out a fixed number of maskers to any number of goroutines. Who asks while
// all are lent out waits: the sender is slowed down, nothing is queued.
type Pool struct {
	free   chan *Masker
	size   int
	closed chan struct{}
}

// ErrClosed says that a pool was closed.
var ErrClosed = errors.New("otlp: closed")

// NewPool returns a pool of n maskers, at least one. Close it.
func NewPool(n int, o Options) (*Pool, error) {
	p := &Pool{size: max(1, n), closed: make(chan struct{})}
	p.free = make(chan *Masker, p.size)
	for i := range p.size {
		m, err := NewMasker(o)
		if err != nil {
			p.size = i
			return nil, errors.Join(err, p.Close())
		}
		p.free <- m
	}
	return p, nil
}

// Size is the number of maskers.
func (p *Pool) Size() int { return p.size }

// Get lends a masker, which goes back with Put.
func (p *Pool) Get(ctx context.Context) (*Masker, error) {
	select { // a free masker is taken even when ctx is over: its work is quick
	case m := <-p.free:
		return m, nil
	default:
	}
	select {
	case m := <-p.free:
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, ErrClosed
	}
}

// Put takes a masker back.
func (p *Pool) Put(m *Masker) { p.free <- m }

// Close waits until every masker is back and frees them all. It must be called once.
func (p *Pool) Close() error {
	close(p.closed)
	var errs []error
	for range p.size {
		errs = append(errs, (<-p.free).Close())
	}
	p.size = 0
	return errors.Join(errs...)
}
