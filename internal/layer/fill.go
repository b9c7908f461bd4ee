package layer

// Fill says how the place of a value is filled that must keep its length and form.
type Fill uint8

// The columns of a dump: characters, and the hexadecimal digits of bytes.
const (
	NoFill Fill = iota
	FillText
	FillHex
)

// AppendFill appends to dst what stands in the place of raw: an asterisk for each byte
// of text, the digits of one for each byte in hexadecimal. What parts the bytes stays.
func AppendFill(dst, raw []byte, f Fill) []byte {
	const text, digits = '*', "2a"
	n := 0
	for _, c := range raw {
		switch {
		case f == FillText:
			dst = append(dst, text)
		case unhex(c) < 16:
			dst = append(dst, digits[n&1])
			n++
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
