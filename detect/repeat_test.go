package detect

import (
	"fmt"
	"strings"
	"testing"
)

// A large record with many values is searched in one pass, with the same outcome
// as a small one: repeats between pairs are found, words that hold a value are not.
func TestRepeatsInLargeRecords(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	var text strings.Builder
	var want []string
	tail := random(base64url, 8)
	for i := range 300 {
		v := random(base64url, 35) + tail // values that end alike
		slashed := "4/0A" + v
		fmt.Fprintf(&text, "code_verifier=%s;%s x%s %sx ", v, v, v, v)
		want = append(want, v, v)
		if i%10 == 0 {
			fmt.Fprintf(&text, "client_id=a&code=%s %s ", strings.Replace(slashed, "/", "%2F", 1), slashed)
			want = append(want, strings.Replace(slashed, "/", "%2F", 1), slashed)
		}
	}
	text.WriteString("end " + want[0])
	want = append(want, want[0])
	if text.Len() < 2*fewRepeats/300 {
		t.Fatal("the record is too small")
	}
	found := scanText(t, s, text.String())
	got := values(text.String(), found)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("finding %d is %q, want %q", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d findings, want %d", len(got), len(want))
	}
	for _, c := range s.values[:cap(s.values)] {
		if c != 0 {
			t.Fatal("values are left in memory")
		}
	}
}

// Both ways of searching find the same.
func TestBothSearchesAgree(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	a, b := random(base64url, 42)+"7", random(base64url, 42)+"8"
	short := "code_verifier=A (A) code_verifier=B,A;B|AB BA xA \\nA %26A \"B\""
	long := short + strings.Repeat(" .", fewRepeats)
	fill := strings.NewReplacer("A", a, "B", b)
	few := scanText(t, s, fill.Replace(short))
	many := scanText(t, s, fill.Replace(long))
	if len(few) != len(many) || len(few) < 7 {
		t.Fatalf("%d and %d findings", len(few), len(many))
	}
	for i := range few {
		if few[i].Start != many[i].Start || few[i].End != many[i].End || few[i].Repeat != many[i].Repeat {
			t.Errorf("finding %d: [%d,%d) and [%d,%d)", i, few[i].Start, few[i].End, many[i].Start, many[i].End)
		}
	}
}
