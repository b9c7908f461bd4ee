// Package lines moves text from a reader to a writer, line by line, through the
// pipeline: exactly one line out for each line in, in order, whatever the bytes.
// It must never write a byte that was not scanned, and never hold more than a
// bounded part of an endless line.
package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/leakveil/leakveil/internal/pipeline"
)

// Found is one finding with its place in the input.
type Found struct {
	pipeline.Result
	// Line counts from 0; From and To are byte offsets in it.
	Line     int64
	From, To int64
	// EndLine is the last line of a value that goes on over lines, else Line.
	EndLine int64
}

// Options say how to copy.
type Options struct {
	// Workers is the number of goroutines that scan; 1 does all in the caller's.
	Workers   int
	NewWorker func() (*pipeline.Worker, error)
	// OnFound is called for each finding, in input order; nil counts no lines.
	OnFound func(Found) error
	// OnProgress is called before each piece of output, behind its findings, with
	// the bytes read so far; may be nil. Its error ends the copy.
	OnProgress func(bytes int64) error
	// Arena is the size of a piece of work in bytes; 0 is DefaultArena.
	Arena int
	// Window bounds how much of one line is held; 0 is DefaultWindow.
	Window int

	now   func() time.Time // tests put a clock of theirs here
	after func(time.Duration) <-chan time.Time
}

// Sizes, measured: larger arenas make sparse callbacks dearer, smaller ones cost
// calls. The window's overlap is far longer than any value.
const (
	DefaultArena  = 256 << 10
	DefaultWindow = 16 << 20
	maxHeld       = 16 // windows of one value, before the line is withheld
)

// Stats counts what was copied.
type Stats struct {
	Bytes, Lines, Findings, Withheld int64
}

// ErrInput and ErrOutput tell which side of a copy failed.
var (
	ErrInput  = errors.New("input failed")
	ErrOutput = errors.New("output failed")
)

// piece is a part of the input on its way: whole lines, or a part of a long one.
type piece struct {
	buf  []byte // storage
	text []byte // what to scan, within buf
	got  pipeline.Lines
	done chan struct{}

	open    bool // the text's last line goes on in the next piece
	skipped int  // bytes that were withheld with it
}

// Copy moves everything from src to dst. It returns what it did even after an
// error; ErrInput and ErrOutput tell the sides apart.
func Copy(dst io.Writer, src io.Reader, o Options) (Stats, error) {
	if o.Arena == 0 {
		o.Arena = DefaultArena
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.Workers > 1 {
		return copyParallel(dst, src, o)
	}
	w, err := o.NewWorker()
	if err != nil {
		return Stats{}, err
	}
	defer w.Close()
	sink := &writer{dst: dst, o: o}
	s := newStitcher(sink, o)
	defer s.close()
	r := newReader(patient{src, s}, o)
	p := &piece{}
	for {
		more, err := r.next(p)
		if err != nil || !more {
			return sink.stats, errors.Join(err, s.release())
		}
		r.process(w, p)
		if err := s.put(p); err != nil {
			return sink.stats, err
		}
	}
}

// writer puts finished pieces out, in order.
type writer struct {
	dst   io.Writer
	o     Options
	stats Stats
	base  int64 // offset in the current line at which the next piece starts
}

func (w *writer) write(p *piece) error {
	if w.o.OnFound != nil {
		if err := w.report(p); err != nil {
			return err
		}
	}
	w.stats.Bytes += int64(len(p.text) + p.skipped)
	w.stats.Findings += p.found()
	w.stats.Withheld += int64(p.got.Withheld)
	if w.o.OnProgress != nil {
		if err := w.o.OnProgress(w.stats.Bytes); err != nil {
			return err
		}
	}
	for _, part := range p.got.Parts {
		if _, err := w.dst.Write(part); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
	return nil
}

// found counts the findings, a value over several lines once.
func (p *piece) found() (n int64) {
	for i := range p.got.Results {
		if !p.got.Results[i].Part {
			n++
		}
	}
	return n
}

// report turns offsets in the piece into lines and offsets in them.
func (w *writer) report(p *piece) error {
	at, line, start := 0, w.stats.Lines, -w.base
	for i := range p.got.Results {
		r := &p.got.Results[i]
		// Only what lies behind the last finding is looked at: looking back over a
		// long line for each of its findings would take hours.
		between := p.text[at:r.Start]
		line += int64(bytes.Count(between, newline))
		if n := bytes.LastIndexByte(between, '\n'); n >= 0 {
			start = int64(at + n + 1)
		}
		at = r.Start
		if r.Part {
			continue
		}
		err := w.o.OnFound(Found{Result: *r, Line: line, From: int64(r.Start) - start, To: int64(r.End) - start, EndLine: line + int64(r.Lines)})
		if err != nil {
			return err
		}
	}
	w.stats.Lines = line + int64(bytes.Count(p.text[at:], newline))
	if n := bytes.LastIndexByte(p.text, '\n'); n >= 0 {
		w.base = int64(len(p.text) - n - 1)
	} else {
		w.base += int64(len(p.text))
	}
	w.base += int64(p.skipped)
	if !p.open {
		w.base = 0
	}
	return nil
}

var newline = []byte("\n")
