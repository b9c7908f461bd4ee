package detect

import (
	"bytes"
)

// Pairs over lines: the key ends its line, and the value stands on the next one or a
// few lines below (YAML's text over lines, pretty printers, parts of forms, folded
// headers). What is awaited is plain data (awaited, in Open), so that it makes no
// difference where a stream is cut into pieces.

// awaits says what the lines behind a key have to be.
type awaits uint8

const (
	awaitsNothing awaits = iota
	awaitsValue          // the value, alone on its line
	awaitsBlock          // the same, by the syntax: YAML's | and >, a part's content
	awaitsMember         // "value": V, or another member of the same object
	awaitsElement        // <string>V</string>
	awaitsPart           // a header of a form's part, or the blank line behind them
	awaitsCookies        // a folded line of cookies
	awaitsToken          // credentials, alone on their line, behind a scheme
)

const (
	// maxTail bounds what may stand behind a key that ends its line.
	maxTail = 48
	// maxOpener is more than the bytes of what opens a value below: !!str >-
	maxOpener = 12
	// maxAwaited bounds the lines from a key to its value.
	maxAwaited = 4
)

// awaited is a key whose value has not come yet.
type awaited struct {
	trigger *Trigger
	what    awaits
	lines   int // that were passed over
}

// awaitOver finds the value of a key that ends at end on the lines below it. True when
// c is that value, which stands on a line of its own.
func (s *Scanner) awaitOver(c *candidate, end int) bool {
	if !s.cursor.batch.lines || end > c.High {
		return false
	}
	most := maxTail
	if bytes.IndexByte(s.arena[end:min(c.High, end+maxTail)], 0x1b) >= 0 {
		most = maxColours
	}
	if c.High-end > most {
		return false
	}
	what := s.awaitedBehind(c, end)
	if what == awaitsNothing || c.trigger.form == formWeak && s.otherKey(c) {
		return false
	}
	return s.await(c, awaited{trigger: c.trigger, what: what}, c.High)
}

// await goes on from a line that ends at eol.
func (s *Scanner) await(c *candidate, a awaited, eol int) bool {
	b := s.arena
	for ; a.lines < maxAwaited; a.lines++ {
		n := bytes.IndexByte(b[eol:], '\n')
		if n < 0 {
			return false
		}
		if n += eol + 1; n == len(b) { // the rest comes with the next piece
			s.open = Open{Rule: a.trigger.Rule, Kind: a.trigger.Rule.Kind, Confidence: c.Confidence, dots: -1, awaited: a}
			return false
		}
		at := linePlace(b, n, n)
		c.Low, c.High, c.RecordLow, c.RecordHigh = at.lo, at.hi, at.lo, at.hi
		found, goesOn := s.awaitedAt(c, &a)
		if found || !goesOn {
			return found
		}
		eol = at.hi
	}
	return false
}

// resume looks for the value of a key that the text before ended in.
func (s *Scanner) resume(a awaited) {
	c := &s.current
	*c = candidate{trigger: a.trigger}
	c.Rule, c.Kind, c.Segment = a.trigger.Rule, a.trigger.Rule.Kind, -1
	at := linePlace(s.arena, 0, 0)
	c.Low, c.High, c.RecordLow, c.RecordHigh = at.lo, at.hi, at.lo, at.hi
	found, goesOn := s.awaitedAt(c, &a)
	if a.lines++; !found && goesOn && a.lines < maxAwaited {
		found = s.await(c, a, at.hi)
	}
	if found && s.bound(c) && s.check(c) {
		s.candidates = append(s.candidates, *c)
	}
}

// awaitedBehind reads what stands between a key and its line's end.
func (s *Scanner) awaitedBehind(c *candidate, end int) awaits {
	b := s.arena
	member := glue{start: end}
	member.visibility(b, c.High)
	end = member.start
	rest := bytes.TrimRight(withoutColours(b[end:c.High]), " \t")
	if isPartName(b, end) && bytes.Contains(b[c.Low:c.KeyStart], []byte("isposition")) && len(rest) > 0 && isQuote(rest[0]) {
		return awaitsPart
	}
	start := elementStart(b, c.KeyStart, c.Low)
	if string(rest) == "</key>" {
		return awaitsElement
	}
	if string(rest) == ">" && start > c.Low && b[start-1] == '<' {
		return awaitsValue
	}
	closed := bytes.TrimLeft(rest, "\"'`]) \t")
	if len(closed) == 0 || string(closed) == "," {
		if nameBefore(b[c.Low:start]) && len(rest) < 4 {
			return awaitsMember
		}
		return awaitsNothing
	}
	switch {
	case closed[0] == ':':
		closed = closed[1:]
	case bytes.HasPrefix(closed, []byte("=>")):
		closed = closed[2:]
	case closed[0] == '=' && (len(closed) == 1 || closed[1] != '='):
		closed = closed[1:]
	default:
		return awaitsNothing
	}
	switch string(bytes.TrimSpace(closed)) {
	case "", "(", "[", "[{", "{", "\"", "'", "\"\\", "Array", "\\":
		return awaitsValue
	case "|", ">", "|-", ">-", "|+", ">+", "!!str", "!!str |", "!!str >-":
		return awaitsBlock
	}
	return awaitsNothing
}

