package detect

import "bytes"

// Source text stands in logs as well: stack traces show the lines they went through.

// inIdentifier is what names in source text and the dots between them are made of.
var inIdentifier = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.")

// isSource reports whether what stands behind a key is source text that gets the
// value from elsewhere: client_secret=self.client_secret, kwargs.pop('x'),
// settings['x'], "Bearer "+token.
func (s *Scanner) isSource(c *candidate, v []byte) bool {
	if c.Start > c.Low && c.trigger.form == formScheme && v[0] == '+' {
		quote := s.arena[c.Start-1] // closes the scheme, unless it closes the value as well
		return (quote == '"' || quote == '\'') && (c.End == c.High || s.arena[c.End] != quote)
	}
	form := c.trigger.form
	if form != formKey && form != formWeak || c.glue.quote != 0 || c.glue.pct > 0 || c.glue.list || c.glue.bracket != 0 {
		return false
	}
	key := matchBack(v, len(v), c.trigger.word)
	member := key > 0 && v[key-1] == '.' // self.client_secret
	if next := s.next(c); !member && next != '(' && next != '[' || !allIn(v, inIdentifier) || isDigit(v[0]) {
		return false
	}
	if member {
		return true
	}
	if c.End+1 >= c.High || looksRandom(v) {
		return false
	}
	after := s.arena[c.End+1]
	return s.next(c) == '(' && bytes.IndexByte(v, '.') > 0 || s.next(c) == '[' && (after == '\'' || after == '"')
}

// next is the byte behind the value, 0 at the end of its segment.
func (s *Scanner) next(c *candidate) byte {
	if c.End >= c.High {
		return 0
	}
	return s.arena[c.End]
}
