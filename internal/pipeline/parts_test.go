package pipeline

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/redact"
)

// Parts put together are what masking line by line gives, each of them whole
// lines, and long clean stretches stand in the input.
func TestPartsAreTheText(t *testing.T) {
	for _, action := range []redact.Action{redact.ActionMask, redact.ActionDropRecord, redact.ActionReport} {
		w := worker(t, redact.Policy{"code_verifier": action})
		r := rand.New(rand.NewPCG(rand.Uint64(), 10))
		for round := range 40 {
			var text bytes.Buffer
			for range r.IntN(12) {
				text.WriteString(strings.Repeat("nothing to see in this line\r\n", r.IntN(2)*r.IntN(3000)))
				if r.IntN(3) > 0 {
					fmt.Fprintf(&text, "GET /?code_verifier=%s HTTP/1.1", draw(r, base64url, 42)+"7")
				}
				text.WriteString([]string{"\n", "\r\n", ""}[r.IntN(3)])
			}
			in := text.Bytes()
			got := w.masked(in)
			var want []byte
			for line := range bytes.Lines(in) {
				want = append(want, w.masked(line).Text()...)
			}
			if !bytes.Equal(got.Text(), want) {
				t.Fatalf("%s, round %d: parts differ from the lines masked alone", action, round)
			}
			for i, part := range got.Parts {
				if i < len(got.Parts)-1 && !bytes.HasSuffix(part, []byte("\n")) {
					t.Fatalf("%s, round %d: part %d of %d ends inside a line", action, round, i, len(got.Parts))
				}
			}
			if n := len(got.written); n > (farApart+200)*max(1, len(got.Results)+1) {
				t.Errorf("%s, round %d: %d bytes were written for %d findings", action, round, n, len(got.Results))
			}
		}
	}
}
