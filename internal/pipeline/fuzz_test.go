package pipeline

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// spliced are the actions that hold in text spliced at random. A removed value
// leaves none of its bounds there, so remove is tested on whole templates only.
var spliced = []redact.Action{
	redact.ActionMask, redact.ActionHash, redact.ActionPartial, redact.ActionDropRecord, redact.ActionReport,
}

// splice puts filled templates into text at random places. The one with S256 is
// left out: cut anywhere, its method may become part of a secret.
func splice(rnd *rand.Rand, text string) string {
	for range rnd.IntN(3) {
		template := templates[rnd.IntN(len(templates))]
		if strings.Contains(template, "S256") {
			continue
		}
		secret, _ := filled(rnd, template)
		if rnd.IntN(3) == 0 {
			secret = secret[rnd.IntN(len(secret)):]
		}
		at := rnd.IntN(len(text) + 1)
		text = text[:at] + secret + text[at:]
	}
	return text
}

// Whatever the bytes, under every policy: no panic, nothing outside findings
// changes, a second run changes nothing but what touches a mask, JSON and queries
// stay what they were, and the findings are the same for each line alone.
func FuzzLines(f *testing.F) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 7))
	for i, template := range templates {
		text, _ := filled(rnd, template)
		f.Add([]byte(text), uint64(i), uint8(i))
	}
	f.Add([]byte("{\"a\":\"\xff\xfe\\u00\"}\r\n\x00code=\n"), uint64(3), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64, action uint8) {
		w := worker(t, everywhere(spliced[int(action)%len(spliced)]))
		in := splice(rand.New(rand.NewPCG(seed, 1)), string(text))
		checkMasked(t, w, in, false)
		checkSplit(t, w, in)
	})
}

// place is what a finding is, without its surroundings.
type place struct {
	start, end int
	rule       string
	print      redact.Fingerprint
	client     string
}

func places(results []Result, shift int) []place {
	var out []place
	for _, r := range results {
		out = append(out, place{r.Start + shift, r.End + shift, r.Rule.ID, r.Fingerprint, r.Client.ID})
	}
	return out
}

// checkSplit wants the same findings and bytes from the whole as from its lines,
// each told what the one before ended in.
func checkSplit(t testing.TB, w *Worker, in string) {
	t.Helper()
	whole := w.masked([]byte(in))
	want, text := places(whole.Results, 0), string(whole.Text())
	var got []place
	var parts strings.Builder
	at, before := 0, detect.Open{}
	for _, line := range strings.SplitAfter(in, "\n") {
		one := &Lines{}
		w.LinesBehind(one, []byte(line), before)
		before = one.Open
		got = append(got, places(one.Results, at)...)
		parts.Write(one.Text())
		at += len(line)
	}
	if len(got) != len(want) || parts.String() != text {
		t.Fatalf("%d findings in the whole, %d line by line:\n%q", len(want), len(got), in)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("finding %d differs line by line: %+v, %+v\n%q", i, got[i], want[i], in)
		}
	}
}

// Random splices of templates, more often than the fuzzer's seeds run.
func TestSplicedLines(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 2))
	noise := []string{"", "\n", " ", "\r\n", `"`, `\`, `{"a":"b"}`, "%3D", "&", "x=y ", `\"`, "\xff\x00", "{", "}", "%25", `\u0022`, "'"}
	for _, action := range spliced {
		w := worker(t, everywhere(action))
		for range 400 {
			var in strings.Builder
			for range 1 + rnd.IntN(4) {
				in.WriteString(noise[rnd.IntN(len(noise))])
				in.WriteString(splice(rnd, noise[rnd.IntN(len(noise))]))
			}
			checkMasked(t, w, in.String(), false)
			checkSplit(t, w, in.String())
			if t.Failed() {
				t.Fatalf("seed %d, action %s", seed, action)
			}
		}
	}
}

// Under mask, no eight bytes in a row of a value are left in its mask, and the
// whole value nowhere in the record.
func TestNothingOfTheValueIsLeft(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 3))
	w := worker(t, nil)
	for _, template := range templates {
		for range 20 {
			in, secrets := filled(rnd, template)
			out := w.masked([]byte(in)).Text()
			for _, secret := range secrets {
				for i := 0; i+8 <= len(secret); i++ {
					piece := []byte(secret[i : i+8])
					if bytes.Contains(out, piece) && strings.Count(in, string(piece)) == strings.Count(in, secret) {
						t.Errorf("bytes %d to %d are left:\n in %q\nout %q", i, i+8, in, out)
					}
				}
			}
		}
	}
}

// Masks of equal length, for payloads that are not text: the length stays, a
// second run changes nothing, no eight bytes are left.
func TestEqualLength(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 4))
	for _, action := range []redact.Action{redact.ActionMask, redact.ActionHash, redact.ActionPartial, redact.ActionRemove} {
		w := worker(t, everywhere(action))
		for _, template := range templates {
			for range 10 {
				in, _ := filled(rnd, template)
				once := maskEqual(t, w, in)
				if len(once) != len(in) {
					t.Errorf("%s: %d bytes became %d", action, len(in), len(once))
				}
				if twice := maskEqual(t, w, once); twice != once {
					t.Errorf("%s: the second run changes\n in %q\n 1st %q\n 2nd %q", action, in, once, twice)
				}
			}
		}
	}
}

func maskEqual(t *testing.T, w *Worker, in string) string {
	t.Helper()
	b := newBatch(in)
	if _, err := w.Find(b); err != nil {
		t.Fatal(err)
	}
	out, _, _, err := w.MaskSegment(nil, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The kinds that a policy names are treated as it says, all others masked.
func TestPoliciesByKind(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 5))
	policy := redact.Policy{rules.RefreshToken: redact.ActionReport, rules.AccessToken: redact.ActionRemove, rules.IDToken: redact.ActionHash}
	w := worker(t, policy)
	refresh, access, id := draw(rnd, base64url, 40)+"a7", draw(rnd, base64url, 40)+"b7", draw(rnd, base64url, 40)+"c7"
	in := `{"refresh_token":"` + refresh + `","access_token":"` + access + `","id_token":"` + id + `","device_code":"` + id[1:] + `x"}`
	out := string(w.masked([]byte(in)).Text())
	for _, want := range []string{
		`"refresh_token":"` + refresh + `"`, `"access_token":""`, `"id_token":"HASHED.` + testKey.ID() + `.`,
		`"device_code":"REDACTED.device_code.` + testKey.ID() + `.`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
}
