package redact

import (
	"fmt"
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

// Action returns what to do with a value of kind k.
func (p Policy) Action(k rules.Kind) Action {
	if a, ok := p[k]; ok {
		return a
	}
	return ActionMask
}

// ParsePolicy checks kind and action names. Errors list what is right.
func ParsePolicy(names map[string]string) (Policy, error) {
	out := Policy{}
	for kind, action := range names {
		k, a := rules.Kind(kind), Action(action)
		if !k.Valid() {
			return nil, fmt.Errorf("policy: %q is no kind; kinds are %s", kind, join(rules.Kinds()))
		}
		if !slices.Contains(Actions, a) {
			return nil, fmt.Errorf("policy: %s: %q is no action; actions are %s", kind, action, join(Actions))
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
