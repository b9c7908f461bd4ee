package detect

import (
	"encoding/base64"

	"github.com/leakveil/leakveil/internal/layer"
)

// Base64 that goes on over lines: a value that is open where the first line's bytes end
// goes on in the lines behind it. They are proven by what they decode to, in step with
// the line before, and are masked whole, up to the one in which the value ends.

// minBlobRow is the least number of bytes of text that prove a row without padding.
const minBlobRow = 8

// opensBlob is opens for a value inside base64.
func (s *Scanner) opensBlob(f *Finding, eol int) (Open, bool) {
	b := s.arena
	over := eol - f.End // a character too many for a group of four was left out
	if f.Form.Gzip || f.Form.Percent || f.Form.Backslash || f.Form.Base64 >= layer.HexLower || len(f.Inside) == 0 || over > 1 ||
		over == 1 && !isBlobByte(b[f.End]) || b[f.End-1] == '=' {
		return Open{}, false
	}
	text := f.Form.Decode(nil, b[f.Blob:f.End])
	defer clear(text[:cap(text)])
	last := &f.Inside[len(f.Inside)-1]
	if last.End < len(text) {
		return Open{}, false
	}
	return Open{Rule: last.Rule, Kind: last.Kind, Confidence: last.Confidence, Have: last.End - last.Start, dots: -1, blob: f.Form.Base64, phase: (eol - f.Blob) % 4}, true
}

// pendingBlob is a key in base64 whose value begins, or is long enough, on the next line.
type pendingBlob struct {
	open Open
	eol  int
}

// probe stands for the value that may follow a key at the end of a text: nothing that
// looks drawn at random would be found behind the key if a value could not stand there.
var probe = []byte("Zq7Xw2Kf9Tb4Lm1Rv6Hs3Pn8Gd5Yc0Ja7Uw2Ek9Qo4Bt1")

// awaitBlob looks at a blob that ends its line and holds a key at its end: with more
// behind it, its text would hold a value. What of that is there is returned, when it is
// long enough; otherwise the next line is awaited.
func (s *Scanner) awaitBlob(t *Trigger, b blob, start int, at place, text []byte) []Finding {
	over := at.hi - b.end
	if !s.cursor.batch.lines || t.gzip || b.alphabet >= layer.HexLower || b.percent || b.backslash || over > 1 ||
		over == 1 && !isBlobByte(s.arena[b.end]) || s.arena[b.end-1] == '=' {
		return nil
	}
	try := append(append([]byte(nil), text...), probe...)
	defer clear(try[:cap(try)])
	found, err := s.inside(try, false)
	if err != nil || len(found) == 0 {
		return nil
	}
	last := &found[len(found)-1]
	if last.End != len(try) || last.Start > len(text) {
		return nil
	}
	if rest := text[last.Start:]; len(rest) >= minCut && !isWords(rest) {
		last.End = len(text)
		return found[len(found)-1:]
	}
	s.pending = append(s.pending, pendingBlob{
		Open{Rule: last.Rule, Kind: last.Kind, Confidence: last.Confidence, dots: -1, blob: b.alphabet, phase: (at.hi - start) % 4}, at.hi,
	})
	return nil
}

// followBlobs goes on with the keys in base64 that ended their lines.
func (f *following) followBlobs() {
	s := f.s
	for _, p := range s.pending {
		if s.open.Rule != nil || p.eol < f.done {
			continue
		}
		if _, eol := lineEnd(s.arena, p.eol, min(len(s.arena), p.eol+2)); eol >= 0 {
			f.at = -1
			f.through(p.open, eol+1, len(s.arena), Finding{Segment: -1})
		}
	}
}

func isBlobByte(c byte) bool { return inStd[c] || c == '-' || c == '_' }

// nextBlob is next for base64.
func (o *Open) nextBlob(line []byte) (part, Open, bool) {
	p := part{start: margin(line)}
	in, enc := inStd, base64.RawStdEncoding
	if o.blob == layer.Base64URL {
		in, enc = alphabets["base64url"], base64.RawURLEncoding
	}
	end := run(line, p.start, len(line), in)
	p.end = run(line, end, len(line), padding)
	skip := (4 - o.phase) % 4
	if end-p.start <= skip && p.end == end || p.end-end > 2 || p.end < len(line) && !rowStop[line[p.end]] {
		return part{}, Open{}, false
	}
	body := line[min(end, p.start+skip):end]
	text := make([]byte, enc.DecodedLen(len(body)))
	n, _ := enc.Decode(text, body[:len(body)/4*4])
	text = text[:n]
	defer clear(text[:cap(text)])
	if n < minBlobRow && p.end == end && o.Rows == 0 {
		return part{}, Open{}, false
	}
	ends := false
	for _, c := range text {
		if c < ' ' && !isSpace(c) || c >= 0x7f {
			return part{}, Open{}, false
		}
		ends = ends || !alphabets[o.Rule.Value.Alphabet][c]
	}
	after := *o
	after.Have += n
	after.Rows++
	after.phase = (o.phase + end - p.start) % 4
	p.more = !ends && end == len(line)
	return p, after, true
}
