package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
)

// reader cuts the input into pieces at line ends. It gives out complete lines
// as soon as they are there, so that a slow pipe is not held up.
type reader struct {
	src    io.Reader
	arena  int
	window int
	carry  []byte // what the last piece left: the beginning of a line, and rows of a dump before it
	eof    bool
	err    error // what ended the input, told after what came before it
	held   int   // windows that the current line's value fills without an end
}

func newReader(src io.Reader, o Options) *reader {
	return &reader{src: src, arena: o.Arena, window: o.Window}
}

// next fills p with the next piece. It reports false at the end of the input.
func (r *reader) next(p *piece) (bool, error) {
	p.text, p.open, p.skipped = nil, false, 0
	p.got.Reset()
	p.grow(max(r.arena, len(r.carry)+r.arena/2))
	n := copy(p.buf[:cap(p.buf)], r.carry)
	scanned := n // the carry holds no line end, unless rows of a dump were kept back
	if bytes.IndexByte(r.carry, '\n') >= 0 {
		scanned = 0
	}
	r.carry = r.carry[:0]
	for !r.eof {
		if n == cap(p.buf) {
			if n >= r.window*(r.held+1) {
				p.text, p.open = p.buf[:n], true
				return true, nil
			}
			p.buf = p.buf[:n]
			p.grow(min(2*n, r.window*(r.held+1)))
		}
		m, err := r.src.Read(p.buf[n:cap(p.buf)])
		n += m
		if end := bytes.LastIndexByte(p.buf[scanned:n], '\n'); end >= 0 {
			cut := scanned + end + 1
			if keep := dumpStart(p.buf[:cut]); keep < cut && err == nil && n < cap(p.buf) {
				continue // a dump is scanned as a whole
			} else if keep > 0 && err == nil {
				cut = keep
			}
			r.carry = append(r.carry, p.buf[cut:n]...)
			r.note(err)
			p.text = p.buf[:cut]
			return true, nil
		}
		scanned = n
		r.note(err)
	}
	if n == 0 {
		return false, r.err
	}
	p.text = p.buf[:n]
	return true, nil
}

// maxKept bounds the rows of a dump that wait for the next ones, in bytes.
const maxKept = 1 << 20

// dumpStart returns where the rows of a dump begin that text, which is whole lines,
// ends in; its length when it ends in none. What they hold goes on over rows.
func dumpStart(text []byte) int {
	start := len(text)
	for start > max(0, len(text)-maxKept) {
		lo := bytes.LastIndexByte(text[:start-1], '\n') + 1
		if !detect.IsDumpRow(bytes.TrimSuffix(text[lo:start-1], []byte("\r"))) {
			break
		}
		start = lo
	}
	return start
}

// grow makes room for n bytes, keeping what buf holds.
func (p *piece) grow(n int) {
	if cap(p.buf) < n {
		p.buf = append(make([]byte, 0, n), p.buf...)
	}
	p.buf = p.buf[:cap(p.buf)]
}

// note remembers the end of the input; only an end that is no io.EOF is an error.
func (r *reader) note(err error) {
	if err == nil {
		return
	}
	r.eof = true
	if !errors.Is(err, io.EOF) {
		r.err = fmt.Errorf("%w: %w", ErrInput, err)
	}
}

// process scans a piece. Of a line that goes on beyond the window it keeps the
// end back, so that no value is cut.
func (r *reader) process(w *pipeline.Worker, p *piece) {
	if !p.open {
		w.Lines(&p.got, p.text)
		r.held = 0
		return
	}
	w.Lines(&p.got, p.text)
	cut := r.cut(p)
	if cut == 0 && r.held+1 < maxHeld {
		r.carry = append(r.carry[:0], p.text...)
		p.text = nil
		p.got.Reset()
		r.held++
		return
	}
	if cut == 0 { // a value without an end: nothing of it may pass
		p.got.Withhold("value_too_long", len(p.text))
		p.skipped, p.text, r.held = len(p.text), nil, 0
		return
	}
	r.carry = append(r.carry[:0], p.text[cut:]...)
	p.text, r.held = p.text[:cut], 0
	w.Lines(&p.got, p.text)
}

// cut chooses where to part a long line: in its last sixteenth nothing is
// decided yet, and no finding may be cut from its key.
func (r *reader) cut(p *piece) int {
	cut := len(p.text) - len(p.text)/16
	for limit := max(0, cut-4096); cut > limit && isWord(p.text[cut-1]); {
		cut--
	}
	for i := len(p.got.Results) - 1; i >= 0; i-- {
		if f := &p.got.Results[i]; f.KeyStart < cut && f.End > cut {
			cut = f.KeyStart
		}
	}
	return cut
}

func isWord(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '_' || c == '-' || c == '%' || c == '\\' || c == '='
}
