package detect

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// maskedAs is a mask with a random fingerprint.
func maskedAs(kind rules.Kind) string {
	return string(rules.AppendMask(nil, kind, random(base64url[:62], 8), random(base64url, rules.FingerprintLen)))
}

// masked replaces what was found by masks, where it is written as it is.
func masked(text string, found []Finding) (string, bool) {
	var out strings.Builder
	end := 0
	for _, f := range found {
		if f.Form.Base64 != 0 || f.Form.Fill != 0 || len(f.Inside) > 0 {
			return "", false
		}
		out.WriteString(text[end:f.Start])
		out.WriteString(maskedAs(f.Kind))
		end = f.End
	}
	return out.String() + text[end:], true
}

// A mask is never masked again, whatever names it or leads to it: in rules' examples,
// in each notation, in lines of products.
func TestMasksAreLeft(t *testing.T) {
	set := defaultSet(t)
	s := newScanner(t, set)
	check := func(name, text string) {
		t.Helper()
		again, ok := masked(text, scanText(t, s, text))
		if !ok {
			return
		}
		if found := scanText(t, s, again); len(found) > 0 {
			t.Errorf("%s: %q: %s", name, again, shown(again, found))
		}
	}
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 2))
	for _, r := range set.Rules {
		for _, e := range r.Examples {
			check(r.ID, render(t, e, rnd).Text)
		}
	}
	for _, n := range notations {
		for _, key := range notationKeys {
			check(n.name, strings.NewReplacer("K", key, "V", random(base64url, 43)).Replace(n.text))
		}
	}
	for _, l := range leaks {
		text, _ := filled(rnd, l.text)
		check(l.name, text)
	}
	for _, text := range []string{"auth: 'web-shop:V',", "auth: { username: 'web', password: 'V' }", "https://web:V@id.example.com/", "curl -u web:V https://id/token", "auth=('web', 'V')"} {
		check("credentials", strings.ReplaceAll(text, "V", maskedAs("client_secret"))+" x")
	}
}
