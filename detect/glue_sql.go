package detect

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
	g.start, g.sep, g.strict = start, ',', true
	return true
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
