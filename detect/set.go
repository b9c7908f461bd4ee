package detect

import (
	"fmt"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// set is a set of bytes.
type set [256]bool

func setOf(bytes string) *set {
	s := new(set)
	for i := 0; i < len(bytes); i++ {
		s[bytes[i]] = true
	}
	return s
}

func (s *set) len() int {
	n := 0
	for _, in := range s {
		if in {
			n++
		}
	}
	return n
}

// with returns a copy of s that holds the given bytes as well.
func (s *set) with(bytes string) *set {
	out := *s
	for i := 0; i < len(bytes); i++ {
		out[bytes[i]] = true
	}
	return &out
}

// without returns a copy of s that lacks the given bytes.
func (s *set) without(bytes string) *set {
	out := *s
	for i := 0; i < len(bytes); i++ {
		out[bytes[i]] = false
	}
	return &out
}

// class writes s as a character class of the engine's syntax.
func (s *set) class() string {
	var out strings.Builder
	out.WriteByte('[')
	for lo := 0; lo < 256; lo++ {
		if !s[lo] {
			continue
		}
		hi := lo
		for hi+1 < 256 && s[hi+1] {
			hi++
		}
		out.WriteString(classByte(byte(lo)))
		if hi > lo+1 {
			out.WriteByte('-')
		}
		if hi > lo {
			out.WriteString(classByte(byte(hi)))
		}
		lo = hi
	}
	out.WriteByte(']')
	return out.String()
}

func classByte(c byte) string {
	if isAlnum(c) || c == '_' {
		return string(c)
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// alphabets are rules.Alphabets as sets.
var alphabets = func() map[string]*set {
	out := map[string]*set{}
	for name, bytes := range rules.Alphabets {
		out[name] = setOf(bytes)
	}
	return out
}()

func isDigit(c byte) bool { return c-'0' < 10 }
func isLower(c byte) bool { return c-'a' < 26 }
func isUpper(c byte) bool { return c-'A' < 26 }
func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
func isBlank(c byte) bool { return c == ' ' || c == '\t' }
func isSpace(c byte) bool { return isBlank(c) || c == '\n' || c == '\r' }

// lower maps ASCII letters to lower case and leaves all else.
func lower(c byte) byte { return lowered[c] }

var lowered = func() (out [256]byte) {
	for c := range out {
		if out[c] = byte(c); isUpper(byte(c)) {
			out[c] += 'a' - 'A'
		}
	}
	return out
}()

// unhex returns the value of a hexadecimal digit, or 255.
func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case lower(c)-'a' < 6:
		return lower(c) - 'a' + 10
	}
	return 255
}
