package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// candidate is a value on its way to being a finding.
type candidate struct {
	Finding
	trigger *Trigger
	glue    glue
	quoted  bool // the whole content of a pair of quotes
	atEnd   bool // the record ends with it, so that the rest may be missing
}

// confirm follows one event to a candidate, or drops it.
func (s *Scanner) confirm(t *Trigger, to int) {
	last := to
	if t.form == formKey && (s.arena[to-1] == '\n' || s.arena[to-1] == '\r') {
		last-- // the line that the key ends
	}
	at, ok := s.cursor.find(last)
	if s.refuses("between_records", !ok) {
		return
	}
	if s.inDump(to) {
		return
	}
	if t.form == formDump {
		s.confirmDump(t, to, at)
		return
	}
	if t.form == formBlob {
		s.confirmBlob(t, to, at)
		return
	}
	if t.form == formPrefix && s.refuses("covered", s.covered(t, to)) {
		return
	}
	c := &s.current
	*c = candidate{trigger: t}
	c.Rule, c.Kind = t.Rule, t.Rule.Kind
	c.Segment, c.Low, c.High = at.segment, at.lo, at.hi
	c.RecordLow, c.RecordHigh = at.rlo, at.rhi
	if t.binds {
		s.confirmBinds(c, to)
		return
	}
	if t.form == formJar {
		s.openJar(c, to-t.rest)
		return
	}
	if !s.passes("key_and_glue", s.locate(c, to)) || !s.passes("value_bounds", s.bound(c)) {
		return
	}
	if t.Rule.Role != rules.RoleSecret {
		s.observations = append(s.observations, Observation{
			Rule: t.Rule, Start: c.Start, End: c.End, Segment: c.Segment,
			RecordLow: c.RecordLow, RecordHigh: c.RecordHigh,
		})
		return
	}
	if n := len(s.candidates); s.refuses("inside_other", n > 0 && c.KeyStart > s.candidates[n-1].Blob && c.End <= s.candidates[n-1].End) {
		return // inside a value that is masked anyway
	}
	if s.check(c) {
		s.candidates = append(s.candidates, *c)
		if s.secondValue(c) {
			s.candidates = append(s.candidates, *c)
		}
	}
	s.furtherRows(c)
}

// covered reports whether the last candidate already spans a value that starts
// with a shape of its own, and names its kind at least as well.
func (s *Scanner) covered(t *Trigger, to int) bool {
	if len(s.candidates) == 0 {
		return false
	}
	last := &s.candidates[len(s.candidates)-1]
	return to <= last.End && to-t.tail-(len(t.elems)-1) >= last.Blob && last.priority() >= priority(t)
}

// isOtherKey refuses a weak key that is the end of another, before its value is walked.
func (s *Scanner) isOtherKey(c *candidate) bool {
	return c.trigger.judged && s.refuses("other_key", s.otherKey(c))
}

