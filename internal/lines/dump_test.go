package lines

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/leakveil/leakveil/detect"
)

// dumps is text with dumps of requests as curl traces them, each with a secret, and
// pairs over lines between them.
func dumps(n int) (text string, secrets []string) {
	var b strings.Builder
	for i := range n {
		s := solid(43)
		secrets = append(secrets, s)
		body := strings.Repeat("z", i%17) + " grant_type=refresh_token&refresh_token=" + s + "&scope=openid"
		fmt.Fprintf(&b, "=> Send data, %d bytes\n", len(body))
		for at := 0; at < len(body); at += 16 {
			row := body[at:min(len(body), at+16)]
			fmt.Fprintf(&b, "%04x: %-48s%s\n", at, fmt.Sprintf("% x", row), row)
		}
		s = solid(43)
		secrets = append(secrets, s)
		fmt.Fprintf(&b, "== Info: done\nclient_secret: |\n  %s\nnext: 1\n", s)
	}
	return b.String(), secrets
}

// What a dump or a pair over lines hides does not depend on where the input is cut.
func TestDumpsAcrossPieces(t *testing.T) {
	text, secrets := dumps(60)
	o := options(t)
	var reference string
	for _, workers := range []int{1, 3} {
		for _, arena := range []int{2 << 10, 8 << 10, 256 << 10} {
			o.Workers, o.Arena = workers, arena
			var out bytes.Buffer
			stats, err := Copy(&out, iotest.HalfReader(strings.NewReader(text)), o)
			if err != nil || stats.Findings != int64(len(secrets)) {
				t.Fatalf("workers %d arena %d: %d findings of %d, %v", workers, arena, stats.Findings, len(secrets), err)
			}
			if reference == "" {
				reference = out.String()
			}
			if out.String() != reference {
				t.Fatalf("workers %d arena %d: another outcome", workers, arena)
			}
		}
	}
	if strings.Count(reference, "\n") != strings.Count(text, "\n") {
		t.Error("line ends changed")
	}
	for _, s := range secrets {
		if strings.Contains(reference, s[8:24]) || strings.Contains(reference, fmt.Sprintf("% x", s[8:14])) {
			t.Fatal("a part passed")
		}
	}
	for _, line := range strings.Split(reference, "\n") {
		if strings.HasPrefix(line, "00") && !detect.IsDumpRow([]byte(line)) {
			t.Fatalf("no row of a dump: %q", line)
		}
	}
	o.OnFound = nil
	var again bytes.Buffer
	if stats, err := Copy(&again, strings.NewReader(reference), o); err != nil || stats.Findings != 0 || again.String() != reference {
		t.Errorf("a second run: %d findings, %v", stats.Findings, err)
	}
}
