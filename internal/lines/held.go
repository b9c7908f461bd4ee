package lines

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/leakveil/leakveil/internal/carry"
	"github.com/leakveil/leakveil/internal/pipeline"
)

// stitcher hands pieces to the writer and sees to values that go on from one piece to
// the next, so that it makes no difference where the input was cut. Pieces are scanned
// each for itself; one whose first line goes on with an open value is scanned again.
//
// A piece that ends in such a value is held for a moment, so that its finding can
// tell where the value ends. What comes later is masked all the same, and is a finding
// of its own.
type stitcher struct {
	w      *writer
	o      Options
	worker *pipeline.Worker // made when one is needed
	tail   carry.Tail
	found  []Found // of the text that is held
}

// grace is the least that the input is waited for, so that a busy machine does not
// make a file look slow.
const grace = carry.MaxWait / 10

func newStitcher(w *writer, o Options) *stitcher {
	if o.now == nil {
		o.now, o.after = time.Now, time.After
	}
	return &stitcher{w: w, o: o}
}

// put writes a piece, or holds it.
func (s *stitcher) put(p *piece) error {
	if len(p.text) == 0 && p.skipped == 0 {
		return s.w.write(p) // a window of a line that is not complete
	}
	parts, err := s.join(p)
	if err != nil {
		return err
	}
	if s.tail.Holding() {
		if n := len(s.found); n > 0 && parts > 0 {
			s.found[n-1].EndLine += int64(parts)
			s.found[n-1].Truncated = false
		}
		if parts == 0 || !p.got.Open.Live() || s.tail.Full() {
			if err := s.release(); err != nil {
				return err
			}
		}
	} else if parts > 0 { // too late for the finding that they belong to
		p.got.Results[0].Part, p.got.Results[0].Lines = false, parts-1
	}
	s.tail.Open = p.got.Open
	if !p.got.Open.Live() {
		return s.w.write(p)
	}
	return s.hold(p)
}

// join scans the piece again when it goes on with the value that is open. It returns
// the number of lines that do.
func (s *stitcher) join(p *piece) (parts int, err error) {
	if !s.tail.Open.Live() || len(p.text) == 0 {
		return 0, nil
	}
	line, _, _ := bytes.Cut(p.text, newline)
	if !s.tail.Open.Continues(bytes.TrimSuffix(line, []byte("\r"))) {
		return 0, nil
	}
	if s.worker == nil {
		if s.worker, err = s.o.NewWorker(); err != nil {
			return 0, err
		}
	}
	s.worker.LinesBehind(&p.got, p.text, s.tail.Open)
	for parts < len(p.got.Results) && p.got.Results[parts].Part {
		parts++
	}
	return parts, nil
}

// hold lets the writer write into the tail.
func (s *stitcher) hold(p *piece) error {
	s.tail.Hold(s.o.now())
	dst, onFound := s.w.dst, s.w.o.OnFound
	s.w.dst = &s.tail
	if onFound != nil {
		s.w.o.OnFound = func(f Found) error {
			s.found = append(s.found, f)
			return nil
		}
	}
	err := s.w.write(p)
	s.w.dst, s.w.o.OnFound = dst, onFound
	if err == nil && s.tail.Full() {
		err = s.release()
	}
	return err
}

// release writes what is held: its findings first.
func (s *stitcher) release() error {
	if !s.tail.Holding() {
		return nil
	}
	for _, f := range s.found {
		if err := s.w.o.OnFound(f); err != nil {
			return err
		}
	}
	s.found = s.found[:0]
	if s.w.o.OnProgress != nil {
		if err := s.w.o.OnProgress(s.w.stats.Bytes); err != nil {
			return err
		}
	}
	if _, err := s.w.dst.Write(s.tail.Release()); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// due fires when what is held must go; it never does when nothing is held.
func (s *stitcher) due() <-chan time.Time {
	if !s.tail.Holding() {
		return nil
	}
	return s.o.after(max(s.tail.Wait(s.o.now()), grace))
}

func (s *stitcher) close() {
	if s.worker != nil {
		_ = s.worker.Close()
	}
}

// patient reads from src, and lets go what is held when src is slow.
type patient struct {
	src io.Reader
	s   *stitcher
}

// Read reads in a goroutine of its own only while something is held.
func (r patient) Read(buf []byte) (int, error) {
	due := r.s.due()
	if due == nil {
		return r.src.Read(buf)
	}
	type answer struct {
		n   int
		err error
	}
	read := make(chan answer, 1)
	go func() {
		n, err := r.src.Read(buf)
		read <- answer{n, err}
	}()
	select {
	case a := <-read:
		return a.n, a.err
	case <-due:
	}
	if err := r.s.release(); err != nil {
		return 0, err // the output is gone; nobody waits for the input
	}
	a := <-read
	return a.n, a.err
}
