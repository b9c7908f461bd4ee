package otlp

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata"
)

// Document masks one JSON value of any form, whose structure is context as that of a log
// record's body is. Only what is masked is written anew: spaces, order, numbers, names
// and the escapes of everything else stay. The text itself is returned when nothing in it
// changes; ErrDecode says that it is no JSON in UTF-8, nested too deep, or larger than
// MaxPayload. received is as of Payload. What stands outside of texts and names (numbers)
// is not looked at: scan the result as text, too.
func (m *Masker) Document(text []byte, received time.Time) ([]byte, Outcome, error) {
	if len(text) > MaxPayload || !utf8.Valid(text) {
		return nil, Outcome{}, ErrDecode
	}
	d, err := parse(text)
	if err != nil {
		return nil, Outcome{}, err
	}
	m.received = received
	defer func() { m.received = time.Time{} }()
	out, err := m.mask(d)
	if err != nil {
		return nil, Outcome{}, err
	}
	if !out.Changed {
		return text, out, nil
	}
	return d.write(text), out, nil
}

// document is a JSON value.
type document struct {
	value    pcommon.Value
	literals []literal
}

// literal is a text or name in the order of the document: text[lo:hi] with its quotes.
type literal struct {
	lo, hi int
	is     string
}

// ofDocument are the places in a document.
var ofDocument = names{documentValue, documentName}

func (d *document) signal() string { return "" }

func (d *document) records() int { return 0 }

func (d *document) empty() bool { return false }

func (d *document) gather(m *Masker) error {
	if err := m.enter(ofRecord, 0, 0, 0, 0); err != nil {
		return err
	}
	d.visit(m, nil)
	return nil
}

func (d *document) visit(m *Masker, _ *unit) {
	if d.value.Type() == pcommon.ValueTypeMap {
		m.attributes(ofDocument, d.value.Map())
		return
	}
	m.value(ofDocument, d.value, frameless, 0)
}

func (d *document) about(*unit) about { return about{} }

func (d *document) attributes(*unit) (pcommon.Map, bool) { return pcommon.Map{}, false }

func (d *document) resourceOf(*unit) pcommon.Resource { return pcommon.NewResource() }

func (d *document) leaveOut([]unit) {}

// parser reads a document.
type parser struct {
	*json.Decoder
	text []byte
	document
}

func parse(text []byte) (*document, error) {
	p := &parser{Decoder: json.NewDecoder(bytes.NewReader(text)), text: text}
	p.UseNumber()
	p.value = pcommon.NewValueEmpty()
	if !p.read(p.value, 0) {
		return nil, ErrDecode
	}
	if _, err := p.Token(); err != io.EOF { // one value, and no more
		return nil, ErrDecode
	}
	return &p.document, nil
}

// token returns the next token, and notes it when it is a text.
func (p *parser) token() (json.Token, bool) {
	before := int(p.InputOffset())
	t, err := p.Token()
	if err != nil {
		return nil, false
	}
	if s, ok := t.(string); ok {
		lo := before + bytes.IndexByte(p.text[before:], '"') // nothing before it has a quote
		p.literals = append(p.literals, literal{lo, int(p.InputOffset()), s})
	}
	return t, true
}

// read reads the next value into v; false when there is none, or a part of it is nested
// too deep.
func (p *parser) read(v pcommon.Value, depth int) bool {
	t, ok := p.token()
	if !ok {
		return false
	}
	switch t := t.(type) {
	case string:
		v.SetStr(t)
	case json.Delim:
		switch {
		case depth >= maxDepth:
			return false
		case t == '{':
			return p.object(v.SetEmptyMap(), depth+1)
		case t == '[':
			return p.array(v.SetEmptySlice(), depth+1)
		}
		return false
	}
	return true // numbers and the like stay as they are
}

func (p *parser) object(of pcommon.Map, depth int) bool {
	var b xpdata.MapBuilder // a map that is asked for each name first takes the square of the time
	for p.More() {
		name, ok := p.token()
		if !ok || !p.read(b.AppendEmpty(name.(string)), depth) {
			return false
		}
	}
	b.UnsafeIntoMap(of)
	_, ok := p.token()
	return ok
}

func (p *parser) array(of pcommon.Slice, depth int) bool {
	for p.More() {
		if !p.read(of.AppendEmpty(), depth) {
			return false
		}
	}
	_, ok := p.token()
	return ok
}

// write returns the document with its masked texts.
func (d *document) write(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	n, done := 0, 0
	each(d.value, func(s string) {
		l := &d.literals[n]
		n++
		if s == l.is {
			return
		}
		out = append(out, text[done:l.lo]...)
		out = append(out, l.masked(text[l.lo:l.hi], s)...)
		done = l.hi
	})
	return append(out, text[done:]...)
}

// each calls visit for the texts and names of a value in order.
func each(v pcommon.Value, visit func(string)) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		visit(v.Str())
	case pcommon.ValueTypeMap:
		for name, v := range v.Map().All() {
			visit(name)
			each(v, visit)
		}
	case pcommon.ValueTypeSlice:
		for _, v := range v.Slice().All() {
			each(v, visit)
		}
	}
}

// masked returns the literal, which is raw with its quotes, for the text s. What both
// begin and end with stays as it is written.
func (l *literal) masked(raw []byte, s string) []byte {
	head, tail := 0, 0 // bytes of the texts
	for head < min(len(l.is), len(s)) && l.is[head] == s[head] {
		head++
	}
	for tail < min(len(l.is), len(s))-head && l.is[len(l.is)-1-tail] == s[len(s)-1-tail] {
		tail++
	}
	tail = len(l.is) - tail
	// The same in raw, at the bounds of characters.
	first, last := 1, len(raw)-1
	from, to := 0, len(l.is)
	for i, at := 1, 0; i < len(raw)-1; {
		n, says := character(raw[i : len(raw)-1])
		if at+says <= head {
			first, from = i+n, at+says
		}
		if at >= max(tail, from) {
			last, to = i, at
			break
		}
		i, at = i+n, at+says
	}
	out := append([]byte(nil), raw[:first]...)
	out = append(out, quoted(s[from:len(s)-(len(l.is)-to)])...)
	return append(out, raw[last:]...)
}

// character is the length of the first character of a literal, escaped or not, and of
// what it says.
func character(raw []byte) (n, says int) {
	if raw[0] != '\\' {
		_, n := utf8.DecodeRune(raw)
		return n, n
	}
	if raw[1] != 'u' {
		return 2, 1
	}
	r := escaped(raw)
	if utf16.IsSurrogate(r) {
		if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' && utf16.DecodeRune(r, escaped(raw[6:])) != utf8.RuneError {
			return 12, 4
		}
		r = utf8.RuneError
	}
	return 6, utf8.RuneLen(r)
}

// escaped is the character of \uXXXX.
func escaped(raw []byte) rune {
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// quoted is a text inside of a literal.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // every text can be written
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return out[1 : len(out)-1]
}
