package detect

// checkEntraSecret wants the length of Entra's client secrets, since three
// characters that anything may have stand before the digit and Q~ that tell them.
func checkEntraSecret(s *Scanner, c *candidate, v []byte) bool {
	const shortest, longest = 37, 44
	return len(v) >= shortest && len(v) <= longest && !inEscape(s.arena, c.Start, c.Low)
}

// inEscape reports whether p stands behind the % of an escape, so that what
// begins there is none of the value's characters.
func inEscape(b []byte, p, lo int) bool {
	return p > lo && b[p-1] == '%' && readPercent(b, p-1, len(b)).n > 0
}