// withoutColours is text without what sets colours.
func withoutColours(text []byte) []byte {
	if bytes.IndexByte(text, 0x1b) < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for p := 0; p < len(text); p++ {
		if n := sgr(text, p, len(text)); n > 0 {
			p += n - 1
			continue
		}
		out = append(out, text[p])
	}
	return out
}

// nameBefore reports whether a line's text before a key is the name of the member that
// the key is the value of: - name: , "key": ".
func nameBefore(before []byte) bool {
	before = bytes.TrimRight(before, "\"' \t")
	if n := len(before); n == 0 || before[n-1] != ':' {
		return false
	}
	_, ok := memberBefore(before, len(before)-1, 0, nameNames)
	return ok
}

// awaitedAt looks at a line: whether the value stands on it, and otherwise whether it
// may stand on the next.
func (s *Scanner) awaitedAt(c *candidate, a *awaited) (found, goesOn bool) {
	b, lo, hi := s.arena, c.Low, c.High
	line := bytes.TrimSpace(b[lo:hi])
	g := glue{start: lo + indented(b[lo:hi]), sep: ':', over: true, strict: a.what == awaitsValue || a.what == awaitsToken}
	if a.what == awaitsCookies {
		return false, s.foldedCookies(c)
	}
	if len(line) == 0 {
		if a.what == awaitsPart {
			a.what = awaitsBlock
			return false, true
		}
		return false, a.what == awaitsBlock
	}
	switch a.what {
	case awaitsPart:
		return false, isField(line)
	case awaitsElement:
		if !g.tag(b, hi, 0) {
			return false, false
		}
	case awaitsMember:
		g.sep = 0
		if !g.named(b, hi) {
			return false, g.skipMember(b, hi) || isMemberLine(line)
		}
		if rest := bytes.TrimSpace(b[g.start:hi]); len(rest) == 0 || string(rest) == "{" {
			a.what = awaitsMember
			return false, string(rest) == "{"
		}
	case awaitsBlock:
		if bytes.HasPrefix(line, []byte("--")) { // an empty part
			return false, false
		}
	case awaitsValue:
		if g.start == lo && !isQuote(b[lo]) && b[lo] != '[' && b[lo] != '(' {
			return false, false // a line of its own
		}
		if len(line) <= 2 && len(bytes.Trim(line, "([{")) == 0 {
			return false, true
		}
		if object := g; object.start < hi {
			object.sep = 0
			if object.named(b, hi) {
				g.start, g.inside = object.start, true
			}
		}
		if g.start+1 < hi && b[g.start] == '[' { // [0] => V
			if at := g; at.index(b, readChar(b, at.start, hi), hi) && at.closeKey(b, hi) && at.separator(b, hi) {
				g.start = at.start
			}
		}
	}
	g.openValue(b, hi)
	c.glue, c.Start, c.KeyStart = g, g.start, g.start
	return g.start < hi, false
}

// isMemberLine reports whether a line is a member of an object, of any form: name: x.
func isMemberLine(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	return colon > 0 && colon <= maxWord && allIn(bytes.Trim(line[:colon], "\"'"), inMember)
}

// closesLine is what may stand behind a value that is alone on its line.
var closesLine = setOf("\"'`,;)]}\\ \t\r")

// isQuotedMember reports whether the value is a whole string, behind which other members
// of its object follow: YAML and JSON that are folded at blanks.
func (s *Scanner) isQuotedMember(c *candidate) bool {
	if c.glue.quote == 0 || !c.quoted || c.glue.start != c.Start || c.End+2 >= c.High || s.arena[c.End] != c.glue.quote {
		return false
	}
	next := c.End + 1
	for n := sgr(s.arena, next, c.High); n > 0; n = sgr(s.arena, next, c.High) {
		next += n
	}
	return next < c.High && s.arena[next] == ','
}

// endsLine reports whether nothing but what closes the value stands behind it.
func (s *Scanner) endsLine(c *candidate) bool {
	rest := undecorated(s.arena[c.End:c.High])
	return allIn(rest, closesLine) || bytes.HasPrefix(rest, []byte("</"))
}
