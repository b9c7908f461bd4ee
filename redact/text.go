package redact

import "unicode/utf8"

// IsText reports whether a payload is text: valid UTF-8 without control bytes
// other than blanks, line ends and the escape of terminal colours. In anything
// else lengths may be written down elsewhere, so masks must keep them; so in a message of
// protobuf of strings alone, whose tags and lengths happen to be characters.
func IsText(payload []byte) bool {
	for _, c := range payload {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(payload) && !isStrings(payload)
}

// isStrings reports whether a payload is, from end to end, a message of protobuf that begins
// with its field 1 and has nothing but strings of less than 128 bytes.
func isStrings(payload []byte) bool {
	if len(payload) < 2 || payload[0] != 1<<3|2 {
		return false
	}
	for len(payload) > 0 {
		if len(payload) < 2 || payload[0]&7 != 2 || payload[0] < 1<<3 || payload[0] > 0x7f || payload[1] > 0x7f || int(payload[1]) > len(payload)-2 {
			return false
		}
		payload = payload[2+int(payload[1]):]
	}
	return true
}
