package detect

// makeup is what kinds of characters a value is made of: all that is remembered of
// its bytes. One source draws a value, so that its rest is made of the same: no
// hexadecimal line goes on with a value in capitals and small letters.
type makeup uint8

const (
	madeUpper  makeup = 1 << iota // capitals
	madeLower                     // small letters
	madeDigits                    // digits
	madeWide                      // what hexadecimal lacks
)

// madeOf looks at as much of a value as its score does.
func madeOf(v []byte) (m makeup) {
	for _, c := range v[:min(len(v), maxScored)] {
		switch {
		case isUpper(c):
			m |= madeUpper
		case isLower(c):
			m |= madeLower
		case isDigit(c):
			m |= madeDigits
		}
		if unhex(c) > 15 {
			m |= madeWide
		}
	}
	return m
}

// isHex reports whether the value is hexadecimal.
func (m makeup) isHex() bool { return m&madeWide == 0 }

// alike reports whether v, of 8 bytes or more, may be the rest of have bytes that are
// made of m: it has the same cases, or more when there was little before it, and is
// hexadecimal when that is. Three of a hundred rests of eight characters lack a case.
func (m makeup) alike(v []byte, have int) bool {
	const cases, enough = madeUpper | madeLower, 20
	n := madeOf(v)
	if have < enough {
		return n&m&cases == m&cases && (m.isHex() || !n.isHex())
	}
	return n&cases == m&cases && n.isHex() == m.isHex()
}
