package lines

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestObjects(t *testing.T) {
	o := options(t)
	s := secret(43)
	text := "first\nclient_id=web\ncode_verifier=" + s + "\nlast"
	value, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	in := strings.Join([]string{
		`{"id": 1,  "text": "clean \u00e9 \/", "x":[1, 2]}`,
		`{"id": 2,  "text": ` + string(value) + ` , "x":{"text":"inner"}}`,
		`plain code_verifier=` + s,
		`{"text":"a","text":"code_verifier=` + s + `"}`,
		`{"text": 7}`, ``,
	}, "\n")
	var found []Found
	o.OnFound = func(f Found) error { found = append(found, f); return nil }
	var out bytes.Buffer
	if _, err := CopyObjects(&out, strings.NewReader(in), o); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	want := strings.Split(in, "\n")
	if len(got) != len(want) || got[0] != want[0] || got[4] != want[4] {
		t.Fatalf("clean objects changed:\n%s", out.String())
	}
	if strings.Contains(out.String(), s) {
		t.Fatal("a secret passed")
	}
	if len(found) != 3 || found[0].Line != 1 || text[found[0].From:found[0].To] != s || found[1].Line != 2 || found[2].Line != 3 {
		t.Fatalf("findings: %+v", found)
	}
	if !strings.HasPrefix(got[1], `{"id": 2,  "text": "first\nclient_id=web\ncode_verifier=REDACTED.`) ||
		!strings.HasSuffix(got[1], `\nlast" , "x":{"text":"inner"}}`) || !json.Valid([]byte(got[1])) {
		t.Fatalf("object: %s", got[1])
	}
}
