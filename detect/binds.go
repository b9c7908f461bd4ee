package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/rules"
)

// Values that a log tells without their names: what a statement of SQL was run with, what
// a program filled in. Beside secrets stand ids, digests, states and times there; only
// what surely was drawn at random and is the whole of a value is taken.

// confirmBinds finds the values behind a lead that ends before from, in the same line.
func (s *Scanner) confirmBinds(c *candidate, from int) {
	if from < c.Low || from < s.bindEnd { // a frame's, or read already
		return
	}
	b, hi := s.arena, min(c.High, from+maxJar)
	in := c.trigger.value
	for p := from; p < hi; p++ {
		start := p
		if p = run(b, p, hi, in); p-start < c.Rule.Value.Min || !standsAlone(b, start, p, from, c.High) {
			continue
		}
		v := b[start:min(p, start+maxJudged)]
		if len(c.trigger.checks) > 0 && !c.trigger.checks[0](s, c, v) || len(c.trigger.checks) == 0 && !isDrawn(v) {
			continue
		}
		if rules.IsMask(v) || suppressed(&c.Rule.Suppress, v) {
			continue
		}
		c.Start, c.Blob, c.KeyStart, c.End, c.Confidence = start, start, start, p, rules.Likely
		c.glue = glue{start: start, sep: ':'}
		s.candidates = append(s.candidates, *c)
	}
	s.bindEnd = hi
}

// standsAlone reports whether b[start:end] is a value of its own in a list: in brackets or
// quotes, and no member of an object in text ("state":"V").
func standsAlone(b []byte, start, end, from, hi int) bool {
	if end < hi && !indexByte("'\"])(, \\&", b[end]) {
		return false
	}
	if start == from {
		return true
	}
	before := b[max(from, start-2):start]
	switch last := before[len(before)-1]; last {
	case '[', '(', ',', '}':
		return true
	case ' ':
		return bytes.HasSuffix(before, []byte(", ")) || bytes.HasSuffix(before, []byte("[ "))
	case '\'', '"':
		return len(before) < 2 || indexByte("[(, =", before[0])
	}
	return false
}
