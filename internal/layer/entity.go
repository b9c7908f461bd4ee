package layer

// MaxEntity is the longest character reference that is read, in bytes: &#x0000FF;.
const MaxEntity = 10

// Entity reads the numeric character reference of one ASCII character that b begins
// with (&#61; or &#x3D;; HTML 4.01 §5.3.1): the character and the bytes that it is
// written in, 0 when there is none.
func Entity(b []byte) (c byte, n int) {
	if len(b) < 4 || b[0] != '&' || b[1] != '#' {
		return 0, 0
	}
	p, base := 2, 10
	if b[p]|0x20 == 'x' {
		p, base = 3, 16
	}
	value := 0
	for first := p; p < min(len(b), MaxEntity); p++ {
		if b[p] == ';' && p > first && value > 0 {
			return byte(value), p + 1
		}
		d := int(unhex(b[p]))
		if value = value*base + d; d >= base || value > 0x7f {
			return 0, 0
		}
	}
	return 0, 0
}

// unentity resolves numeric character references, in place, and returns the new
// length.
func unentity(b []byte) int {
	w := 0
	for r := 0; r < len(b); w++ {
		if c, n := Entity(b[r:]); n > 0 {
			b[w] = c
			r += n
			continue
		}
		b[w] = b[r]
		r++
	}
	return w
}
