package lines

import (
	"io"
	"sync"

	"github.com/leakveil/leakveil/internal/pipeline"
)

// copyParallel scans with several workers: one goroutine reads, the caller's
// writes in order, and a fixed number of pieces goes round between them, so that
// memory is bounded and a slow output slows reading.
func copyParallel(dst io.Writer, src io.Reader, o Options) (Stats, error) {
	workers, err := newWorkers(o)
	if err != nil {
		return Stats{}, err
	}
	c := &crew{
		free:  make(chan *piece, 2*o.Workers),
		work:  make(chan *piece),
		order: make(chan *piece, 2*o.Workers),
		stop:  make(chan struct{}),
	}
	for range cap(c.free) {
		c.free <- &piece{}
	}
	var running sync.WaitGroup
	for _, w := range workers[1:] {
		running.Add(1)
		go func() {
			defer running.Done()
			defer w.Close()
			c.scan(w)
		}()
	}
	running.Add(1)
	go func() {
		defer running.Done()
		defer workers[0].Close()
		c.read(newReader(src, o), workers[0])
	}()
	s := newStitcher(&writer{dst: dst, o: o}, o)
	defer s.close()
	stats, err := c.write(s)
	close(c.stop)
	if err != nil {
		return stats, err // the reader may wait for input that never comes
	}
	running.Wait()
	return stats, c.err
}

func newWorkers(o Options) ([]*pipeline.Worker, error) {
	var workers []*pipeline.Worker
	// One worker more belongs to the reader, for lines longer than the window.
	for range o.Workers + 1 {
		w, err := o.NewWorker()
		if err != nil {
			for _, w := range workers {
				_ = w.Close()
			}
			return nil, err
		}
		workers = append(workers, w)
	}
	return workers, nil
}

type crew struct {
	free, work, order chan *piece
	stop              chan struct{}
	err               error // of the reader; read after order is closed
}

// read cuts pieces and hands them out. Long lines it scans itself, since where
// they are cut depends on what is found in them.
func (c *crew) read(r *reader, w *pipeline.Worker) {
	defer close(c.order)
	defer close(c.work)
	for {
		var p *piece
		select {
		case p = <-c.free:
		case <-c.stop:
			return
		}
		more, err := r.next(p)
		if err != nil || !more {
			c.err = err
			return
		}
		p.done = make(chan struct{})
		if p.open {
			r.process(w, p)
			p.keep()
			close(p.done)
		} else {
			r.held = 0
		}
		c.order <- p
		if p.open {
			continue
		}
		select {
		case c.work <- p:
		case <-c.stop:
			return
		}
	}
}

// keep copies the results, which are the worker's, until they are written.
func (p *piece) keep() { p.got.Results = append([]pipeline.Result(nil), p.got.Results...) }

func (c *crew) scan(w *pipeline.Worker) {
	for p := range c.work {
		w.Lines(&p.got, p.text)
		p.keep()
		close(p.done)
	}
}

func (c *crew) write(s *stitcher) (Stats, error) {
	for {
		p, err := c.finished(s)
		if err == nil && p != nil {
			err = s.put(p)
		}
		if err != nil {
			return s.w.stats, err
		}
		if p == nil {
			return s.w.stats, s.release()
		}
		c.free <- p
	}
}

// finished returns the next piece that is scanned, nil behind the last. While it
// waits it lets go what may be held no longer.
func (c *crew) finished(s *stitcher) (*piece, error) {
	due := s.due()
	var p *piece
	order := c.order
	var done chan struct{}
	for {
		select {
		case next, more := <-order:
			if !more {
				return nil, nil
			}
			p, order, done, due = next, nil, next.done, nil // the scan ends by itself
		case <-done:
			return p, nil
		case <-due:
			if err := s.release(); err != nil {
				return nil, err
			}
			due = nil
		}
	}
}
