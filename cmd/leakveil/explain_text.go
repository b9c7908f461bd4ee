package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// textFlag is rules explain --text.
type textFlag struct {
	text   string
	engine engineFlag
}

// maxExplained bounds the text that is explained: each event becomes a paragraph.
const maxExplained = 1 << 20

func (f *textFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "text", "", "explain how this `line` is judged; - reads standard input")
	f.engine.add(cmd)
}

func (f *textFlag) explain(cmd *cobra.Command, set *rules.Set) error {
	text := []byte(f.text)
	if f.text == "-" {
		var err error
		if text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxExplained+1)); err != nil {
			return wrongUse(err)
		}
	}
	if len(text) > maxExplained {
		return wrongUse(errors.New("--text: more than 1 MiB"))
	}
	// Not from the cache: the whole set is compiled for one line, and kept nowhere.
	compiled := ruleFlags{noCache: true, engine: f.engine}
	db, err := compiled.compile(set, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	s, err := db.NewScanner()
	if err != nil {
		return wrongUse(err)
	}
	defer s.Close()
	report, err := s.Explain(text)
	if err != nil {
		return wrongUse(err)
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	newTold(text, report).write(out)
	return out.Flush()
}

// told writes a report for people.
type told struct {
	text   []byte // with every value's bytes replaced
	report detect.Report
	ends   []int // of the lines
}

// newTold hides what is, or was taken for, a value: also the refused ones, for the
// one who asks may do so because a secret is missed.
func newTold(text []byte, report detect.Report) *told {
	hidden := bytes.Clone(text)
	for _, e := range report.Events {
		hide(hidden[e.Start:e.End])
	}
	for _, f := range report.Findings {
		hide(hidden[f.Blob:f.End])
	}
	t := &told{text: hidden, report: report}
	for i, c := range text {
		if c == '\n' {
			t.ends = append(t.ends, i)
		}
	}
	return t
}

func hide(b []byte) {
	for i := range b {
		if b[i] != '\n' {
			b[i] = '*'
		}
	}
}

// place returns the line of an offset, from 1, and the byte in it, from 0.
func (t *told) place(p int) (line, offset int) {
	start := 0
	for i, end := range t.ends {
		if p <= end {
			return i + 1, p - start
		}
		start = end + 1
	}
	return len(t.ends) + 1, p - start
}

func (t *told) write(w io.Writer) {
	if len(t.report.Events) == 0 {
		fmt.Fprintln(w, "No trigger fired: nothing in the text looks like a key, prefix, scheme or shape of a rule.")
	}
	for i := range t.report.Events {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t.event(w, &t.report.Events[i])
	}
	fmt.Fprintf(w, "\n%d triggers fired, %d findings.\n", len(t.report.Events), t.findings(w))
}

// findings counts, and tells of those that no trigger led to.
func (t *told) findings(w io.Writer) (n int) {
	for _, f := range t.report.Findings {
		line, offset := t.place(f.Start)
		switch {
		case f.Part:
			fmt.Fprintf(w, "\nLine %d, byte %d: the value of rule %s goes on here, %d bytes.\n", line, offset, f.Rule.ID, f.End-f.Start)
			continue
		case f.Repeat:
			fmt.Fprintf(w, "\nLine %d, byte %d: the value of rule %s stands here again, %d bytes.\n", line, offset, f.Rule.ID, f.End-f.Start)
		}
		n++
	}
	return n
}

func (t *told) event(w io.Writer, e *detect.Explanation) {
	line, _ := t.place(e.To)
	fmt.Fprintf(w, "Rule %s (%s), line %d\n", e.Rule.ID, e.Rule.Kind, line)
	trigger := e.Trigger.Expression()
	if trigger == "" {
		trigger = "a whole shape"
	} else {
		trigger = "/" + trigger + "/" + e.Trigger.Flags()
	}
	fmt.Fprintf(w, "  trigger  %s, for %s\n", trigger, e.Trigger.Key)
	if e.End > e.Start {
		if e.KeyStart >= 0 && e.KeyStart < e.Start {
			_, offset := t.place(e.KeyStart)
			fmt.Fprintf(w, "  key      byte %d: %q\n", offset, t.text[e.KeyStart:e.Start])
		}
		if e.Glue != "" {
			fmt.Fprintf(w, "  glue     %s\n", e.Glue)
		}
		_, offset := t.place(e.Start)
		fmt.Fprintf(w, "  value    bytes %d to %d, %d long", offset, offset+e.End-e.Start, e.End-e.Start)
		if e.Form != "" {
			fmt.Fprintf(w, ", written as %s", e.Form)
		}
		fmt.Fprintln(w)
	}
	if e.Judged > 0 {
		fmt.Fprintf(w, "  score    %+d bits over %d bytes (from %d on it counts as random); Shannon %.2f bits a byte, which decides nothing\n",
			e.Bits, e.Judged, detect.RandomBits, e.Entropy)
	}
	for _, step := range e.Steps {
		answer := "passed"
		if !step.Passed {
			answer = "REFUSED"
		}
		fmt.Fprintf(w, "  %-8s %s: %s\n", answer, step.Name, stepMeaning(step.Name))
	}
	fmt.Fprintf(w, "  verdict  %s\n", verdict(e))
}

func verdict(e *detect.Explanation) string {
	switch e.Verdict {
	case detect.Found:
		return "a finding, " + string(e.Confidence)
	case detect.Merged:
		return "masked, as part of the finding of rule " + e.Into.ID
	}
	for _, step := range e.Steps {
		if !step.Passed {
			return "no finding: " + strings.ReplaceAll(step.Name, "_", " ")
		}
	}
	return "no finding"
}

// stepMeanings are the questions that are no rule's check.
var stepMeanings = map[string]string{
	"between_records":  "stands within one record",
	"covered":          "is not covered by the value before it, which is named as well or better",
	"key_and_glue":     "the key stands alone, and glue and a value follow it",
	"value_bounds":     "there is enough of the value",
	"inside_other":     "stands outside of the values that are masked already",
	"too_short":        "is as long as the least value, or cut",
	"placeholder":      "is no placeholder, documentation example or mask",
	"never_values":     "is none of the values that the rule never takes",
	"template":         "is no template's variable",
	"word_in_brackets": "is no plain word in brackets",
	"member_name":      "is no name of a member or field",
	"other_member":     "is no digest beside a member whose value is the word (event: secret)",
	"type_name":        "is no name of a type",
	"address":          "is no address of an object in memory",
	"source_code":      "is no expression of a program's source",
	"stored_value":     "is no hash of a secret, and no place where one is stored",
	"next_field":       "is not the next field behind an empty value",
	"prose":            "is no word of a sentence",
	"look_alike_key":   "does not stand under a key whose values only look like secrets",
	"other_key":        "the key is not the end of a longer one that holds no secret",
	"strict":           "the glue is rare, and the value is one that stands behind such glue",
	"not_taken":        "holds a value that is taken",
	"cut_off":          "a value that is too short for its rule is the rest of a cut one",
}

func stepMeaning(name string) string {
	if meaning := stepMeanings[name]; meaning != "" {
		return meaning
	}
	return checkMeanings[name]
}
