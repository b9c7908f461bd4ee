package detect

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// failing is an engine that fails in one way, once.
type failing struct {
	engine
	fail func() error
}

func (f *failing) scan([]byte, *[]event) error { return f.fail() }

// Whatever breaks, Scan gives an error and no finding, and the next Scan works.
func TestScannerSurvivesFailures(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	text := []byte("GET /cb?code=" + random(base64url, 43) + "&state=s1")
	broken := errors.New("broken")
	for name, breaks := range map[string]func(){
		"engine error": func() { s.engine = &failing{s.engine, func() error { return broken }} },
		"engine panic": func() { s.engine = &failing{s.engine, func() error { panic(string(text)) }} },
	} {
		t.Run(name, func(t *testing.T) {
			breaks()
			var b Batch
			b.SetLines(text)
			found, _, err := s.Scan(&b)
			if err == nil || len(found) > 0 {
				t.Fatalf("found %d, error %v", len(found), err)
			}
			if strings.Contains(err.Error(), "code=") {
				t.Error("the error holds bytes of the record")
			}
			if again := scanText(t, s, string(text)); len(again) != 1 {
				t.Errorf("afterwards found %d", len(again))
			}
		})
	}
}

func TestScannerSurvivesAPanickingCheck(t *testing.T) {
	db, err := Compile(defaultSet(t)) // of its own: its triggers are changed
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	value := random(base64url, 43)
	armed := true
	for _, tr := range db.triggers {
		tr.checks = append(tr.checks, func(*Scanner, *candidate, []byte) bool {
			if armed {
				panic(value)
			}
			return true
		})
	}
	var b Batch
	b.SetLines([]byte("code_verifier=" + value))
	found, _, err := s.Scan(&b)
	if err == nil || len(found) > 0 || strings.Contains(err.Error(), value) {
		t.Fatalf("found %d, error %v", len(found), err)
	}
	armed = false
	if again := scanText(t, s, "code_verifier="+value); len(again) != 1 {
		t.Errorf("afterwards found %d", len(again))
	}
}

// After a scan no decoded value is left in the scanner's memory.
func TestScratchIsWiped(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	value := random(base64url, 43)
	scanText(t, s, "code_verifier="+value[:20]+`\u002d`+value[20:])
	if cap(s.scratch) == 0 {
		t.Fatal("nothing was decoded")
	}
	for _, c := range s.scratch[:cap(s.scratch)] {
		if c != 0 {
			t.Fatal("decoded bytes are left")
		}
	}
}

// The same text has the same findings, whatever was scanned before, by any scanner.
func TestScanIsDeterministic(t *testing.T) {
	set := defaultSet(t)
	text := string(sample(t, set, rand.New(rand.NewPCG(rand.Uint64(), 5))))
	one, two := newScanner(t, set), newScanner(t, set)
	want := scanText(t, one, text)
	if len(want) < 20 {
		t.Fatalf("the sample has %d findings only", len(want))
	}
	scanText(t, two, strings.ToUpper(text[:len(text)/2]))
	for _, s := range []*Scanner{one, two} {
		if got := scanText(t, s, text); !sameFindings(got, want) {
			t.Error("findings differ")
		}
	}
	for i := range want[1:] {
		if want[i+1].Blob < want[i].End {
			t.Errorf("findings %d and %d overlap", i, i+1)
		}
	}
}

// sameFindings compares all but the rule's address.
func sameFindings(a, b []Finding) bool {
	return slices.EqualFunc(a, b, func(x, y Finding) bool {
		same := x.Rule.ID == y.Rule.ID
		x.Rule, y.Rule = nil, nil
		return same && reflect.DeepEqual(x, y)
	})
}

// A long arena goes to the engine in windows: what lies across their borders is
// found as anywhere else.
func TestSecretsAcrossWindows(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	secret := `{"client_id":"app","code_verifier": "` + random(base64url, 43) + `"}`
	weak := "GET /cb?code=" + random(base64url, 43) + "&state=s1"
	for _, text := range []string{secret, weak} {
		for shift := -len(text) - 2; shift <= 2; shift += 3 {
			arena := bytes.Repeat([]byte("level=info msg=ready\n"), 3*scanWindow/21)
			var at []int
			for _, border := range []int{scanWindow, 2*scanWindow - maxTrigger, scanWindow - maxTrigger} {
				if p := border + shift; p > 0 && (len(at) == 0 || p > at[0]+len(text)+1 || p < at[0]-len(text)-1) {
					at = append(at, p)
					copy(arena[p-1:], "\n"+text+"\n")
				}
			}
			if found := scanText(t, s, string(arena)); len(found) != len(at) {
				t.Fatalf("shift %d: %d of %d found", shift, len(found), len(at))
			}
		}
	}
}

// Windows change no finding: the sample alone, and behind padding of any length.
func TestWindowsChangeNothing(t *testing.T) {
	set := defaultSet(t)
	s := newScanner(t, set)
	text := sample(t, set, rand.New(rand.NewPCG(rand.Uint64(), 6)))
	want := scanText(t, s, string(text))
	for range 4 {
		pad := scanWindow - rand.IntN(len(text))
		arena := append(bytes.Repeat([]byte("."), pad-1), '\n')
		arena = append(append(arena, text...), bytes.Repeat([]byte("\n"), scanWindow)...)
		got := scanText(t, s, string(arena))
		if len(got) != len(want) {
			t.Fatalf("%d findings behind %d bytes, %d alone", len(got), pad, len(want))
		}
		for i := range got {
			if got[i].Start-pad != want[i].Start || got[i].End-pad != want[i].End || got[i].Rule.ID != want[i].Rule.ID {
				t.Errorf("finding %d is another", i)
			}
		}
	}
}

// A scanner for public facts gives observations and no findings.
func TestRoles(t *testing.T) {
	db := compile(t, defaultSet(t), rules.RoleLink)
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	challenge := random(base64url, 43)
	text := "x\nGET /authorize?code_challenge=" + challenge + "&code_challenge_method=S256&code_verifier=" + random(base64url, 43)
	var b Batch
	b.SetLines([]byte(text))
	found, seen, err := s.Scan(&b)
	if err != nil || len(found) != 0 || len(seen) != 1 {
		t.Fatalf("%d findings, %d observations, error %v", len(found), len(seen), err)
	}
	o := seen[0]
	if o.Rule.ID != "pkce-challenge" || text[o.Start:o.End] != challenge || o.RecordLow != 2 || o.RecordHigh != len(text) {
		t.Errorf("observed %q of [%d,%d)", text[o.Start:o.End], o.RecordLow, o.RecordHigh)
	}
	for _, tr := range db.Triggers() {
		if tr.Role() != rules.RoleLink {
			t.Errorf("%s: role %s", tr.Rule.ID, tr.Role())
		}
	}
}

// A record of nothing but values takes bounded memory: it fails as a whole, and
// the scanner goes on.
func TestTooManyValues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	value := random(base64url, 43)
	for name, text := range map[string]string{
		"found":    strings.Repeat("code_verifier="+random(base64url, 43)+"&", maxFindings+2),
		"repeated": "code_verifier=" + value + strings.Repeat(" "+value, maxFindings+2),
	} {
		var b Batch
		b.SetLines([]byte(text))
		if found, _, err := s.Scan(&b); !errors.Is(err, ErrTooMany) || len(found) > 0 {
			t.Errorf("%s: %d found, error %v", name, len(found), err)
		}
		if again := scanText(t, s, "code_verifier="+value); len(again) != 1 {
			t.Errorf("%s: afterwards found %d", name, len(again))
		}
	}
}
