package pipeline

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
)

// Lines is what became of a piece of text made of lines.
type Lines struct {
	// Parts are the masked text, in order, each of them whole lines. Long stretches
	// without a finding stand in the input: where leaks are rare, copying what is
	// around them would cost more than masking them.
	Parts [][]byte
	// Results are in the order of the input, offsets counted from its start.
	Results []Result
	// Withheld is the number of lines that were replaced by a stub.
	Withheld int
	// Open is the value that the text ended in and that may go on behind it.
	Open detect.Open

	written []byte // storage of the parts that are not in the input
	cuts    []cut
}

// cut is a part: text[lo:hi] as it stands, or what was written for it.
type cut struct {
	lo, hi  int
	written bool
}

// Text returns the masked text in one piece.
func (l *Lines) Text() []byte {
	if len(l.Parts) == 1 {
		return l.Parts[0]
	}
	return bytes.Join(l.Parts, nil)
}

// Reset empties l and keeps its memory.
func (l *Lines) Reset() {
	*l = Lines{Parts: l.Parts[:0], written: l.written[:0], cuts: l.cuts[:0]}
}

// Withhold makes l a stub for length bytes.
func (l *Lines) Withhold(reason string, length int) {
	l.Reset()
	l.written = Stub(l.written, reason, length)
	l.Parts, l.Withheld = append(l.Parts, l.written), 1
}

// Stub is what stands for a line that could not be scanned. It holds nothing of
// the line but its length.
func Stub(dst []byte, reason string, length int) []byte {
	return fmt.Appendf(dst, `{"leakveil":"withheld","reason":%q,"len":%d}`, reason, length)
}

// Reason is what a stub says about an error of a Worker.
func Reason(err error) string {
	if TimedOut(err) {
		return "timeout"
	}
	return "scan_failed"
}

// farApart is the distance in bytes between two findings from which on the text
// between them is not copied: a call that writes costs as much as copying this.
const farApart = 16 << 10

// Lines masks text made of lines into l, whose memory is used again. The outcome
// is valid until the next call with l and while text is unchanged; the results
// until the worker's next call.
func (w *Worker) Lines(l *Lines, text []byte) { w.LinesBehind(l, text, detect.Open{}) }

// LinesBehind is Lines for text that stands behind text which ended in an open value.
func (w *Worker) LinesBehind(l *Lines, text []byte, before detect.Open) {
	l.Reset()
	w.lines.SetLines(text)
	w.lines.SetOpen(before)
	results, err := w.Find(&w.lines)
	if err == nil {
		err = w.maskLines(l, text)
	}
	if err != nil {
		w.oneByOne(l, text, before)
		return
	}
	l.Results = results
	l.Open = w.open()
}

// open is what the last text ended in; a scanner that knows no such thing says nothing.
func (w *Worker) open() detect.Open {
	if s, ok := w.scanner.(interface{ Open() detect.Open }); ok {
		return s.Open()
	}
	return detect.Open{}
}

// maskLines masks the lines that have results, and leaves the others where they
// stand when there are many of them.
func (w *Worker) maskLines(l *Lines, text []byte) error {
	done := 0
	for first := 0; first < len(w.results); {
		last, hi := w.near(first, text)
		lo := done
		if low := w.results[first].RecordLow; low-done >= farApart {
			l.cuts = append(l.cuts, cut{lo: done, hi: low})
			lo = low
		}
		if last == len(w.results) && len(text)-hi < farApart {
			hi = len(text)
		}
		from := len(l.written)
		var err error
		if l.written, err = w.maskGroup(l.written, text, first, last, lo, hi); err != nil {
			return err
		}
		l.cuts = append(l.cuts, cut{lo: from, hi: len(l.written), written: true})
		first, done = last, hi
	}
	if done < len(text) || len(text) == 0 {
		l.cuts = append(l.cuts, cut{lo: done, hi: len(text)})
	}
	for _, c := range l.cuts { // only now does written stay where it is
		from := text
		if c.written {
			from = l.written
		}
		l.Parts = append(l.Parts, from[c.lo:c.hi])
	}
	return nil
}

// near returns the end of the results from first on that are not far apart, and
// where the last one's line ends.
func (w *Worker) near(first int, text []byte) (last, hi int) {
	for last = first; last < len(w.results); last++ {
		r := &w.results[last]
		if last > first && r.RecordLow-hi >= farApart {
			break
		}
		hi = max(hi, r.RecordHigh, r.End)
	}
	if n := bytes.IndexByte(text[hi:], '\n'); n >= 0 {
		return last, hi + n + 1
	}
	return last, len(text)
}

// maskGroup replaces the spans of results in text[lo:hi], and empties the lines
// that the policy drops.
func (w *Worker) maskGroup(dst, text []byte, first, last, lo, hi int) ([]byte, error) {
	from, done := first, lo
	for i := first; i < last; i++ {
		r := &w.results[i]
		if r.Action != redact.ActionDropRecord || r.RecordLow < done {
			continue
		}
		var err error
		if dst, err = w.maskRange(dst, text, from, w.before(r.RecordLow), done, r.RecordLow); err != nil {
			return dst, err
		}
		done, from = r.RecordHigh, w.before(r.RecordHigh)
	}
	return w.maskRange(dst, text, from, last, done, hi)
}

// before counts the spans that start before pos.
func (w *Worker) before(pos int) int {
	return sort.Search(len(w.spans), func(i int) bool { return w.spans[i].Blob >= pos })
}

func (w *Worker) maskRange(dst, text []byte, from, to, lo, hi int) ([]byte, error) {
	spans := w.spans[from:to]
	if err := w.time.check(); err != nil {
		return dst, err
	}
	if lo > 0 {
		w.moved = append(w.moved[:0], spans...)
		spans = w.moved
		for i := range spans {
			spans[i].Start, spans[i].End, spans[i].Blob = spans[i].Start-lo, spans[i].End-lo, spans[i].Blob-lo
		}
	}
	return w.masks.Apply(dst, text[lo:hi], spans, false)
}

// oneByOne is the way after a failure: each line alone, so that only those
// which fail again are withheld.
func (w *Worker) oneByOne(l *Lines, text []byte, before detect.Open) {
	l.Reset()
	for start := 0; start < len(text); {
		end := len(text)
		if n := bytes.IndexByte(text[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		line := text[start:end]
		w.lines.SetLines(line)
		w.lines.SetOpen(before)
		results, err := w.Find(&w.lines)
		mark := len(l.written)
		before = detect.Open{}
		if err == nil {
			before = w.open()
		}
		if err == nil {
			l.written, err = w.maskGroup(l.written, line, 0, len(results), 0, len(line))
		}
		if err != nil {
			content := bytes.TrimRight(line, "\r\n")
			l.written = append(Stub(l.written[:mark], Reason(err), len(content)), line[len(content):]...)
			l.Withheld++
		}
		for _, r := range results {
			r.shift(start)
			l.Results = append(l.Results, r)
		}
		start = end
	}
	l.Parts, l.Open = append(l.Parts, l.written), before
}

// shift moves the result's offsets.
func (r *Result) shift(n int) {
	r.Start, r.End, r.Blob = r.Start+n, r.End+n, r.Blob+n
	r.Low, r.High = r.Low+n, r.High+n
	r.Dump.Row += n
	r.RecordLow, r.RecordHigh, r.KeyStart = r.RecordLow+n, r.RecordHigh+n, r.KeyStart+n
}