// locate finds where the key begins and the value starts.
func (s *Scanner) locate(c *candidate, to int) bool {
	t := c.trigger
	switch t.form {
	case formKey, formWeak:
		end := to - t.rest
		if t.form == formWeak {
			end = to - t.tail - t.glue
		}
		c.KeyStart = matchBack(s.arena, end, t.word)
		if c.KeyStart < 0 || !boundary(s.arena, c.KeyStart, c.RecordLow) && !s.isCodeKey(c, end) && !s.isPKCEKey(c) {
			return false
		}
		if c.Segment >= 0 && end < c.Low { // a framed key: the field is the value
			c.glue = glue{start: c.Low, sep: '=', quote: '"', slash: -1}
			c.glue.strict = bytes.IndexByte(s.arena[end:c.Low], ',') >= 0 // a list's neighbour
			c.Start = c.Low
			return c.Low < c.High && !s.isOtherKey(c)
		}
		if t.name {
			end = nameEnd(s.arena, end, c.High, t.Key)
		}
		if t.trace {
			ok := c.glue.traced(s.arena, end, c.High)
			c.Start = c.glue.start
			return ok
		}
		g, ok := parseGlue(s.arena, end, c.High)
		if !ok || g.sep != ':' && g.sep != '=' {
			if before, _, found := valueBefore(s.arena, elementStart(s.arena, c.KeyStart, c.Low), c.Low); found {
				g, ok = before, true
			}
		}
		switch {
		case userCalls[t.word]:
			ok = g.secondArgument(s.arena, end, c.High)
		case ok && t.word == "auth" && !g.password(s.arena, end, c.High):
			g.second(s.arena, c.High)
		}
		if !ok || c.High-g.start < maxOpener {
			if s.awaitOver(c, end) {
				return true
			}
		}
		c.glue, c.Start = g, g.start
		if !ok || g.sep == '>' && closesElement(s.arena, c.KeyStart, c.Low) {
			return false
		}
		return g.over || !s.isOtherKey(c)
	case formSuffix:
		return s.beforeSuffix(c, to-t.glue)
	case formScheme:
		if t.tail == 0 { // the scheme ends the header's line
			return s.cursor.batch.lines && len(bytes.TrimRight(s.arena[to:c.High], " \t")) == 0 && s.await(c, awaited{trigger: t, what: awaitsToken}, c.High)
		}
		c.Start = to - t.tail
		c.KeyStart = c.Start - len(t.elems) + 1
		c.glue = glue{start: c.Start, sep: ' ', pct: percentBefore(s.arena, c.Start, c.Low)}
	case formShape:
		c.Start = wordStart(s.arena, to, c.Low)
		c.KeyStart, c.End = c.Start, to
		c.glue = glue{start: c.Start, pct: percentBefore(s.arena, c.Start, c.Low)}
		return true
	default:
		c.KeyStart = to - t.tail - (len(t.elems) - 1)
		c.Start = c.KeyStart
		c.glue = glue{start: c.Start, pct: percentBefore(s.arena, c.Start, c.Low)}
		return c.KeyStart >= c.Low && edge(s.arena, c.KeyStart, c.Low) && !(t.isShort() && inRandom(s.arena, c.KeyStart, c.Low))
	}
	return c.KeyStart >= c.Low && boundary(s.arena, c.KeyStart, c.Low)
}

// matchBack returns where a key that ends before end begins, or -1. Words may
// be joined by one of "_. -" or by nothing.
func matchBack(b []byte, end int, key string) int {
	p := end
	for i := len(key) - 1; i >= 0; i-- {
		if p == 0 {
			return -1
		}
		if key[i] == '_' && !joiner[b[p-1]] {
			continue
		}
		if p--; key[i] != '_' && lower(b[p]) != lower(key[i]) {
			return -1
		}
	}
	return p
}

// boundary reports whether a word can start at p: it does not go on a word
// before it. Camel case bounds as well.
func boundary(b []byte, p, lo int) bool {
	return edge(b, p, lo) || isUpper(b[p]) && !isUpper(b[p-1]) || behindOption(b, p, lo)
}

// behindOption reports whether an option of one capital ends at p that takes a pair
// without a blank: -Dkey=V, -Pkey=V.
func behindOption(b []byte, p, lo int) bool {
	return p-lo >= 2 && isUpper(b[p-1]) && b[p-2] == '-' && (p-lo == 2 || !isAlnum(b[p-3]) && b[p-3] != '-')
}

// edge is boundary without camel case, which bounds keys but no value: random
// text changes case at any place. Escapes (%26, \u0026, \n) bound as well.
func edge(b []byte, p, lo int) bool {
	if p <= lo {
		return true
	}
	prev := b[p-1]
	switch {
	case !isAlnum(prev):
		return true
	case p-lo >= 2 && b[p-2] == '\\' && (prev == 'n' || prev == 'r' || prev == 't'):
		return true
	case p-lo >= 3 && b[p-3] == '%' && unhex(prev) < 16 && unhex(b[p-2]) < 16:
		return true
	case p-lo >= 5 && b[p-5] == '%' && b[p-4] == '2' && b[p-3] == '5':
		return true
	case p-lo >= 7 && b[p-7] == '%' && b[p-6] == '2' && b[p-5] == '5' && b[p-4] == '2' && b[p-3] == '5':
		return true
	case p-lo >= 6 && b[p-6] == '\\' && b[p-5] == 'u':
		return true
	case p-lo >= 4 && b[p-4] == '\\' && b[p-3] == 'x':
		return true
	}
	return behindSGR(b, p, lo)
}

