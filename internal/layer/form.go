// Package layer knows the encodings in which a value may stand in a log:
// percent-encoding, JSON string escapes, HTML's numeric character references, base64,
// hexadecimal, and gzip in base64. It decodes a value from what
// is written, and writes a replacement back inside the same encoding. It is a
// leaf: it imports nothing of ours, does no I/O and keeps no byte it was given.
package layer

// Base64 says whether a value is inside a base64 blob, and how that is written.
type Base64 uint8

// The alphabets of RFC 4648 §4, §5 and §8 (base16: hexadecimal, in capitals or not).
const (
	NoBase64 Base64 = iota
	Base64Std
	Base64URL
	HexLower
	HexUpper
)

// Form says how a value is written where it stands. The zero Form is a value
// written as it is.
type Form struct {
	// Percent is set when bytes of the value are percent-encoded (to any depth).
	Percent bool
	// Backslash is set when bytes of the value are written as \/, \uXXXX or \xXX,
	// to any depth of doubled backslashes.
	Backslash bool
	// Entity is set when bytes of the value are written as numeric character
	// references of HTML: &#61; or &#x3D;.
	Entity bool
	// Base64 is set when the value is the tail of a base64 blob, as the password
	// of Basic credentials is (RFC 7617): Lead decoded bytes ("user:") come first.
	Base64 Base64
	Lead   int
	// Fill is set when the value is a column of a row of a dump, whose replacement must
	// have its length: see AppendFill.
	Fill Fill
	// Gzip is set when the blob holds gzip data. It is not written again.
	Gzip bool
}
