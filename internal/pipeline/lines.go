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
	// Text is the masked text: the input itself when nothing had to change.
	Text []byte
	// Results are in the order of the input, offsets counted from its start.
	Results []Result
	// Withheld is the number of lines that were replaced by a stub.
	Withheld int
	// Open is the value that the text ended in and that may go on behind it.
	Open detect.Open
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

// Lines masks text made of lines; dst is memory for what has to be written. The
// outcome is valid until the next call and while text is unchanged.
func (w *Worker) Lines(dst, text []byte) Lines { return w.LinesBehind(dst, text, detect.Open{}) }

// LinesBehind is Lines for text that stands behind text which ended in an open value.
func (w *Worker) LinesBehind(dst, text []byte, before detect.Open) Lines {
	w.lines.SetLines(text)
	w.lines.SetOpen(before)
	results, err := w.Find(&w.lines)
	if err != nil {
		return w.oneByOne(dst, text, before)
	}
	if len(results) == 0 {
		return Lines{Text: text}
	}
	out, err := w.maskLines(dst[:0], text)
	if err != nil {
		return w.oneByOne(dst, text, before)
	}
	return Lines{Text: out, Results: results, Open: w.open()}
}

// open is what the last text ended in; a scanner that knows no such thing says nothing.
func (w *Worker) open() detect.Open {
	if s, ok := w.scanner.(interface{ Open() detect.Open }); ok {
		return s.Open()
	}
	return detect.Open{}
}

// maskLines replaces spans, and empties the lines that the policy drops.
func (w *Worker) maskLines(dst, text []byte) ([]byte, error) {
	from, done := 0, 0
	for i := range w.results {
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
	return w.maskRange(dst, text, from, len(w.spans), done, len(text))
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
func (w *Worker) oneByOne(dst, text []byte, before detect.Open) Lines {
	out := Lines{Text: dst[:0]}
	for start := 0; start < len(text); {
		end := len(text)
		if n := bytes.IndexByte(text[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		line := text[start:end]
		w.lines.SetLines(line)
		w.lines.SetOpen(before)
		results, err := w.Find(&w.lines)
		before = detect.Open{}
		if err == nil {
			before = w.open()
		}
		masked := out.Text
		if err == nil {
			masked, err = w.maskLines(out.Text, line)
		}
		if err != nil {
			content := bytes.TrimRight(line, "\r\n")
			masked = append(Stub(out.Text, Reason(err), len(content)), line[len(content):]...)
			out.Withheld++
		}
		out.Text = masked
		for _, r := range results {
			r.shift(start)
			out.Results = append(out.Results, r)
		}
		start = end
	}
	out.Open = before
	return out
}

// shift moves the result's offsets.
func (r *Result) shift(n int) {
	r.Start, r.End, r.Blob = r.Start+n, r.End+n, r.Blob+n
	r.Low, r.High = r.Low+n, r.High+n
	r.RecordLow, r.RecordHigh, r.KeyStart = r.RecordLow+n, r.RecordHigh+n, r.KeyStart+n
}
