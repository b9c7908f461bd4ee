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
	if !allIn(v, inIdentifier) || isDigit(v[0]) {
		return false
	}
	dotted := bytes.IndexByte(v, '.') > 0
	if key := matchBack(v, len(v), c.trigger.word); key > 0 && v[key-1] == '.' { // self.client_secret
		return true
	}
	if c.End+1 >= c.High || looksRandom(v) {
		return false
	}
	next := s.arena[c.End]
	return dotted && next == '(' || next == '[' && (s.arena[c.End+1] == '\'' || s.arena[c.End+1] == '"')
}
