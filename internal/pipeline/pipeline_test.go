package pipeline

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/redact"
)

// faulty fails on every batch that holds its mark.
type faulty struct {
	scanner
	mark   string
	panics bool
	calls  int
}

func (f *faulty) Scan(b *detect.Batch) ([]detect.Finding, []detect.Observation, error) {
	f.calls++
	if bytes.Contains(b.Bytes(), []byte(f.mark)) {
		if f.panics {
			panic(string(b.Bytes()))
		}
		return nil, nil, errors.New("cannot scan")
	}
	return f.scanner.Scan(b)
}

func faultyWorker(t *testing.T, mark string, panics bool) *Worker {
	t.Helper()
	w := worker(t, nil)
	w.scanner = &faulty{scanner: w.scanner, mark: mark, panics: panics}
	return w
}

// When a batch fails, each line is tried alone, and only what fails again becomes
// a stub, with nothing of the line but its length.
func TestFailedLinesAreWithheld(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 8))
	for _, panics := range []bool{false, true} {
		w := faultyWorker(t, "POISON", panics)
		v, bad := draw(rnd, base64url, 42)+"7", draw(rnd, base64url, 42)+"8"
		in := "clean\nPOISON code_verifier=" + bad + "\r\ncode_verifier=" + v + "\n\nlast POISON " + bad
		got := w.masked([]byte(in))
		lines := strings.Split(string(got.Text()), "\n")
		if len(lines) != 5 || got.Withheld != 2 || lines[0] != "clean" || lines[3] != "" {
			t.Fatalf("%d lines, %d withheld: %q", len(lines), got.Withheld, got.Text())
		}
		if want := `{"leakveil":"withheld","reason":"scan_failed","len":64}` + "\r"; lines[1] != want {
			t.Errorf("stub %q, want %q", lines[1], want)
		}
		if want := `{"leakveil":"withheld","reason":"scan_failed","len":55}`; lines[4] != want {
			t.Errorf("stub %q, want %q", lines[4], want)
		}
		if !strings.HasPrefix(lines[2], "code_verifier=REDACTED.code_verifier.") || strings.Contains(string(got.Text()), v) {
			t.Errorf("the line between is %q", lines[2])
		}
		if len(got.Results) != 1 || in[got.Results[0].Start:got.Results[0].End] != v {
			t.Errorf("%d results, or at another place", len(got.Results))
		}
		if out := string(w.masked([]byte("code_verifier=" + v)).Text()); strings.Contains(out, v) {
			t.Error("afterwards nothing is masked")
		}
	}
}

func TestFindTellsFailures(t *testing.T) {
	for _, panics := range []bool{false, true} {
		w := faultyWorker(t, "POISON", panics)
		results, err := w.Find(newBatch("x", "POISON code_verifier=secret-of-a-user"))
		if err == nil || len(results) > 0 {
			t.Fatalf("%d results, error %v", len(results), err)
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "POISON") {
			t.Errorf("the error holds bytes of the record: %v", err)
		}
	}
}

// After a batch no decoded value is left in the worker's memory.
func TestValuesAreWiped(t *testing.T) {
	w := worker(t, nil)
	if _, err := w.Find(newBatch("code_verifier=" + strings.Repeat("aB3-", 11))); err != nil {
		t.Fatal(err)
	}
	if cap(w.value) == 0 {
		t.Fatal("no value was decoded")
	}
	for _, c := range w.value[:cap(w.value)] {
		if c != 0 {
			t.Fatal("bytes of a value are left")
		}
	}
}

