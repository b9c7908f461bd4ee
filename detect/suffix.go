package detect

import "bytes"

// Values that nothing before them names, told by what stands behind them: the password
// of a URL (https://id:V@host), the second member of a Go value printed without names
// ({id V {https://…/authorize … }}).

// maxBefore bounds such a value and what stands before it.
const maxBefore = 1 << 10

// inURLPassword is what passwords of URLs are made of (RFC 3986 §3.2.1), less what ends
// the URL in text. inURLUser lacks the colon.
var (
	inURLUser     = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$*+=")
	inURLPassword = inURLUser
)

// beforeSuffix finds the value that ends at end.
func (s *Scanner) beforeSuffix(c *candidate, end int) bool {
	b, lo := s.arena, max(c.Low, end-maxBefore)
	if c.trigger.Key[0] == '@' {
		return c.urlPassword(b, end, lo)
	}
	return c.unnamed(b, end, lo)
}

// urlPassword bounds the password of a URL of the web that ends at end.
func (c *candidate) urlPassword(b []byte, end, lo int) bool {
	p := end
	for p > lo && inURLPassword[b[p-1]] {
		p--
	}
	if p == end || p == lo || b[p-1] != ':' {
		return false
	}
	c.Start, c.End = p, end
	for p--; p > lo && inURLUser[b[p-1]]; {
		p--
	}
	for _, scheme := range []string{"http://", "https://"} {
		if n := len(scheme); p-lo >= n && equalFold(b[p-n:p], scheme) && edge(b, p-n, c.Low) {
			c.KeyStart = p - n
			c.glue = glue{start: c.Start, sep: ':'}
			c.Form.Percent = bytes.IndexByte(b[c.Start:c.End], '%') >= 0
			return true
		}
	}
	return false
}

// unnamed bounds the second member of a Go value whose third begins at end.
func (c *candidate) unnamed(b []byte, end, lo int) bool {
	p := end
	for p > lo && plainQuoted[b[p-1]] {
		p--
	}
	c.Start, c.End = p, end
	if p == end || p-1 <= lo || b[p-1] != ' ' {
		return false
	}
	for p--; p > lo && plainQuoted[b[p-1]]; {
		p--
	}
	if p == lo || b[p-1] != '{' || p+1 == c.Start {
		return false
	}
	c.KeyStart = p
	c.glue = glue{start: c.Start, sep: ' '}
	return true
}

// checkURLPassword wants a password that looks drawn at random.
func checkURLPassword(_ *Scanner, _ *candidate, v []byte) bool {
	return len(v) >= minRest && looksRandom(v) && !isStored(v)
}

// checkGoConfig wants URLs of an authorization server's endpoints behind the value, as
// golang.org/x/oauth2's Config has them: {id V {AuthURL DeviceAuthURL TokenURL style} …}.
func checkGoConfig(s *Scanner, c *candidate, v []byte) bool {
	rest := s.arena[c.End:min(c.High, c.End+maxBefore)]
	open := bytes.IndexByte(rest, '{') + 1
	end := bytes.IndexByte(rest, '}')
	if open == 0 || end < open {
		return false
	}
	members := bytes.Fields(rest[open:end])
	if len(members) < 3 || len(members[len(members)-1]) != 1 || !bytes.Contains(members[len(members)-2], []byte("://")) {
		return false
	}
	return len(v) >= minCut && (looksRandom(v) || score(v) > 0 && !isWords(v))
}
