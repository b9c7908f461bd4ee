package otlp

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/leakveil/leakveil/detect"
)

// Structures that say in more than one place what a value is: a scheme and its parameter,
// parts of a name, lists beside each other, what was said before.

// partial is the frame of a member whose own name says half of what it is, behind outer:
// {"tokens": {"refresh": V}}, {"authorization": {"scheme": "Bearer", "parameter": V}}.
func partial(of *siblings, name string, v pcommon.Value, outer frame) (frame, bool) {
	whole := ""
	switch name {
	case "access", "Access":
		whole = "access_token"
	case "refresh", "Refresh":
		whole = "refresh_token"
	case "parameter", "Parameter", "credentials", "value":
		if isAuthorization(outer.Name) && isToken(v.Str()) && of.bearer() {
			return bearer, true
		}
		return frameless, false
	default:
		return frameless, false
	}
	if !endsFold(outer.Name, "tokens") && !endsFold(outer.Name, "token") || !isToken(v.Str()) {
		return frameless, false
	}
	return named(whole), true
}

var bearer = named("bearer_token")

// bearer reports whether the members say that the scheme is one of tokens.
func (s *siblings) bearer() bool {
	for _, key := range [...]string{"scheme", "Scheme", "type", "Type"} {
		if v, ok := s.of.Get(key); ok {
			return isBearer(v.Str())
		}
	}
	return false
}

func isBearer(s string) bool { return strings.EqualFold(s, "bearer") || strings.EqualFold(s, "dpop") }

func isAuthorization(name string) bool { return endsFold(name, "authorization") }

func endsFold(name, end string) bool {
	return len(name) >= len(end) && strings.EqualFold(name[len(name)-len(end):], end)
}

// isToken reports whether s is written as a token of RFC 6750 is: what has blanks, colons
// or commas is a time, a parameter of the scheme, or prose.
func isToken(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c), c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return s != ""
}

// isSecond reports whether a name is that of the second half of a pair whose first half
// is called alike: headerName and headerValue.
func isSecond(name string) bool {
	if !strings.HasSuffix(name, "alue") {
		return false
	}
	switch name {
	case "header_value", "headerValue", "parameter_value", "parameterValue", "field_value", "fieldValue", "attribute_value", "attributeValue":
		return true
	}
	return false
}

// isMember reports whether a name says no more than that the value of the map around it
// follows.
func isMember(name string) bool {
	return detect.MemberName(name) || name == "plain" || name == "original"
}

// isLast reports whether the last part of an attribute's name says no more than that the
// value of what is before it follows.
func isLast(part string) bool {
	return detect.ValueName(part) || part == "raw" || part == "original"
}

// listed is the list of names beside a list of values, of the same length.
func (s *siblings) listed(name string, v pcommon.Value) (pcommon.Slice, bool) {
	if name != "values" && name != "Values" || v.Type() != pcommon.ValueTypeSlice {
		return pcommon.Slice{}, false
	}
	if !s.sought {
		s.sought = true
		for _, key := range [...]string{"names", "Names", "keys", "headers", "columns", "fields", "parameters"} {
			if list, ok := s.of.Get(key); ok && list.Type() == pcommon.ValueTypeSlice {
				s.names, s.lists = list.Slice(), true
				break
			}
		}
	}
	return s.names, s.lists && s.names.Len() == v.Slice().Len()
}

// parallel visits a list of values, each behind the name at its place in another list.
func (m *Masker) parallel(in names, list, of pcommon.Slice, outer frame, depth int) {
	for i := range of.Len() {
		behind := outer
		if name := list.At(i); name.Type() == pcommon.ValueTypeStr && len(name.Str()) <= maxName && nameLike(name.Str()) {
			behind = outer.member(name.Str())
		}
		m.value(in, of.At(i), behind, depth)
	}
}

// said is the name that an element of a list says the next one has: "code_verifier=",
// "the access token is"; "" when it says none. Behind prose a value must look random, as it
// must behind a comma: "the client secret is" may also say how it is.
func said(s string) (name string, prose bool) {
	s = strings.TrimRight(s, " ")
	if len(s) > maxName || s == "" {
		return "", false
	}
	switch last := s[len(s)-1]; {
	case last == '=' || last == ':':
		s = s[:len(s)-1]
		prose = strings.Contains(s, " ")
	case strings.HasSuffix(s, " is"):
		s, prose = s[:len(s)-len(" is")], true
	default:
		return "", false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c), c >= '0' && c <= '9', c == '_', c == '-', c == '.', c == ' ':
		default:
			return "", false
		}
	}
	return strings.TrimRight(s, " "), prose
}

// isUserFlag reports whether an element of a command's arguments says that the next one
// is user and password, as curl's does.
func isUserFlag(command, flag string) bool {
	return (flag == "-u" || flag == "--user") && (command == "curl" || strings.HasSuffix(command, "/curl") || strings.HasSuffix(command, "curl.exe"))
}

// credentials is the frame of a user and password.
var credentials = named("basic_auth")
