package redact

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// Action says what happens to a found value.
type Action string

// The actions.
const (
	ActionMask       Action = "mask"        // REDACTED.<kind>.<key id>.<fingerprint>
	ActionHash       Action = "hash"        // HASHED.<key id>.<fingerprint>
	ActionPartial    Action = "partial"     // a few characters and .REDACTED
	ActionRemove     Action = "remove"      // nothing; key and quotes stay
	ActionDropRecord Action = "drop_record" // the record is left out; a line becomes empty
	ActionReport     Action = "report"      // found, told, left as it is
)

// Actions lists all actions.
var Actions = []Action{ActionMask, ActionHash, ActionPartial, ActionRemove, ActionDropRecord, ActionReport}

// short are kinds of which no character may stay: few are enough to guess the
// rest, or the value lives so shortly that nobody needs to recognise it.
var short = []rules.Kind{rules.AuthorizationCode, rules.CodeVerifier, rules.DeviceCode, rules.UserCode, rules.Password}

// Policy is the action for each kind; kinds that it does not name are masked.
type Policy map[rules.Kind]Action

// Action returns what to do with a value of kind k. A policy that was not made
// by ParsePolicy can err only towards masking.
func (p Policy) Action(k rules.Kind) Action {
	a, ok := p[k]
	if !ok || !slices.Contains(Actions, a) || a == ActionPartial && slices.Contains(short, k) {
		return ActionMask
	}
	return a
}

// ParsePolicy checks kind and action names. An error names the first wrong
// entry, in the order of kinds, and the nearest right name.
func ParsePolicy(names map[string]string) (Policy, error) {
	out := Policy{}
	for _, kind := range slices.Sorted(maps.Keys(names)) {
		action := names[kind]
		k, a := rules.Kind(kind), Action(action)
		if !k.Valid() {
			return nil, fmt.Errorf("policy: %q is no kind; nearest is %s, kinds are %s", kind, nearest(kind, rules.Kinds()), join(rules.Kinds()))
		}
		if !slices.Contains(Actions, a) {
			return nil, fmt.Errorf("policy: %s: %q is no action; nearest is %s, actions are %s", kind, action, nearest(action, Actions), join(Actions))
		}
		if a == ActionPartial && slices.Contains(short, k) {
			return nil, fmt.Errorf("policy: %s: partial would leave characters of a short-lived secret; use mask", kind)
		}
		out[k] = a
	}
	return out, nil
}

func join[T ~string](list []T) string {
	names := make([]string, len(list))
	for i, name := range list {
		names[i] = string(name)
	}
	return strings.Join(names, ", ")
}

// nearest returns the name of list with the least edit distance to name, the
// first of equals.
func nearest[T ~string](name string, list []T) T {
	return slices.MinFunc(list, func(a, b T) int {
		return distance(name, string(a)) - distance(name, string(b))
	})
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
