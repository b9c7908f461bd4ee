// Package rulecheck proves rules by their own examples: every example must be
// found with exactly its value, kind and client, and no negative example may be.
// The command "rules check" and the tests of the embedded packs share it.
//
// Examples are templates filled with random values, so nothing here is a secret;
// all the same a problem shows the template, never what it was filled with.
package rulecheck

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// Fillings is how often each example is filled with new random values.
const Fillings = 20

// Problem is a rule that does not do what its examples say.
type Problem struct {
	File string
	Line int // of the rule
	Rule string
	What string

	example string // which one
}

// String is "file:line: rule "id": what".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: rule %q: %s", p.File, p.Line, p.Rule, p.What)
}

// Run checks all examples of the set against the whole set: a rule that takes
// another's value is a problem of that other rule. The error says that the check
// could not be made: the rules do not compile, or the engine fails.
//
// Each engine of the build is asked. What one of them alone gets wrong is said with
// its name.
func Run(set *rules.Set) ([]Problem, error) {
	var all []Problem
	for _, engine := range detect.Engines() {
		problems, err := runOn(set, engine)
		if err != nil {
			return nil, err
		}
		for _, p := range problems {
			if !slices.ContainsFunc(all, p.sameExample) {
				p.What += onEngine(engine)
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// onEngine names an engine that is not the only one.
func onEngine(engine detect.Engine) string {
	if len(detect.Engines()) == 1 || engine == detect.Engines()[0] {
		return ""
	}
	return fmt.Sprintf(" (engine %s)", engine)
}

// sameExample reports whether both are problems of one example.
func (p Problem) sameExample(other Problem) bool {
	return p.File == other.File && p.Line == other.Line && p.Rule == other.Rule && p.example == other.example
}

func runOn(set *rules.Set, engine detect.Engine) ([]Problem, error) {
	c, err := newChecker(set, engine)
	if err != nil {
		return nil, err
	}
	problems, err := c.all(set)
	return problems, errors.Join(err, c.close())
}

// checker holds the two ways to look at an example: as secrets with clients, and
// as public facts.
type checker struct {
	worker *pipeline.Worker
	facts  *detect.Scanner // nil when no rule has another role than secret
	rnd    *rand.Rand
}

func newChecker(set *rules.Set, engine detect.Engine) (*checker, error) {
	db, err := detect.CompileWith(detect.Options{Engine: engine}, set)
	if err != nil {
		return nil, err
	}
	c := &checker{rnd: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	c.worker, err = pipeline.NewWorker(pipeline.Options{Database: db, Key: redact.RandomKey(), Attribute: true})
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(set.Rules, func(r rules.Rule) bool { return r.Role != rules.RoleSecret }) {
		return c, nil
	}
	db, err = detect.CompileWith(detect.Options{Engine: engine}, set, rules.RoleLink, rules.RoleClient, rules.RoleOutcome)
	if err == nil {
		c.facts, err = db.NewScanner()
	}
	if err != nil {
		return nil, errors.Join(err, c.worker.Close())
	}
	return c, nil
}

func (c *checker) close() error {
	err := c.worker.Close()
	if c.facts != nil {
		err = errors.Join(err, c.facts.Close())
	}
	return err
}

func (c *checker) all(set *rules.Set) ([]Problem, error) {
	var problems []Problem
	for i := range set.Rules {
		r := &set.Rules[i]
		found, err := c.rule(r)
		if err != nil {
			return problems, fmt.Errorf("%s:%d: rule %q: %w", r.File, r.Line, r.ID, err)
		}
		for _, p := range found {
			p.File, p.Line, p.Rule = r.File, r.Line, r.ID
			problems = append(problems, p)
		}
	}
	return problems, nil
}

// rule returns what is wrong with a rule's examples, the first reason of each.
func (c *checker) rule(r *rules.Rule) ([]Problem, error) {
	var problems []Problem
	for _, group := range []struct {
		name     string
		examples []rules.Example
		check    exampleCheck
		again    int
	}{
		{"examples", r.Examples, c.positive, again},
		{"negatives", r.Negatives, c.negative, 0},
	} {
		for i, e := range group.examples {
			what, err := c.fillings(r, e, group.check, group.again)
			example := fmt.Sprintf("%s[%d]", group.name, i)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", example, err)
			}
			if what != "" {
				problems = append(problems, Problem{What: fmt.Sprintf("%s: %s in %q", example, what, e.Text), example: example})
			}
		}
	}
	return problems, nil
}

// A random value may look like words, or hold another rule's prefix: one in some
// ten thousand does. So an example that fails once is filled anew, again times, and is a
// problem when more than tolerated of them fail. A negative example must never fail.
const (
	again     = 400
	tolerated = 1
)

type exampleCheck = func(*rules.Rule, rules.Example, rules.Rendered) (string, error)

func (c *checker) fillings(r *rules.Rule, e rules.Example, check exampleCheck, again int) (string, error) {
	what, _, err := c.fill(r, e, check, Fillings, 0)
	if err != nil || what == "" || again == 0 {
		return what, err
	}
	if _, failed, err := c.fill(r, e, check, again, tolerated); err != nil || failed <= tolerated {
		return "", err
	}
	return what, nil
}

// fill fills the example n times, or until more than most have failed. It returns the
// first reason, and how many have failed.
func (c *checker) fill(r *rules.Rule, e rules.Example, check exampleCheck, n, most int) (first string, failed int, err error) {
	for i := 0; i < n && failed <= most; i++ {
		filled, err := e.Render(c.rnd)
		if err != nil {
			return fmt.Sprintf("the template cannot be filled (%v)", err), n, nil
		}
		what, err := check(r, e, filled)
		if err != nil {
			return "", failed, err
		}
		if what != "" {
			failed++
			first = cmp.Or(first, what)
		}
	}
	return first, failed, nil
}

// find scans one text as lines.
func (c *checker) find(text string) ([]pipeline.Result, *detect.Batch, error) {
	b := &detect.Batch{}
	b.SetLines([]byte(text))
	found, err := c.worker.Find(b)
	return found, b, err
}

// positive wants exactly one finding, and all of it right.
func (c *checker) positive(r *rules.Rule, e rules.Example, filled rules.Rendered) (string, error) {
	if r.Role != rules.RoleSecret {
		return c.observed(r, filled)
	}
	found, b, err := c.find(filled.Text)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return fmt.Sprintf("want one finding, have %d", len(found)), nil
	}
	f, kind := &found[0], e.Kind
	if kind == "" {
		kind = r.Kind
	}
	switch value := f.Value(nil, b.Bytes()); {
	case f.Rule.ID != r.ID:
		return fmt.Sprintf("rule %q finds the value", f.Rule.ID), nil
	case string(value) != filled.Value:
		return fmt.Sprintf("%d bytes are found, which are not the value's %d", len(value), len(filled.Value)), nil
	case f.Kind != kind:
		return fmt.Sprintf("want kind %s, have %s", kind, f.Kind), nil
	case f.Client.ID != e.Client:
		return fmt.Sprintf("want client %q, have %q (%s)", e.Client, f.Client.ID, f.Client.How), nil
	}
	return "", nil
}

// observed wants the value of a rule whose role is not secret.
func (c *checker) observed(r *rules.Rule, filled rules.Rendered) (string, error) {
	var b detect.Batch
	b.SetLines([]byte(filled.Text))
	_, seen, err := c.facts.Scan(&b)
	if err != nil {
		return "", err
	}
	for _, o := range seen {
		if o.Rule.ID == r.ID && string(b.Bytes()[o.Start:o.End]) == filled.Value {
			return "", nil
		}
	}
	return "the value is not observed", nil
}

// negative wants no finding of any rule.
func (c *checker) negative(_ *rules.Rule, _ rules.Example, filled rules.Rendered) (string, error) {
	found, _, err := c.find(filled.Text)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return fmt.Sprintf("want no finding, rule %q finds %s", found[0].Rule.ID, found[0].Kind), nil
}
