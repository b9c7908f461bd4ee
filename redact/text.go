package redact

import "unicode/utf8"

// IsText reports whether a payload is text: valid UTF-8 without control bytes
// other than blanks, line ends and the escape of terminal colours. In anything
// else lengths may be written down elsewhere, so masks must keep them.
func IsText(payload []byte) bool {
	for _, c := range payload {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(payload)
}
