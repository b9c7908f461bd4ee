package detect

import (
	"fmt"
	"strings"
	"testing"
)

// Rows of a dump of text are followed by their offsets, and by nothing else.
func TestRowsOfADumpAreFollowed(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 200 {
		v := random(base64url, 61)
		body := random("abcdefgh", 20) + "&code_verifier=" + v + "&grant_type=authorization_code"
		var rows []string
		for at := 0; at < len(body); at += 64 {
			rows = append(rows, fmt.Sprintf("%04x: %s", at, body[at:min(len(body), at+64)]))
		}
		text := "=> Send data\n" + strings.Join(rows, "\n") + "\n== Info\n"
		b := &Batch{}
		b.SetLines([]byte(text))
		found, _, err := s.Scan(b)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, f := range found {
			got.WriteString(text[f.Start:f.End])
		}
		if got.String() != v {
			t.Fatalf("found %q of %q in\n%s", got.String(), v, text)
		}
		// With another offset the row is a row of something else.
		other := strings.Replace(text, "\n0040: ", "\n0048: ", 1)
		b.SetLines([]byte(other))
		if found, _, _ = s.Scan(b); len(found) != 1 || found[0].End != strings.Index(other, "\n0048: ") {
			t.Fatalf("%d findings in\n%s", len(found), other)
		}
	}
}
