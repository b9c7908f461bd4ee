package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// needles finds thousands of secrets in hundreds of megabytes: by their first
// bytes.
type needles struct {
	first map[[needleStart]byte][]needle
	seen  [1 << 16]bool // the first two bytes of any
	count int
}

const needleStart = 6

type needle struct{ text, form string }

// add looks for a secret as it is and in each encoding that may carry it.
func (n *needles) add(t *testing.T, secret string) {
	t.Helper()
	forms := map[string]string{"plain": secret, "percent-encoded": url.QueryEscape(secret), "path-escaped": url.PathEscape(secret),
		"percent-encoded twice": url.QueryEscape(url.QueryEscape(secret))}
	escaped, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	forms["JSON"] = strings.Trim(string(escaped), `"`)
	forms["JSON of PHP"] = strings.ReplaceAll(forms["JSON"], "/", `\/`)
	for shift := range 3 {
		whole := (len(secret) + shift) / 3 * 3
		lead := strings.Repeat("x", shift) + secret
		skip := []int{0, 2, 3}[shift] // the characters that the lead has a part in
		forms["base64 "+string('0'+rune(shift))] = base64.StdEncoding.EncodeToString([]byte(lead[:whole]))[skip:]
		forms["base64url "+string('0'+rune(shift))] = base64.URLEncoding.EncodeToString([]byte(lead[:whole]))[skip:]
	}
	if n.first == nil {
		n.first = map[[needleStart]byte][]needle{}
	}
	for form, text := range forms {
		if len(text) < needleStart {
			t.Fatalf("a secret is too short to be looked for: %d bytes, %s", len(text), form)
		}
		start := [needleStart]byte([]byte(text))
		n.first[start] = append(n.first[start], needle{text, form})
		n.seen[int(text[0])<<8|int(text[1])] = true
		n.count++
	}
}

// in tells in which form a secret is in text, "" for none.
func (n *needles) in(text []byte) string {
	for i := 0; i+needleStart <= len(text); i++ {
		if !n.seen[int(text[i])<<8|int(text[i+1])] {
			continue
		}
		for _, needle := range n.first[[needleStart]byte(text[i:i+needleStart])] {
			if bytes.HasPrefix(text[i:], []byte(needle.text)) {
				return needle.form
			}
		}
	}
	return ""
}

// The search itself must be able to find.
func TestNeedlesAreFound(t *testing.T) {
	var n needles
	const secret = "Va/lue+of~a_secret-0123456789"
	n.add(t, secret)
	for _, text := range []string{
		secret, "x" + secret + "y", url.QueryEscape(secret), `{"a":"Va\/lue+of~a_secret-0123456789"}`,
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("a:" + secret)),
		base64.RawURLEncoding.EncodeToString([]byte("b" + secret + "and more")), base64.RawURLEncoding.EncodeToString([]byte("cdefg" + secret)),
	} {
		if n.in([]byte("before "+text+" after")) == "" {
			t.Errorf("not found in %s", text)
		}
	}
	if form := n.in([]byte("Va/lue+of~a_secret-012345678 and nothing else")); form != "" {
		t.Errorf("found %s in a text without it", form)
	}
}
