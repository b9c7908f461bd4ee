package rules_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/rules"
)

const fingerprint = "0123456789abcdefABCD-_"

func TestIsMask(t *testing.T) {
	const whole = "REDACTED.jwt.k1." + fingerprint
	for _, tc := range []struct {
		value string
		want  bool
	}{
		{whole, true},
		{whole + "---", true},
		{"HASHED.k1." + fingerprint, true},
		{"HASHED.k1." + fingerprint + "-", true},
		{"REDACTED.jwt", true},
		{"REDACTED.jwt--", true},
		{"REDACTED", true},
		{"HASHED---", true},
		{".REDACTED", true},
		{"abcd.REDACTED", true},
		{"abcd.REDACTED-", true},
		{"-", true},
		{"", false},
		{"x" + whole, false},
		{whole + "x", false},
		{whole + "-x", false},
		{whole + " ", false},
		{whole[:len(whole)-1], false},
		{"REDACTED.jwt.k1", false},
		{"REDACTED.jwt.secretsecretsecretsecret", false},
		{"REDACTED.jwt.." + fingerprint, false},
		{"REDACTED.jwt." + strings.Repeat("k", 33) + "." + fingerprint, false},
		{"REDACTED.jwt.k+1." + fingerprint, false},
		{"REDACTED.jwt.k1." + strings.Repeat("=", 22), false},
		{"REDACTED.no_kind.k1." + fingerprint, false},
		{"REDACTED.no_kind", false},
		{"REDACTED.", false},
		{"REDACTEDjwt", false},
		{"redacted.jwt.k1." + fingerprint, false},
		{"HASHED.secretsecretsecret", false},
		{"HASHED.secretsecretsecret.secret", false},
		{"HASHED", true},
		{"abcdefghi.REDACTED", false},
		{"ab/d.REDACTED", false},
	} {
		if got := rules.IsMask([]byte(tc.value)); got != tc.want {
			t.Errorf("IsMask(%q) = %t, want %t", tc.value, got, tc.want)
		}
	}
}

func drawMask(t *rapid.T) []byte {
	id := rapid.StringMatching(`[A-Za-z0-9_-]{1,32}`).Draw(t, "key id")
	fp := rapid.StringMatching(`[A-Za-z0-9_-]{22}`).Draw(t, "fingerprint")
	value := []byte(rapid.StringMatching(`[A-Za-z0-9._~+/-]{0,60}`).Draw(t, "value"))
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		return rules.AppendMask(nil, rapid.SampledFrom(rules.Kinds()).Draw(t, "kind"), id, fp)
	case 1:
		return rules.AppendHash(nil, id, fp)
	case 2:
		return rules.AppendPartial(nil, value)
	}
	return nil // what remove leaves
}

func TestEveryMaskIsKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mask := drawMask(t)
		if len(mask) > 0 && !rules.IsMask(mask) {
			t.Errorf("IsMask(%q) = false", mask)
		}
		n := rapid.IntRange(1, 120).Draw(t, "n")
		equal := rules.AppendEqual([]byte("x"), n, mask)[1:]
		if len(equal) != n {
			t.Fatalf("AppendEqual(%d) wrote %d bytes", n, len(equal))
		}
		if !rules.IsMask(equal) {
			t.Errorf("IsMask(%q) = false, cut or filled from %q", equal, mask)
		}
		for _, c := range equal {
			if strings.IndexByte(rules.Alphabets["unreserved"], c) < 0 {
				t.Errorf("%q holds a reserved character", equal)
			}
		}
	})
}

func TestPartialKeepsLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := []byte(rapid.StringMatching(`[ -~]{0,80}`).Draw(t, "value"))
		kept, ok := bytes.CutSuffix(rules.AppendPartial(nil, value), []byte(".REDACTED"))
		if !ok || !bytes.HasPrefix(value, kept) || len(kept) > 4 || len(kept)*8 > len(value) {
			t.Errorf("of %d bytes %d are kept", len(value), len(kept))
		}
	})
}
