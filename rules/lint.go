package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	idPattern  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	keyPattern = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	// One class or one byte, no open repeats: a trigger has a fixed shape.
	prefixPattern = regexp.MustCompile(`^(\[[A-Za-z0-9_.~-]+\]|[!-Z^-~])+$`)
	namePattern   = regexp.MustCompile(`^[!"$-)+-~]+[*#]?$`)
	suffixPattern = regexp.MustCompile(`^[ -~]{4,}$`)
	leadPattern   = regexp.MustCompile(`^[ -~]{5,}$`)
	schemePattern = regexp.MustCompile(`^(--?)?[A-Za-z][A-Za-z0-9-]*$`)
)

// MaxKey bounds the length of keys, names and prefixes: what a trigger may
// span is what windows over one long record must overlap by.
const MaxKey = 80

// lint says what is wrong with a rule, or nil.
func (r *Rule) lint() error {
	if !idPattern.MatchString(r.ID) {
		return fmt.Errorf("id: want lower-case words joined by '-'")
	}
	if !r.Role.Valid() {
		return fmt.Errorf("role: %q is none of secret, link, client, outcome", r.Role)
	}
	if r.Role == RoleSecret && !r.Kind.Valid() {
		return fmt.Errorf("kind: %q is not in the list of kinds", r.Kind)
	}
	if r.Role == RoleSecret && !r.Severity.Valid() {
		return fmt.Errorf("severity: %q is none of info, low, medium, high, critical", r.Severity)
	}
	if r.Description == "" {
		return errors.New("description: missing")
	}
	return errors.Join(r.lintTriggers(), r.lintValue(), r.lintExamples())
}

func (r *Rule) lintTriggers() error {
	if !r.Triggers() {
		return errors.New("keys, weak_keys, names, traces, binds, jars, prefixes, schemes, suffixes or shapes: at least one is needed")
	}
	for _, field := range []struct {
		name    string
		values  []string
		pattern *regexp.Regexp
		want    string
	}{
		{"keys", r.Keys, keyPattern, "lower-case words joined by '_'"},
		{"weak_keys", r.WeakKeys, keyPattern, "lower-case words joined by '_'"},
		{"names", r.Names, namePattern, "printable characters without blanks, '*' or '#' at the end alone"},
		{"traces", r.Traces, namePattern, "printable characters without blanks"},
		{"binds", r.Binds, leadPattern, "five or more printable characters"},
		{"jars", r.Jars, keyPattern, "lower-case words joined by '_'"},
		{"prefixes", r.Prefixes, prefixPattern, "characters and [abc] classes, no repeats"},
		{"suffixes", r.Suffixes, suffixPattern, "four or more printable characters"},
		{"schemes", r.Schemes, schemePattern, "an HTTP authentication scheme or an option"},
	} {
		for _, value := range field.values {
			if !field.pattern.MatchString(value) {
				return fmt.Errorf("%s: bad expression %q: want %s", field.name, value, field.want)
			}
			if len(value) > MaxKey {
				return fmt.Errorf("%s: %q is longer than %d bytes", field.name, value, MaxKey)
			}
		}
	}
	for _, shape := range r.Shapes {
		if !slices.Contains(ShapeNames, shape) {
			return fmt.Errorf("shapes: %q is none of %s", shape, strings.Join(ShapeNames, ", "))
		}
	}
	if len(r.Suffixes) > 0 && len(r.Checks) == 0 {
		return errors.New("suffixes: a check is needed")
	}
	for _, check := range r.Checks {
		if !slices.Contains(CheckNames, check) {
			return fmt.Errorf("checks: %q is none of %s", check, strings.Join(CheckNames, ", "))
		}
	}
	return nil
}

func (r *Rule) lintValue() error {
	v := r.Value
	if _, ok := Alphabets[v.Alphabet]; !ok {
		return fmt.Errorf("value.alphabet: %q is not an alphabet", v.Alphabet)
	}
	if v.Min < 1 || v.Max < v.Min || v.Max > 1<<20 {
		return fmt.Errorf("value: want 1 <= min <= max <= %d, have min %d, max %d", 1<<20, v.Min, v.Max)
	}
	if r.Role == RoleSecret && len(r.WeakKeys)+len(r.Schemes) > 0 && v.Min < 8 {
		return fmt.Errorf("value.min: weak keys and schemes need 8 or more, have %d", v.Min)
	}
	return nil
}

func (r *Rule) lintExamples() error {
	if r.Role != RoleSecret {
		return nil
	}
	if len(r.Examples) == 0 {
		return errors.New("examples: a rule without an example proves nothing")
	}
	for i, e := range r.Examples {
		if e.Value == "" || !strings.Contains(e.Text, "{{") {
			return fmt.Errorf("examples[%d]: want text with {{.Value}} and value", i)
		}
		if e.Kind != "" && !e.Kind.Valid() {
			return fmt.Errorf("examples[%d]: kind %q is not in the list of kinds", i, e.Kind)
		}
	}
	return nil
}
