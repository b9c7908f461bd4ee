package detect

import (
	"bytes"
	"slices"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Text in base64 is not decoded to see what is in it. A key word in base64 is one
// of three literals, for the three places at which it can begin in a group of three
// bytes; only the blob around such a literal is decoded, and scanned like any text.

// Bounds on blobs: how deep they may lie in one another, and how long one may be.
// What goes beyond is masked whole.
const (
	maxBlobDepth = 3
	maxBlob      = 1 << 20
)

// confirmBlob decodes the blob around an event and takes what is found in it.
func (s *Scanner) confirmBlob(t *Trigger, to int, at place) {
	hit := to - t.tail
	group := (hit - t.phase) & 3
	if t.enc >= layer.HexLower {
		group = 4 + hit&1
	}
	if hit < at.lo || to <= s.blobs[group] {
		return // this blob was read already, in these groups of four
	}
	for i := len(s.candidates) - 1; i >= 0 && s.candidates[i].End > hit; i-- {
		if c := &s.candidates[i]; c.Blob <= hit && to <= c.End && len(c.Inside) == 0 {
			return // inside a value that is masked anyway
		}
	}
	if t.gzip && !edge(s.arena, hit, at.lo) {
		return // the middle of something else; asked first, since a blob is walked whole
	}
	b, start := s.blobOf(t, hit, to, at)
	if t.gzip && b.end-start < minGzip {
		return
	}
	if b.alphabet == layer.Base64Std && b.wrapped(s.arena, at.lo, at.hi) && b.end-b.start <= maxBlob && s.depth < maxBlobDepth && !(t.gzip && s.inflated) {
		s.blobs[group] = b.end
		s.confirmWrapped(t, b, hit, at)
		return
	}
	s.blobs[group] = b.end
	c := candidate{trigger: t}
	c.Rule, c.Kind, c.Confidence = t.Rule, t.Rule.Kind, rules.Likely
	c.Segment, c.Low, c.High = at.segment, at.lo, at.hi
	c.RecordLow, c.RecordHigh = at.rlo, at.rhi
	c.Start, c.Blob, c.KeyStart, c.End = start, start, start, b.end
	if b.end-start > maxBlob || s.depth >= maxBlobDepth || t.gzip && s.inflated { // gzip in gzip multiplies
		c.Form = layer.Form{Percent: b.percent, Backslash: b.backslash}
		s.candidates = append(s.candidates, c)
		return
	}
	c.Form = layer.Form{Percent: b.percent, Backslash: b.backslash, Base64: b.alphabet, Gzip: t.gzip}
	text, all := decodeBlob(c.Form, s.arena[start:b.end])
	found, err := s.inside(text, t.gzip)
	if err == nil && len(found) == 0 && all {
		found = s.awaitBlob(t, b, start, at, text)
	}
	clear(text[:cap(text)])
	switch {
	case err != nil:
		c.Form.Base64, c.Form.Gzip = layer.NoBase64, false
	case len(found) == 0 && all:
		return
	case len(found) == 0: // a bomb, or more than is read
		c.Form.Base64, c.Form.Gzip = layer.NoBase64, false
	default:
		c.Inside = slices.Clone(found)
		s.insides += len(found)
		first := c.Inside[0]
		for _, f := range found {
			if rank(f.Rule.Severity) > rank(first.Rule.Severity) {
				first = f
			}
		}
		c.Rule, c.Kind, c.Confidence = first.Rule, first.Kind, first.Confidence
	}
	s.candidates = append(s.candidates, c)
}

// decodeBlob returns what a blob holds, and whether that is all of it.
func decodeBlob(f layer.Form, raw []byte) ([]byte, bool) {
	gzip := f.Gzip
	f.Gzip = false
	text := f.Decode(nil, raw)
	if !gzip {
		return text, true
	}
	return layer.Inflate(nil, text)
}

// rank orders severities.
func rank(s rules.Severity) int {
	return slices.Index([]rules.Severity{rules.Info, rules.Low, rules.Medium, rules.High, rules.Critical}, s)
}

// blobOf returns the blob around an event, and where its groups begin.
func (s *Scanner) blobOf(t *Trigger, hit, to int, at place) (blob, int) {
	if t.enc >= layer.HexLower {
		b := blob{start: hit, end: to, alphabet: t.enc}
		in := alphabetOf[t.enc]
		for b.start-2 >= at.lo && in[s.arena[b.start-1]] && in[s.arena[b.start-2]] {
			b.start -= 2
		}
		for b.end+2 <= at.hi && in[s.arena[b.end]] && in[s.arena[b.end+1]] {
			b.end += 2
		}
		return b, b.start
	}
	if t.gzip {
		to = hit + len(t.word) // there may be escapes in the rest
	}
	b := blobAround(s.arena, hit, to, at.lo, at.hi)
	start := hit
	if !t.gzip {
		start = b.align(s.arena, hit, t.phase)
	}
	b.cut(s.arena, start)
	return b, start
}

// alphabetOf holds the digits of hexadecimal.
var alphabetOf = map[layer.Base64]*set{layer.HexLower: setOf("0123456789abcdef"), layer.HexUpper: setOf("0123456789ABCDEF")}

// inside scans decoded text with a scanner of its own.
func (s *Scanner) inside(text []byte, inflated bool) ([]Finding, error) {
	if s.inner == nil {
		inner, err := s.db.NewScanner()
		if err != nil {
			return nil, err
		}
		inner.depth = s.depth + 1
		s.inner = inner
	}
	s.inner.over, s.inner.inflated = s.over, s.inflated || inflated
	var b Batch
	b.SetLines(text)
	found, _, err := s.inner.Scan(&b)
	s.inner.arena = nil
	return found, err
}

// blob is a run of base64 characters, some of which may be escaped.
type blob struct {
	start, end         int
	percent, backslash bool
	alphabet           layer.Base64
}

// blobAround returns the longest run around a hit, of one of the two alphabets.
func blobAround(arena []byte, hit, to, lo, hi int) blob {
	std := runOf(arena, hit, to, lo, hi, '+', '/')
	url := runOf(arena, hit, to, lo, hi, '-', '_')
	std.alphabet, url.alphabet = layer.Base64Std, layer.Base64URL
	if url.end-url.start > std.end-std.start {
		return url
	}
	return std
}

func runOf(arena []byte, hit, to, lo, hi int, plus, slash byte) blob {
	b := blob{start: hit, end: to}
	for b.start > lo {
		n := b.back(arena[lo:b.start], plus, slash)
		if n == 0 {
			break
		}
		b.start -= n
	}
	b.start = min(hit, b.start+escapeHead(arena, b.start, lo))
	for b.end < hi {
		n := b.ahead(arena[b.end:hi], plus, slash)
		if n == 0 {
			break
		}
		b.end += n
	}
	for range 2 {
		if rest := arena[b.end:hi]; len(rest) > 0 && rest[0] == '=' {
			b.end++
		} else if n := escapedByte(rest, '='); n > 0 {
			b.percent, b.end = true, b.end+n
		}
	}
	return b
}

// escapeHead is how many characters at the start of a run belong to an escape before
// it: \n, \u0022, \x22.
func escapeHead(arena []byte, start, lo int) int {
	if start == lo || arena[start-1] != '\\' {
		return 0
	}
	switch arena[start] {
	case 'u':
		return 5
	case 'x':
		return 3
	}
	return 1
}

// ahead is the length of the base64 character that text begins with, or 0.
func (b *blob) ahead(text []byte, plus, slash byte) int {
	c := text[0]
	switch {
	case isAlnum(c) || c == plus || c == slash:
		return 1
	case c == '\\' && slash == '/':
		n := 0
		for n < len(text) && n < maxSlashes && text[n] == '\\' {
			n++
		}
		if n < len(text) && text[n] == '/' {
			b.backslash = true
			return n + 1
		}
	case c == '%' && slash == '/':
		if n := max(escapedByte(text, '+'), escapedByte(text, '/')); n > 0 {
			b.percent = true
			return n
		}
	}
	return 0
}

// maxSlashes bounds the backslashes before one character.
const maxSlashes = 7

// back is the length of the base64 character that text ends with, or 0.
func (b *blob) back(text []byte, plus, slash byte) int {
	end := len(text)
	c := text[end-1]
	if n := escapeEnd(text); n > 0 {
		if slash == '/' && (escapedByte(text[end-n:], '+') == n || escapedByte(text[end-n:], '/') == n) {
			b.percent = true
			return n
		}
		return 0 // a delimiter, whose digits are no base64
	}
	if c == '/' && slash == '/' {
		n := 1
		for n < end && n <= maxSlashes && text[end-1-n] == '\\' {
			n++
		}
		b.backslash = b.backslash || n > 1
		return n
	}
	if isAlnum(c) || c == plus || c == slash {
		return 1
	}
	return 0
}

// maxAgain is how often an escape may be escaped again: %25252B.
const maxAgain = 2

// escapeEnd is the length of the percent escape that text ends with, or 0.
func escapeEnd(text []byte) int {
	end := len(text)
	if end < 3 || unhex(text[end-1]) > 15 || unhex(text[end-2]) > 15 {
		return 0
	}
	for n := 3; n <= 3+2*maxAgain && n <= end; n += 2 {
		if text[end-n] == '%' {
			return n
		}
		if n+1 > end || text[end-n] != '5' || text[end-n-1] != '2' {
			return 0
		}
	}
	return 0
}

// escapedByte is the length of c percent-encoded at the start of text, or 0.
func escapedByte(text []byte, c byte) int {
	if len(text) == 0 || text[0] != '%' {
		return 0
	}
	n := 1
	for range maxAgain {
		if bytes.HasPrefix(text[n:], []byte("25")) {
			n += 2
		}
	}
	if len(text) >= n+2 && unhex(text[n]) == c>>4 && unhex(text[n+1]) == c&15 {
		return n + 2
	}
	return 0
}

// align returns where the groups of four begin that the hit is part of. What stands
// before it without being base64 (the path before a blob in a URL) decodes to other
// bytes, and is written back as it was.
func (b blob) align(arena []byte, hit, phase int) int {
	characters := 0
	for p := b.start; p < hit; characters++ {
		p += b.step(arena[p:hit])
	}
	start := b.start
	for skip := (characters - phase + 4) % 4; skip > 0; skip-- {
		start += b.step(arena[start:])
	}
	return start
}

// cut leaves out the last character when it is one over: no byte needs only that, but
// a logger that cuts blobs cuts them anywhere.
func (b *blob) cut(arena []byte, start int) {
	characters, last := 0, start
	for p := start; p < b.end && arena[p] != '=' && escapedByte(arena[p:b.end], '=') == 0; characters++ {
		last = p
		p += b.step(arena[p:b.end])
	}
	if characters%4 == 1 {
		b.end = last
	}
}

// step is the length of one character of the run.
func (b blob) step(text []byte) int {
	if text[0] != '%' && text[0] != '\\' {
		return 1
	}
	return max(1, b.ahead(text, '+', '/'))
}
