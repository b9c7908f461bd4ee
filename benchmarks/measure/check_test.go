package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// value is a secret made at run time.
func value() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 24)
	for i := range out {
		out[i] = letters[rand.IntN(len(letters))]
	}
	return string(out)
}

// sample is a clean line, and a line with two secrets of one client.
func sample() []corpus.Line {
	a, b := value(), value()
	text := "x code=" + a + "&v=" + b + " end"
	return []corpus.Line{
		{Text: []byte("GET / 200")},
		{Text: []byte(text), Secrets: []corpus.Secret{
			{Start: 7, End: 31, Kind: rules.AuthorizationCode, Value: a, Client: "shop"},
			{Start: 34, End: 58, Kind: rules.CodeVerifier, Value: b, Client: "shop"},
		}},
	}
}

const rightFindings = `{"line":1,"start":7,"end":31,"kind":"authorization_code","client_id":"shop","rule":"r"}
{"line":1,"start":34,"end":58,"kind":"code_verifier","client_id":"shop","rule":"r"}
`

const rightOutput = "GET / 200\nx code=MASK&v=MASK end\n"

func judge(t *testing.T, lines []corpus.Line, findings, masked string) *verdict {
	t.Helper()
	n := 0
	next := func() corpus.Line { n++; return lines[n-1] }
	v, err := compare(next, json.NewDecoder(strings.NewReader(findings)), bufio.NewReader(strings.NewReader(masked)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestARightAnswerPasses(t *testing.T) {
	v := judge(t, sample(), rightFindings, rightOutput)
	if v.err() != nil || v.right != 2 || v.planted != 2 || v.lines != 2 {
		t.Errorf("a right answer was refused: %s", v)
	}
}

func TestEachWrongAnswerIsCounted(t *testing.T) {
	lines := sample()
	secret := lines[1].Secrets[0].Value
	one, two, _ := strings.Cut(rightFindings, "\n")
	for _, c := range []struct {
		name, findings, masked string
		count                  func(*verdict) int64
	}{
		{"missed", one, rightOutput, func(v *verdict) int64 { return v.missed }},
		{"invented on a clean line", `{"line":0,"start":0,"end":3,"kind":"jwt"}` + "\n" + rightFindings, rightOutput, func(v *verdict) int64 { return v.invented }},
		{"invented on a leaking line", one + "\n" + two + `{"line":1,"start":60,"end":62,"kind":"jwt"}`, rightOutput, func(v *verdict) int64 { return v.invented }},
		{"found twice", one + "\n" + rightFindings, rightOutput, func(v *verdict) int64 { return v.invented }},
		{"behind the end", rightFindings + `{"line":9,"start":1,"end":2,"kind":"jwt"}`, rightOutput, func(v *verdict) int64 { return v.invented }},
		{"one byte early", strings.Replace(rightFindings, `"start":7`, `"start":6`, 1), rightOutput, func(v *verdict) int64 { return v.misplaced }},
		{"one byte late", strings.Replace(rightFindings, `"end":58`, `"end":59`, 1), rightOutput, func(v *verdict) int64 { return v.misplaced }},
		{"kind", strings.Replace(rightFindings, "code_verifier", "jwt", 1), rightOutput, func(v *verdict) int64 { return v.wrongKind }},
		{"client", strings.Replace(rightFindings, `"shop"`, `"bank"`, 1), rightOutput, func(v *verdict) int64 { return v.wrongClient }},
		{"no client", strings.Replace(rightFindings, `"shop"`, `null`, 1), rightOutput, func(v *verdict) int64 { return v.wrongClient }},
		{"clean line changed", rightFindings, strings.Replace(rightOutput, "200", "2OO", 1), func(v *verdict) int64 { return v.changed }},
		{"clean line longer", rightFindings, strings.Replace(rightOutput, "200", "200 200", 1), func(v *verdict) int64 { return v.changed }},
		{"text before", rightFindings, strings.Replace(rightOutput, "x code", "y code", 1), func(v *verdict) int64 { return v.changed }},
		{"text between", rightFindings, strings.Replace(rightOutput, "&v=", "&w=", 1), func(v *verdict) int64 { return v.changed }},
		{"text behind", rightFindings, strings.Replace(rightOutput, " end", " en", 1), func(v *verdict) int64 { return v.changed }},
		{"value left", rightFindings, strings.Replace(rightOutput, "MASK", secret, 1), func(v *verdict) int64 { return v.leaked }},
	} {
		v := judge(t, lines, c.findings, c.masked)
		if c.count(v) != 1 || v.err() == nil {
			t.Errorf("%s: %s", c.name, v)
		}
		if err := v.err(); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the verdict holds the secret", c.name)
		}
	}
}

func TestAnAbsentClientIsNotANamedOne(t *testing.T) {
	lines := sample()
	lines[1].Secrets[0].Client = ""
	v := judge(t, lines, rightFindings, rightOutput)
	if v.wrongClient != 1 {
		t.Errorf("a client out of nothing was accepted: %s", v)
	}
}

// The generator's own labels, written as findings, are a right answer.
func TestLabelsAreARightAnswer(t *testing.T) {
	g := corpus.New(corpus.Auth)
	var lines []corpus.Line
	var findings, masked strings.Builder
	for n := range 2000 {
		line := g.Next()
		lines = append(lines, line)
		at := 0
		for _, s := range line.Secrets {
			f := map[string]any{"line": n, "start": s.Start, "end": s.End, "kind": s.Kind, "client_id": nil}
			if s.Client != "" {
				f["client_id"] = s.Client
			}
			if err := json.NewEncoder(&findings).Encode(f); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&masked, "%s%s", line.Text[at:s.Start], "REDACTED")
			at = s.End
		}
		fmt.Fprintf(&masked, "%s\n", line.Text[at:])
	}
	v := judge(t, lines, findings.String(), masked.String())
	if v.err() != nil || v.right == 0 || v.right != v.planted || v.lines != 2000 {
		t.Errorf("the generator's own labels were refused: %s", v)
	}
}

// A file that ends early is not a right answer for what it leaves out.
func TestFindingsBehindAShortOutput(t *testing.T) {
	v := judge(t, sample(), rightFindings, "GET / 200\n")
	if v.err() == nil {
		t.Error("an output without its last line was accepted")
	}
}
