package redact_test

import (
	"strings"
	"testing"

	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func TestParsePolicy(t *testing.T) {
	policy, err := redact.ParsePolicy(map[string]string{"jwt": "partial", "access_token": "hash", "user_code": "drop_record"})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[rules.Kind]redact.Action{
		rules.JWT: redact.ActionPartial, rules.AccessToken: redact.ActionHash,
		rules.UserCode: redact.ActionDropRecord, rules.ClientSecret: redact.ActionMask,
	} {
		if got := policy.Action(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func TestParsePolicyErrors(t *testing.T) {
	for _, tc := range []struct {
		name    string
		entries map[string]string
		want    []string
	}{
		{"kind", map[string]string{"acces_tokn": "mask"}, []string{`"acces_tokn"`, "nearest is access_token"}},
		{"action", map[string]string{"jwt": "droprecord"}, []string{"jwt", `"droprecord"`, "nearest is drop_record"}},
		{"the first of two", map[string]string{"jwt": "maks", "zzz": "mask"}, []string{"jwt"}},
		{"partial code", map[string]string{"authorization_code": "partial"}, []string{"authorization_code", "partial"}},
		{"partial verifier", map[string]string{"code_verifier": "partial"}, []string{"code_verifier"}},
		{"partial device code", map[string]string{"device_code": "partial"}, []string{"device_code"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := redact.ParsePolicy(tc.entries)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// A policy that a program puts together itself can err only towards masking.
func TestHandMadePolicyMasks(t *testing.T) {
	policy := redact.Policy{rules.CodeVerifier: redact.ActionPartial, rules.JWT: "reprot", rules.IDToken: ""}
	for kind := range policy {
		if got := policy.Action(kind); got != redact.ActionMask {
			t.Errorf("%s: %s, want mask", kind, got)
		}
	}
	if got := redact.Policy(nil).Action(rules.JWT); got != redact.ActionMask {
		t.Errorf("no policy: %s, want mask", got)
	}
}

func TestIsText(t *testing.T) {
	for _, tc := range []struct {
		payload string
		want    bool
	}{
		{"", true}, {"a\tb\r\n\f\b", true}, {"\x1b[31mred\x1b[0m", true}, {"caf\u00e9 \u4e2d", true},
		{"\n!" + strings.Repeat("a", 33), false}, {"\n\" " + strings.Repeat("a", 33) + "\"%" + strings.Repeat("b", 37), false},
		{"\n!" + strings.Repeat("a", 34), true}, {"\n!" + strings.Repeat("a", 32), true}, {"\n", true}, {"\n\n", true}, {"\nA line\nanother", true},
		{"\x00", false}, {"a\x01b", false}, {"a\x0bb", false}, {"a\x7fb", false}, {"\xff\xfe", false}, {"caf\xe9", false},
	} {
		if got := redact.IsText([]byte(tc.payload)); got != tc.want {
			t.Errorf("IsText(%q) = %t, want %t", tc.payload, got, tc.want)
		}
	}
}
