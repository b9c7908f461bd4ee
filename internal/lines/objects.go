package lines

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
)

// maxObject bounds one object's line; longer ones are withheld.
const maxObject = 256 << 20

// CopyObjects is Copy for lines that are JSON objects {"text": …}: the decoded
// text, which may hold newlines, is the record. Other members stay byte for
// byte, an object without a finding as a whole. Lines are counted as objects,
// offsets are bytes of the decoded text. A line that is no such object is a
// plain line of text. It uses one worker.
func CopyObjects(dst io.Writer, src io.Reader, o Options) (Stats, error) {
	w, err := o.NewWorker()
	if err != nil {
		return Stats{}, err
	}
	defer w.Close()
	if o.Arena == 0 {
		o.Arena = DefaultArena
	}
	o.Window = maxObject
	r := newReader(src, o)
	c := &objectCopy{dst: dst, o: o, w: w, spans: newSpans(w.KeyID())}
	for p := (&piece{}); ; {
		more, err := r.next(p)
		if err != nil || !more {
			return c.stats, err
		}
		if p.open {
			c.out = append(pipeline.Stub(c.out[:0], "object_too_long", len(p.text)), '\n')
			c.stats.Withheld++
			if err := r.skipLine(); err != nil {
				return c.stats, err
			}
			c.lines = append(c.lines[:0], object{})
		} else if err := c.batch(p.text); err != nil {
			return c.stats, err
		}
		c.stats.Bytes += int64(len(p.text))
		c.stats.Lines += int64(len(c.lines))
		if o.OnProgress != nil {
			if err := o.OnProgress(c.stats.Bytes); err != nil {
				return c.stats, err
			}
		}
		if _, err := dst.Write(c.out); err != nil {
			return c.stats, fmt.Errorf("%w: %w", ErrOutput, err)
		}
	}
}

// skipLine drops what is left of a line.
func (r *reader) skipLine() error {
	rest := make([]byte, 64<<10)
	for !r.eof {
		n, err := r.src.Read(rest)
		r.note(err)
		if i := bytes.IndexByte(rest[:n], '\n'); i >= 0 {
			r.carry = append(r.carry[:0], rest[i+1:n]...)
			return nil
		}
	}
	return r.err
}

// object is one line: where its text member's value is written, if it has one.
type object struct {
	line   []byte
	lo, hi int // of the JSON string, quotes included; hi 0 for a plain line
	text   []byte
}

type objectCopy struct {
	dst   io.Writer
	o     Options
	w     *pipeline.Worker
	stats Stats
	lines []object
	set   detect.Batch
	out   []byte
	mask  []byte
	spans spans
}

func (c *objectCopy) batch(text []byte) error {
	c.lines, c.out = c.lines[:0], c.out[:0]
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n') + 1
		if n == 0 {
			n = len(text)
		}
		c.lines = append(c.lines, parseObject(text[:n]))
		text = text[n:]
	}
	if found, err := c.find(c.lines); err == nil {
		return c.write(c.lines, found, c.stats.Lines)
	}
	for i := range c.lines { // after a failure each alone
		found, err := c.find(c.lines[i : i+1])
		if err == nil {
			err = c.write(c.lines[i:i+1], found, c.stats.Lines+int64(i))
		}
		if err != nil {
			c.out = append(pipeline.Stub(c.out, pipeline.Reason(err), len(c.lines[i].line)), '\n')
			c.stats.Withheld++
		}
	}
	return nil
}

func (c *objectCopy) find(lines []object) ([]pipeline.Result, error) {
	c.set.Reset()
	for i := range lines {
		c.set.AddText(i, lines[i].content())
	}
	return c.w.Find(&c.set)
}

// content is what is scanned: the decoded text, or a plain line without its end.
func (o *object) content() []byte {
	if o.hi > 0 {
		return o.text
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(o.line, newline), []byte("\r"))
}

func (c *objectCopy) write(lines []object, found []pipeline.Result, base int64) error {
	for i := range found {
		r := &found[i]
		if r.Part {
			continue
		}
		start := c.set.Segments()[r.Segment].Start
		c.stats.Findings++
		if c.o.OnFound == nil {
			continue
		}
		err := c.o.OnFound(Found{Result: *r, Line: base + int64(r.Segment), From: int64(r.Start - start), To: int64(r.End - start)})
		if err != nil {
			return err
		}
	}
	for i := range lines {
		own := found[:0:0]
		if n := sort.Search(len(found), func(n int) bool { return found[n].Segment > i }); n > 0 {
			own, found = found[:n], found[n:]
		}
		if lines[i].hi > 0 && len(own) > 0 {
			out, ok, err := c.spans.splice(c.out, &lines[i], own, c.set.Segments()[i].Start)
			if err != nil {
				return err
			}
			if c.out = out; ok {
				continue
			}
		}
		out, changed, drop, err := c.w.MaskSegment(c.mask[:0], i, false)
		if err != nil {
			return err
		}
		c.mask = out
		c.out = lines[i].append(c.out, out, changed, drop)
	}
	return nil
}

// append writes the object with its new text to dst.
func (o *object) append(dst, masked []byte, changed, drop bool) []byte {
	content := o.content()
	switch {
	case !changed && !drop:
		return append(dst, o.line...)
	case o.hi == 0:
		if !drop {
			dst = append(dst, masked...)
		}
		return append(dst, o.line[len(content):]...)
	case drop:
		masked = nil
	}
	dst = append(dst, o.line[:o.lo]...)
	dst = appendString(dst, masked)
	return append(dst, o.line[o.hi:]...)
}

func appendString(dst, text []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(text)) // a string always encodes
	return append(dst, bytes.TrimSuffix(b.Bytes(), newline)...)
}

// parseObject finds the one text member of a JSON object, by the standard
// library's own tokens.
func parseObject(line []byte) object {
	plain := object{line: line}
	if !json.Valid(line) {
		return plain
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return plain
	}
	out := plain
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return plain
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return plain
		}
		if key != "text" {
			continue
		}
		var text string
		if out.hi > 0 || json.Unmarshal(value, &text) != nil || value[0] != '"' {
			return plain // no string, or two of them: nothing is left unscanned
		}
		end := int(d.InputOffset())
		out.lo, out.hi, out.text = end-len(value), end, []byte(text)
	}
	return out
}
