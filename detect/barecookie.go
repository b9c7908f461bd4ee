package detect

import (
	"bytes"

	"github.com/leakveil/leakveil/rules"
)

// Cookies without the name of a header: fields of access logs, dumps of jars. What
// stands beside them says that they are cookies: attributes (session=V; Path=/), or
// others (session=V; theme=dark).

// inBareCookie is what a cookie's name, its = and its value are made of, as written.
var inBareCookie = alphabets["cookie"].with("%")

// beforeCookie is what may stand before the name of the first cookie of a list, or
// within a longer name: no blank and nothing that parts fields, so that logs of pairs
// (session=7) raise no event.
var beforeCookie = inName.with("\"'`|{[(<\\>:=")

// bareCookieTriggers spells the end of a cookie's name, with its value, behind
// another cookie and as the first.
func bareCookieTriggers(r *rules.Rule, name string, value *set) []*Trigger {
	first, next := weakTrigger(r, name, weakGlue{"=", 0}, value), weakTrigger(r, name, weakGlue{"=", 0}, value)
	first.elems = append([]elem{{set: beforeCookie, n: 1}}, first.elems...)
	next.elems = append(literalElems("; ", false), next.elems...)
	return []*Trigger{first, next}
}

// bareSetCookie bounds the value of a cookie whose attributes begin at end.
func (c *candidate) bareSetCookie(b []byte, end, lo int) bool {
	p := end
	for p > lo && inBareCookie[b[p-1]] {
		p--
	}
	name, value, ok := bytes.Cut(b[p:end], []byte("="))
	if !ok || len(value) == 0 || !logsIn(name) || !allIn(name, inName) {
		return false
	}
	c.KeyStart, c.Start, c.End = p, end-len(value), end
	c.glue = glue{start: c.Start, sep: '='}
	c.Form.Percent = bytes.IndexByte(value, '%') >= 0
	return true
}

// checkBareCookie wants another cookie beside one that looks drawn at random, or its
// attributes behind one whose name logs in.
func checkBareCookie(s *Scanner, c *candidate, v []byte) bool {
	if c.trigger.form == formSuffix {
		return checkCookie(s, c, v)
	}
	for c.End > c.Start && s.arena[c.End-1] == '|' { // parts the fields of an access log
		c.End--
	}
	v = bytes.TrimRight(v, "|")
	start := c.KeyStart
	for start > c.Low && c.KeyStart-start < maxName && inName[s.arena[start-1]] {
		start--
	}
	if !logsIn(s.arena[start : c.Start-1]) { // _ga_session
		return false
	}
	return c.glue.sep == '=' && c.glue.quote == 0 && looksRandom(v) &&
		(cookieBehind(s.arena, c.End, c.High) || cookieBefore(s.arena, c.KeyStart, c.Low) || s.isField(c, start) && isDrawn(v))
}

// isField reports whether a pair that begins at start is the whole value of another
// name, as access logs print a cookie: set="session=V", out=session=V.
func (s *Scanner) isField(c *candidate, start int) bool {
	if start-2 <= c.Low {
		return false
	}
	switch before, next := s.arena[start-1], s.next(c); before {
	case '"', '\'':
		return next == before && s.arena[start-2] == '='
	case '=':
		return isAlnum(s.arena[start-2]) && (next == 0 || isBlank(next))
	}
	return false
}

// cookieBehind reports whether a semicolon, a blank and another pair follow at p.
func cookieBehind(b []byte, p, hi int) bool {
	if p+2 >= hi || b[p] != ';' || b[p+1] != ' ' {
		return false
	}
	end := run(b, p+2, min(hi, p+2+maxName), inName)
	return end > p+2 && end+1 < hi && b[end] == '=' && inBareCookie[b[end+1]]
}

// cookieBefore reports whether a pair, a semicolon and a blank stand before the name
// that goes on at p.
func cookieBefore(b []byte, p, lo int) bool {
	for p > lo && inName[b[p-1]] {
		p--
	}
	if p-lo < 4 || b[p-1] != ' ' || b[p-2] != ';' || !inBareCookie[b[p-3]] {
		return false
	}
	end := p - 2
	for p = end; p > max(lo, end-maxJar) && inBareCookie[b[p-1]]; {
		p--
	}
	name, _, ok := bytes.Cut(b[p:end], []byte("="))
	return ok && len(name) > 0 && inName[name[len(name)-1]]
}

// isSetting reports whether a value without quotes behind a colon is a setting of its
// own, the name of which begins like prose: accept_token_in=5.
func (c *candidate) isSetting(v []byte) bool {
	if c.glue.sep != ':' || c.glue.quote != 0 {
		return false
	}
	name, value, ok := bytes.Cut(v, []byte("="))
	return ok && len(value) > 0 && len(value) < minRest && bytes.IndexByte(name, '_') > 0 &&
		bytes.Equal(name, bytes.ToLower(name)) && isWords(name)
}
