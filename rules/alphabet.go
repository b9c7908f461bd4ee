package rules

// Alphabets are the sets of bytes that values are made of. The walk over a
// value also follows escapes (%2F, \/, \u003d) whose decoded byte is in the set.
var Alphabets = map[string]string{
	"unreserved": alnum + "-._~", // RFC 3986 §2.3, RFC 7636 §4.1
	"base64url":  alnum + "-_",
	"base64":     alnum + "-_+/=",
	"jwt":        alnum + "-_.",
	"alnum":      alnum,
	"hex":        "0123456789abcdefABCDEF",
	"token":      alnum + "-._~+/=!*$",      // RFC 6750 §2.1 and what vendors add
	"cookie":     alnum + "-._~+/=!*$|:@^#", // RFC 6265 §4.1.1 less what ends a value in dumps
	"user_code":  alnum + "-",
	"urn":        alnum + "-._~:",
	// visible is anything: in quotes up to the closing quote, else up to a
	// delimiter of the surrounding syntax.
	"visible": visible,
}

const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const visible = alnum + "-._~+/=!*$|:@^#?"