// isShort reports whether a prefix is so short that random text has it, and nothing but
// the prefix tells the value.
func (t *Trigger) isShort() bool { return len(t.elems)-1 < minMarkedPrefix && t.Rule.Kind != "jwt" }

// inRandom reports whether what stands before p is a hyphen or underscore of a longer
// word that looks drawn at random.
func inRandom(b []byte, p, lo int) bool {
	const reach = 24
	if p-lo < minCut || b[p-1] != '-' && b[p-1] != '_' {
		return false
	}
	start := p - 1
	for start > lo && p-start < reach && inName[b[start-1]] {
		start--
	}
	return looksRandom(b[start : p-1])
}

// percentBefore is the percent depth of the delimiter before p: 1 behind %3D,
// 2 behind %253D.
func percentBefore(b []byte, p, lo int) int {
	for depth, back := 1, 3; depth <= 3; depth, back = depth+1, back+2 {
		if p-back >= lo && b[p-back] == '%' {
			if ch := readPercent(b, p-back, p); ch.n == back {
				return depth
			}
		}
	}
	return 0
}

// bound walks the value and bounds it. False when there is too little of it.
func (s *Scanner) bound(c *candidate) bool {
	if form := c.trigger.form; form == formShape || form == formSuffix { // its bounds are what was recognised
		c.Blob = c.Start
		return c.Start < c.End
	}
	in := c.trigger.value
	if c.trigger.form != formPrefix {
		c.glue.openBracket(s.arena, c.High)
		c.printable(s.arena)
		c.Start = c.glue.start
	}
	s.extend(c, in)
	if c.glue.bracket != 0 && !c.closeBracket(s.arena) && in['?'] { // a secret that people chose
		c.glue.start, c.glue.bracket = c.glue.outer, 0
		c.Start = c.glue.start
		s.extend(c, in)
	}
	s.trim(c)
	c.Blob = c.Start
	c.cut(s.arena)
	return c.End-c.Start >= c.least() || c.End-c.Start >= 1 && c.trigger.form == formPrefix
}

// extend finds the value's end.
func (s *Scanner) extend(c *candidate, in *set) {
	c.End, c.Form = s.walked.from(s.arena, c.High, c.glue, in)
	if c.glue.slash < 0 { // framed: the segment's bounds end the value
		c.quoted = c.End == c.High
		s.widen(c, c.High, c.Form)
	} else if c.glue.quote != 0 {
		if end, f := s.quoted.toQuote(s.arena, c.High, c.glue); end >= c.End {
			c.quoted = true
			s.widen(c, end, f)
		}
	}
	if c.glue.sep == '|' { // the next column
		if n := bytes.IndexByte(s.arena[c.Start:c.End], '|'); n >= 0 {
			c.End = c.Start + n
		}
	} else if c.trigger.form != formPrefix {
		s.goOn(c, in)
	}
	if c.End < c.High && s.arena[c.End] == '~' && s.arena[c.Start] == 'e' {
		c.disclosures(s.arena)
	}
}

// widen takes all that stands in quotes as the value when no blank is in it:
// vendors put characters into tokens that no grammar lists. Secrets that people
// choose may hold blanks as well.
func (s *Scanner) widen(c *candidate, end int, f layer.Form) {
	if end <= c.End || bytes.IndexByte(s.arena[c.End:end], 0x1b) >= 0 { // colours end it
		return
	}
	any := c.Rule.Value.Alphabet == "visible"
	if any || c.trigger.form == formKey && !bytes.ContainsAny(s.arena[c.Start:end], " \t&,;<>(){}[]\"'") {
		c.End, c.Form = end, f
	}
}

// trim drops the full stop of a sentence behind a value.
func (s *Scanner) trim(c *candidate) {
	if c.glue.quote != 0 || c.glue.sep == '=' || c.glue.pct > 0 {
		return
	}
	for c.End > c.Start && s.arena[c.End-1] == '.' && (c.End == c.High || isSpace(s.arena[c.End]) || s.arena[c.End] == '"') {
		if isUnsigned(s.arena[c.Start:c.End]) {
			return
		}
		c.End--
	}
}
