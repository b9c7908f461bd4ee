package lines

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// printable are values in quoted-printable, broken over lines, and values that end in
// padding with more behind it.
func printable(n int) string {
	var b strings.Builder
	for i := range n {
		v := solid(30 + rand.IntN(60))
		pad := base64.StdEncoding.EncodeToString([]byte(solid(16 + i%3)))
		switch i % 6 {
		case 0:
			fmt.Fprintf(&b, "%s access_token=3D%s=\n%s and more\n", strings.Repeat("w", i%40), v[:25], v[25:])
		case 1:
			fmt.Fprintf(&b, "https://x/cb?code=3D%s&state=3D%s=\n%s\n", v[:30], solid(8), solid(8))
		case 2:
			fmt.Fprintf(&b, "refresh_token: %s=\n%s\n", v[:25], v[25:])
		case 3:
			fmt.Fprintf(&b, "access_token=%s%s\n", pad, solid(8+i%9))
		case 4:
			fmt.Fprintf(&b, "client_secret=3D%s=3D=3D%s==\n", pad, solid(8))
		default:
			fmt.Fprintf(&b, "api_key=%s===%s&x=1\n", strings.TrimRight(pad, "="), solid(8))
		}
	}
	return b.String()
}

// A value may begin as quoted-printable would have it: it is masked whole in a line
// that is none.
func TestNoPrintable(t *testing.T) {
	o := options(t)
	v := "3D" + solid(41)
	var out bytes.Buffer
	text := "client_id=web&code_verifier=" + v + " client_id=web&code_verifier=" + v + "\n"
	if _, err := Copy(&out, strings.NewReader(text), o); err != nil || strings.Contains(out.String(), "=3D") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// A second run changes nothing, and quoted-printable keeps its signs.
func TestSecondRunOfPrintable(t *testing.T) {
	o := options(t)
	text := printable(600)
	run := func(text string) string {
		var out bytes.Buffer
		if _, err := Copy(&out, strings.NewReader(text), o); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	once := run(text)
	before, after := strings.Split(text, "\n"), strings.Split(once, "\n")
	again := strings.Split(run(once), "\n")
	if len(before) != len(after) || len(again) != len(after) {
		t.Fatalf("%d lines, then %d, then %d", len(before), len(after), len(again))
	}
	for i, line := range after {
		if again[i] != line {
			t.Errorf("%q became %q, and then %q", before[i], line, again[i])
		}
		soft := strings.HasSuffix(before[i], "=") && !strings.HasSuffix(before[i], "==") && strings.Contains(before[i], "=3D")
		if soft && (!strings.HasSuffix(line, "=") || !strings.Contains(line, "=3DREDACTED.")) {
			t.Errorf("%q became %q", before[i], line)
		}
	}
}
