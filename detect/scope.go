package detect

// Scope returns the bounds of the part of a record that belongs together with the byte at:
// level 0 is the query string or form body around it, level n the n-th
// enclosing pair of braces. Beyond the outermost it is the whole record. Values
// that stand in one scope were said about each other; it decides which of two
// client identifiers a secret belongs to. What is deeper than maxLevel, or farther
// than maxScope bytes from at, counts as the whole record: records come from
// anyone, and must not be read once more for each brace in them.
func Scope(record []byte, at, level int) (lo, hi int) {
	if level > maxLevel {
		return 0, len(record)
	}
	from := max(0, at-maxScope)
	near := record[from:min(len(record), at+maxScope)]
	lo, hi = scopeIn(near, at-from, level)
	if level > 0 && (lo == 0 && from > 0 || hi == len(near) && from+hi < len(record)) {
		return 0, len(record)
	}
	return from + lo, from + hi
}

const (
	maxScope = 16 << 10
	maxLevel = 8
)

func scopeIn(record []byte, at, level int) (lo, hi int) {
	if level == 0 {
		return queryAround(record, at)
	}
	lo, hi = at, at
	for ; level > 0; level-- {
		open := braceBefore(record, lo)
		if open < 0 {
			return 0, len(record)
		}
		lo, hi = open, braceAfter(record, max(hi, at))
	}
	return lo, hi
}

// queryAround is the run of bytes around at that holds no blank, quote or brace.
func queryAround(b []byte, at int) (lo, hi int) {
	lo, hi = at, at
	for lo > 0 && !endsQuery[b[lo-1]] {
		lo--
	}
	for hi < len(b) && !endsQuery[b[hi]] {
		hi++
	}
	return lo, hi
}

var endsQuery = setOf(" \t\r\n\"'<>{}()`")

// braceBefore finds the brace that is open at p, or -1.
func braceBefore(b []byte, p int) int {
	depth := 0
	for p--; p >= 0; p-- {
		switch b[p] {
		case '}':
			depth++
		case '{':
			if depth == 0 {
				return p
			}
			depth--
		}
	}
	return -1
}

// braceAfter finds the end of the pair of braces that p is in.
func braceAfter(b []byte, p int) int {
	depth := 0
	for ; p < len(b); p++ {
		switch b[p] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return p + 1
			}
			depth--
		}
	}
	return len(b)
}
