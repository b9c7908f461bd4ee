package collector_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/leakveil/leakveil/redact"
)

// planted is one secret that an application lets slip, and what an alert of it must say;
// empty where nothing is known.
type planted struct {
	place, value, client, trace, span string
}

// plan is all that one test plants.
type plan struct {
	t   *testing.T
	all []*planted
}

// add makes a secret for a place.
func (p *plan) add(place, client, trace, span string) string {
	s := &planted{place: place, value: secret(), client: client, trace: trace, span: span}
	p.all = append(p.all, s)
	return s.value
}

// forms are the ways in which a value may stand in an output.
func forms(value string) (out [][]byte) {
	for _, text := range []string{value, url.QueryEscape(value), hex.EncodeToString([]byte(value))} {
		out = append(out, []byte(text))
	}
	for shift := range 3 {
		lead := append(bytes.Repeat([]byte("x"), shift), value...)
		whole, skip := lead[:len(lead)/3*3], []int{0, 2, 3}[shift] // the characters that the lead has a part in
		out = append(out, []byte(base64.StdEncoding.EncodeToString(whole)[skip:]), []byte(base64.URLEncoding.EncodeToString(whole)[skip:]))
	}
	return out
}

// searched fails for each secret that stands in one of the outputs.
func (p *plan) searched(outputs map[string][]byte) {
	p.t.Helper()
	for where, text := range outputs {
		if len(text) == 0 {
			p.t.Errorf("%s: empty", where)
		}
		for _, s := range p.all {
			if slices.ContainsFunc(forms(s.value), func(form []byte) bool { return bytes.Contains(text, form) }) {
				p.t.Errorf("%s: what stood in %s came through", where, s.place)
			}
		}
	}
}

// told is what an alert says.
type told struct {
	client, trace, span, kind, field string
	fingerprints                     []string
}

// alerted fails for each secret without an alert that says whose it is and where it was.
func (p *plan) alerted(keyFile string, alerts []told) {
	p.t.Helper()
	key, err := redact.ReadKeyFile("", keyFile)
	if err != nil {
		p.t.Fatal(err)
	}
	f := redact.NewFingerprinter(key)
	for _, s := range p.all {
		print := f.Of([]byte(s.value))
		var seen []told
		for _, a := range alerts {
			if slices.Contains(a.fingerprints, string(print[:])) {
				seen = append(seen, a)
			}
		}
		if !slices.ContainsFunc(seen, func(a told) bool {
			return (s.client == "" || a.client == s.client) && (s.trace == "" || a.trace == s.trace) && (s.span == "" || a.span == s.span)
		}) {
			p.t.Errorf("%s: want an alert with client %q, trace %q, span %q; there are %+v", s.place, s.client, s.trace, s.span, seen)
		}
	}
}

// The search itself must be able to find.
func TestFormsAreFound(t *testing.T) {
	v := "Va/lue+of~a_secret-0123456789"
	for _, text := range []string{
		v, url.QueryEscape(v), hex.EncodeToString([]byte(v)), base64.StdEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte("a:" + v)),
		base64.StdEncoding.EncodeToString([]byte(`{"b":"` + v + `"}`)), base64.StdEncoding.EncodeToString([]byte("cdefg" + v + "and more")),
	} {
		if !slices.ContainsFunc(forms(v), func(form []byte) bool { return bytes.Contains([]byte("before "+text+" after"), form) }) {
			t.Errorf("not found in %s", text)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
