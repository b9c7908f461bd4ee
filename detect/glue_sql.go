package detect

import "github.com/leakveil/leakveil/internal/layer"

// A statement that inserts names its columns first and their values behind them:
// INSERT INTO t (id, access_token) VALUES (7, 'V').

const (
	// maxColumns bounds the bytes of a list of columns, and of values.
	maxColumns = 256
	valuesWord = "values"
)

// column steps from a column whose name ends at p to its value. False when the key
// is none.
func (g *glue) column(b []byte, p, hi int) bool {
	index := 0
	lo := max(0, p-maxColumns)
	q := p - 1
	for ; q >= lo && b[q] != '('; q-- {
		if b[q] == ',' {
			index++
		} else if !inColumns[b[q]] {
			return false
		}
	}
	if q < lo {
		return false
	}
	hi = min(hi, p+2*maxColumns)
	end := run(b, p, hi, inColumns)
	if end >= hi || b[end] != ')' {
		return false
	}
	end = run(b, end+1, hi, blank)
	if end+len(valuesWord) >= hi || !equalFold(b[end:end+len(valuesWord)], valuesWord) {
		return false
	}
	end = run(b, end+len(valuesWord), hi, blank)
	if end >= hi || b[end] != '(' {
		return false
	}
	start, ok := nthValue(b, end+1, hi, index)
	if !ok {
		return false
	}
	g.start, g.sep, g.strict, g.nth = start, ',', true, index+1
	return true
}

// maxRows bounds the further rows of a statement that are read.
const maxRows = 64

// furtherRows finds the values of the same column in the rows behind the first:
// VALUES (1,'V'),(2,'W').
func (s *Scanner) furtherRows(c *candidate) {
	if c.glue.nth == 0 {
		return
	}
	column, from := c.glue.nth, c.Start
	for range maxRows {
		hi := min(c.High, from+4*maxColumns)
		p, ok := rowEnd(s.arena, from, hi, c.glue.quote)
		if !ok {
			return
		}
		if p = run(s.arena, p, hi, blank); p >= hi || s.arena[p] != ',' {
			return
		}
		if p = run(s.arena, p+1, hi, blank); p >= hi || s.arena[p] != '(' {
			return
		}
		start, ok := nthValue(s.arena, p+1, hi, column-1)
		if !ok {
			return
		}
		g := glue{start: start, sep: ',', strict: true, nth: column}
		g.openValue(s.arena, hi)
		c.glue, c.Start, c.KeyStart, c.Form, c.quoted, c.Truncated = g, g.start, g.start, layer.Form{}, false, false
		if c.Start < hi && s.bound(c) && s.check(c) {
			s.candidates = append(s.candidates, *c)
		}
		from = start
	}
}

// rowEnd returns where the row that p is in ends, behind its bracket. quote is what the
// value at p stands in, or 0.
func rowEnd(b []byte, p, hi int, quote byte) (int, bool) {
	for ; p < hi; p++ {
		switch c := b[p]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ')':
			return p + 1, true
		}
	}
	return 0, false
}

// inList steps over IN, behind which values of a column stand in brackets:
// "session_key" IN ('V', 'W').
func (g *glue) inList(b []byte, hi int) bool {
	p := g.start
	if p+3 >= hi || !isBlank(b[p-1]) || lower(b[p]) != 'i' || lower(b[p+1]) != 'n' {
		return false
	}
	p = run(b, p+2, min(hi, p+maxIndex), blank)
	if p >= hi || b[p] != '(' {
		return false
	}
	g.start, g.sep = p, '='
	return true
}

// nthValue returns where the nth value of a list begins that opens before p.
func nthValue(b []byte, p, hi, n int) (int, bool) {
	var quote byte
	for ; p < hi && n > 0; p++ {
		switch c := b[p]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ',':
			n--
		case c == ')':
			return 0, false
		}
	}
	return run(b, p, hi, blank), n == 0 && p < hi
}

// inColumns is what a list of columns is made of.
var inColumns = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,\"`[] \t")
