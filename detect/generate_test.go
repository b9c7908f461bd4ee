package detect

import "testing"

// A strong key is spelled out: an optional byte inside a trigger keeps the engine
// from seeing one long literal, which cost a fifth of its speed when measured.
func TestStrongKeysAreLiterals(t *testing.T) {
	set := defaultSet(t)
	for i := range set.Rules {
		for _, trigger := range triggersOf(&set.Rules[i]) {
			if trigger.form != formKey {
				continue
			}
			for _, e := range trigger.elems {
				if e.min != e.max {
					t.Errorf("%s: %s has an optional byte", set.Rules[i].ID, trigger.Expression())
				}
			}
		}
	}
}
