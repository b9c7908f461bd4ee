package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

func TestValueNames(t *testing.T) {
	for name := range valueNames {
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if !ValueName(spelled) {
				t.Errorf("%s is the name of a value", spelled)
			}
		}
	}
	for _, name := range []string{"", "vv", "code", "http.method", "Values2", strings.Repeat("v", 100), "é"} {
		if ValueName(name) {
			t.Errorf("%s is no name of a value", name)
		}
	}
}

// framing gathers one record in all ways and finds a verifier in each of its fields.
func TestGatheredFields(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db := compile(t, set)
	v := func(c string) string { return "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFO" + c + "jXk" }
	b := &Batch{}
	b.Reset()
	b.OpenScope()
	b.AddString(0, "code_verifier="+v("a"))
	b.AddPair(0, "code_verifier="+v("b"), "x")
	b.AddPair(0, "oauth.code_verifier", v("c"))
	b.OpenScope()
	b.AddFramed(0, Frame{Name: "code_verifier"}, v("d"))
	b.AddFramed(0, Frame{Name: "headers", Before: "code_verifier"}, v("e"))
	b.AddFramed(0, Frame{Name: "code_verifier", Before: "other"}, v("f"))
	b.CloseScope()
	text := []byte(v("g"))
	b.AddFramedBytes(0, Frame{Name: "code_verifier"}, len(text), func(i int) byte { return text[i] })
	b.AddFramedBytes(0, Frame{}, len(text), func(i int) byte { return text[i] })
	b.CloseScope()
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	findings, _, err := s.Scan(b)
	if err != nil {
		t.Fatal(err)
	}
	var segments []int
	for i := range findings {
		f := &findings[i]
		segments = append(segments, f.Segment)
		if f.RecordLow != 0 || f.RecordHigh < b.Segments()[8].End {
			t.Errorf("segment %d: the record is %d to %d", f.Segment, f.RecordLow, f.RecordHigh)
		}
		if n := f.End - f.Start; n != 43 {
			t.Errorf("segment %d: %d bytes found: %q", f.Segment, n, b.Bytes()[f.Start:f.End])
		}
	}
	if want := []int{0, 1, 4, 5, 6, 7, 8, 9}; !slices.Equal(segments, want) {
		t.Errorf("found in %v, want %v\n%s", segments, want, b.Bytes())
	}
	lo, hi := Scope(b.Bytes(), b.Segments()[6].Start, 1)
	if !strings.Contains(string(b.Bytes()[lo:hi]), "headers") || strings.Contains(string(b.Bytes()[lo:hi]), "oauth") {
		t.Errorf("the scope is %q", b.Bytes()[lo:hi])
	}
}

// A framed name that ends in a weak key is another name all the same, whatever stands
// beside it: a status code is no authorization code.
func TestFramedLookAlikes(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := compile(t, set).NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, want := range map[string]int{"http.response.status_code": 0, "country_code": 0, "csrf_token": 0, "code": 1} {
		b := &Batch{}
		b.Reset()
		b.AddString(0, "response_type=code")
		b.AddFramed(0, Frame{Name: name}, "q7Zk2SplxlOBeZQQYbYS6WxSbIA")
		findings, _, err := s.Scan(b)
		if err != nil || len(findings) != want {
			t.Errorf("%s: %d findings, want %d, %v", name, len(findings), want, err)
		}
	}
}
