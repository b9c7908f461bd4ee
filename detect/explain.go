package detect

import (
	"fmt"
	"math"

	"github.com/leakveil/leakveil/rules"
)

// Step is one question that a candidate was asked, and its answer.
type Step struct {
	// Name is a rule's check, or one of the questions that every value is asked.
	Name string
	// Passed is false for the question that refused the candidate.
	Passed bool
}

// Verdicts of an Explanation.
const (
	Refused = "refused" // the last step says why
	Found   = "found"   // it is a finding
	Merged  = "merged"  // it shares bytes with the finding of rule Into, which names it
)

// Explanation tells how one event of the engine was judged. It holds places and
// measures, and no byte of the text.
type Explanation struct {
	Rule    *rules.Rule
	Trigger *Trigger
	// KeyStart is where the key, prefix or scheme begins; -1 when that was not
	// settled. To is where the trigger ends.
	KeyStart, To int
	// Glue describes what stands between key and value; empty without glue.
	Glue string
	// Start and End bound the value as it stands, [0,0) when it was not reached. Of
	// base64 the whole blob counts.
	Start, End int
	// Judged is the number of decoded bytes that the checks looked at, 0 when none did.
	Judged int
	// Bits is the score of the judged bytes (behind the prefix where the trigger has
	// one): the log-likelihood ratio of random against text, positive meaning random.
	Bits int
	// Entropy is Shannon's, in bits a byte, 0 to 8, of the same bytes. Nothing is
	// decided by it.
	Entropy float64
	Steps   []Step
	Verdict string
	// Into is the rule of the finding that it was merged with.
	Into       *rules.Rule
	Confidence rules.Confidence
	Form       string // how the value is written: percent, backslash, base64; empty when plain
}

// Report is how a text was judged.
type Report struct {
	Events   []Explanation // in the order in which the engine reported them
	Findings []Finding     // what Scan returned: repeats and further lines among them
}

// recorder notes what happens to each event. A scanner has none unless it explains.
type recorder struct {
	events []Explanation
	now    Explanation
}

// Explain scans text, whose lines are records, and tells how each event was judged.
// It is Scan that judges, with a recorder beside it.
func (s *Scanner) Explain(text []byte) (Report, error) {
	var b Batch
	b.SetLines(text)
	r := &recorder{}
	s.recorder = r
	defer func() { s.recorder = nil }()
	found, _, err := s.Scan(&b)
	if err != nil {
		return Report{}, err
	}
	for i := range r.events {
		r.events[i].settle(found)
	}
	return Report{Events: r.events, Findings: append([]Finding(nil), found...)}, nil
}

// recorded is confirm with the recorder beside it. One event may lead to several
// values: each is an Explanation of its own.
func (s *Scanner) recorded(t *Trigger, to int) {
	r := s.recorder
	r.now = Explanation{Rule: t.Rule, Trigger: t, KeyStart: -1, To: to, Verdict: Refused}
	s.current = candidate{}
	first, before := len(r.events), len(s.candidates)
	s.confirm(t, to)
	if c := &s.current; r.now.End == 0 && c.trigger != nil { // refused before it was judged
		r.now.place(c)
	}
	r.events = append(r.events, r.now)
	for i := first; i < len(r.events); i++ {
		r.events[i].accept(s.candidates[before:])
	}
}

// place takes the bounds of a candidate, as far as they are settled.
func (e *Explanation) place(c *candidate) {
	if c.KeyStart >= c.RecordLow && c.KeyStart < c.RecordHigh {
		e.KeyStart = c.KeyStart
	}
	if c.End > c.Start {
		e.Start, e.End = min(c.Blob, c.Start), c.End
		if c.Blob == 0 {
			e.Start = c.Start
		}
		e.Glue, e.Form = describeGlue(c.trigger, c.glue), describeForm(c)
	}
}

// accept tells whether e became one of the candidates.
func (e *Explanation) accept(candidates []candidate) {
	for i := range candidates {
		if c := &candidates[i]; c.Blob < e.End && c.End > e.Start {
			// Checks may have sharpened where the key begins.
			e.Verdict, e.Confidence, e.Form, e.KeyStart = Found, c.Confidence, describeForm(c), c.KeyStart
			return
		}
	}
	if n := len(e.Steps); n == 0 || e.Steps[n-1].Passed {
		e.Steps = append(e.Steps, Step{"not_taken", false})
	}
}

// refuses returns yes, and records a question that refuses its candidate by yes.
func (s *Scanner) refuses(name string, yes bool) bool {
	if s.recorder != nil {
		s.recorder.step(name, !yes)
	}
	return yes
}

// passes returns yes, and records a question that refuses its candidate by no.
func (s *Scanner) passes(name string, yes bool) bool {
	if s.recorder != nil {
		s.recorder.step(name, yes)
	}
	return yes
}

func (r *recorder) step(name string, passed bool) {
	r.now.Steps = append(r.now.Steps, Step{name, passed})
}

// judge notes a value whose questions begin, and measures what the checks look at.
func (r *recorder) judge(c *candidate, v []byte) {
	if r.now.End > 0 { // the value before it, of the same event
		r.events = append(r.events, r.now)
		r.now = Explanation{Rule: c.Rule, Trigger: c.trigger, KeyStart: -1, To: r.now.To, Verdict: Refused}
	}
	r.now.place(c)
	if c.trigger.form == formPrefix {
		v = v[min(len(v), len(c.trigger.elems)-1):]
	}
	r.now.Judged, r.now.Bits, r.now.Entropy = len(v), score(v), shannon(v)
}

// shannon is the entropy of v's bytes in bits a byte.
func shannon(v []byte) float64 {
	var counts [256]int
	for _, c := range v {
		counts[c]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(v))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// settle tells what became of an accepted candidate among the findings.
func (e *Explanation) settle(found []Finding) {
	if e.Verdict != Found {
		return
	}
	for i := range found {
		f := &found[i]
		if f.Repeat || f.Blob >= e.End || f.End <= e.Start {
			continue
		}
		if f.Rule != e.Rule || f.KeyStart != e.KeyStart {
			e.Verdict, e.Into = Merged, f.Rule
		}
		return
	}
}

func describeGlue(t *Trigger, g glue) string {
	switch {
	case t.form == formPrefix || t.form == formShape:
		return ""
	case g.slash < 0:
		return "the field is the value"
	}
	out := map[byte]string{'=': "=", ':': ":", '>': ">", ' ': "blank"}[g.sep]
	if g.quote != 0 {
		out += fmt.Sprintf(", quote %c", g.quote)
	}
	if g.slash > 0 {
		out += fmt.Sprintf(" behind %d backslashes", g.slash)
	}
	if g.code {
		out += " as an entity or escape"
	}
	if g.pct > 0 {
		out += fmt.Sprintf(", percent depth %d", g.pct)
	}
	if g.bracket != 0 {
		out += fmt.Sprintf(", bracket %c", g.bracket)
	} else if g.list {
		out += ", in a list"
	}
	return out
}

func describeForm(c *candidate) string {
	out := ""
	for _, part := range []struct {
		is   bool
		name string
	}{{c.Form.Percent, "percent"}, {c.Form.Backslash, "backslash"}, {c.Form.Base64 != 0, "base64"}} {
		if part.is && out != "" {
			out += "+"
		}
		if part.is {
			out += part.name
		}
	}
	return out
}

// RandomBits is the score from which a value counts as drawn at random.
const RandomBits = randomBits

// Score returns the bigram log-likelihood ratio of random against text of a value's
// first 64 bytes, in bits; see RandomBits.
func Score(value []byte) int { return score(value) }