// drop_record empties the line and leaves its end; report leaves the line.
func TestDropAndReport(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 9))
	v, code := draw(rnd, base64url, 42)+"7", draw(rnd, base64url, 42)+"8"
	in := "one code=" + code + "&state=s\r\ntwo refresh_token=" + v + " refresh_token=x" + v + "\r\nthree\nfour refresh_token=" + v + "\ncode=" + code + "&state=s"
	for _, tc := range []struct {
		action redact.Action
		want   []string // code's mask as {C}
	}{
		{redact.ActionDropRecord, []string{"one code={C}&state=s\r", "\r", "three", "", "code={C}&state=s"}},
		{redact.ActionReport, []string{"one code={C}&state=s\r", "two refresh_token=" + v + " refresh_token=x" + v + "\r", "three", "four refresh_token=" + v, "code={C}&state=s"}},
	} {
		w := worker(t, redact.Policy{"refresh_token": tc.action})
		got := w.masked([]byte(in))
		var fp redact.Fingerprint
		for _, r := range got.Results {
			if r.Kind == "authorization_code" {
				fp = r.Fingerprint
			}
		}
		mask := "REDACTED.authorization_code." + testKey.ID() + "." + string(fp[:])
		if want := strings.ReplaceAll(strings.Join(tc.want, "\n"), "{C}", mask); string(got.Text()) != want {
			t.Errorf("%s:\n got %q\nwant %q", tc.action, got.Text(), want)
		}
		if len(got.Results) != 5 {
			t.Errorf("%s: %d results", tc.action, len(got.Results))
		}
	}
}

// A clean text comes out as it is, in the very same memory.
func TestCleanTextIsUntouched(t *testing.T) {
	w := worker(t, nil)
	for _, in := range []string{"", "\n", "level=info msg=ready\nx", "\x00\xff\r\n", "REDACTED.jwt.k.0123456789012345678901"} {
		text := []byte(in)
		got := w.masked(text)
		if string(got.Text()) != in || len(in) > 0 && &got.Text()[0] != &text[0] || len(got.Results) > 0 || got.Withheld > 0 {
			t.Errorf("%q became %q", in, got.Text())
		}
	}
}

// MaskSegment masks each field alone and says what happened to it.
func TestMaskSegment(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 10))
	v := draw(rnd, base64url, 42) + "7"
	for _, action := range actions {
		w := worker(t, everywhere(action))
		b := &detect.Batch{}
		b.Reset()
		b.AddField(0, "note", []byte("nothing"))
		b.AddField(0, "body", []byte("refresh_token="+v+"&a=b"))
		b.AddField(1, "refresh_token", []byte(v))
		if _, err := w.Find(b); err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{"nothing", "refresh_token=" + v + "&a=b", v} {
			out, changed, drop, err := w.MaskSegment([]byte("x"), i, false)
			found := i > 0
			if err != nil || changed != (found && action != redact.ActionReport) || drop != (found && action == redact.ActionDropRecord) {
				t.Errorf("%s, field %d: changed %t, drop %t, error %v", action, i, changed, drop, err)
			}
			if same := string(out) == "x"+text; same == changed || out[0] != 'x' {
				t.Errorf("%s, field %d: became %q", action, i, out)
			}
		}
	}
}

// A finding without a client takes the one that its record's other findings name.
func TestRelatedClients(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 11))
	w := worker(t, nil)
	for template, want := range map[string]event.Client{
		"POST /token {J} refresh_token={V}":                    {ID: "web-shop", How: event.JWTClaim, Confidence: "likely"},
		"Authorization: Basic {A} {\"refresh_token\":\"{V}\"}": {ID: "web-shop", How: event.BasicUser, Confidence: "likely"},
		"refresh_token={V}":                                    {How: event.Unknown},
	} {
		in, _ := filled(rnd, template)
		got := w.masked([]byte(in))
		for _, r := range got.Results {
			if r.Kind != "refresh_token" {
				continue
			}
			if r.Client.ID != want.ID || r.Client.How != want.How || r.Client.Confidence != want.Confidence {
				t.Errorf("%s: client %+v, want %+v", template, r.Client, want)
			}
		}
		if len(got.Results) == 0 {
			t.Errorf("%s: nothing found", template)
		}
	}
}
