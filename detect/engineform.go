package detect

import "fmt"

// EngineForm names one of the equivalent ways to write triggers for Hyperscan. All of
// them have the same events. Which is the fastest depends on the processor and its
// caches. The portable engine has one form only and takes no notice.
type EngineForm string

const (
	// AutoForm is the fastest on a sample of log lines, measured once when rules are
	// compiled and then kept in the cache.
	AutoForm EngineForm = "auto"
	// Classes are the triggers as they are, with a class of bytes behind each key.
	Classes EngineForm = "classes"
	// Literals leave that class away behind long keys: the engine tells the key alone,
	// and the byte behind it is looked at afterwards. The database has a third of the
	// size, for some more events.
	Literals EngineForm = "literals"
)

// EngineForms are those that AutoForm chooses among; the first is kept unless another
// is clearly faster.
var EngineForms = []EngineForm{Classes, Literals}

// Check reports whether f is a form's name. Empty is Classes.
func (f EngineForm) Check() error {
	switch f {
	case "", AutoForm, Classes, Literals:
		return nil
	}
	return fmt.Errorf("engine-form %q: want auto, classes or literals", string(f))
}

// longKey is the length of a key from which it is rare enough to be told alone.
const longKey = 8

// written returns the parts of a trigger that the engine gets, and the bytes of which
// one must stand behind them, nil where that is all.
func (f EngineForm) written(t *Trigger) ([]elem, *set) {
	last := len(t.elems) - 1
	if f != Literals || t.rest != 1 || last < longKey {
		return t.elems, nil
	}
	for _, e := range t.elems[:last] {
		if e.text == "" { // no literal: the class is what makes it rare
			return t.elems, nil
		}
	}
	return t.elems[:last], t.elems[last].set
}

// Expression returns the trigger in the engine's syntax, as this form has it.
func (f EngineForm) Expression(t *Trigger) string {
	elems, _ := f.written(t)
	return t.expression(elems)
}

// behind returns what must stand behind each trigger's expression, or nil when nothing
// needs to.
func (f EngineForm) behind(triggers []*Trigger) []*set {
	var out []*set
	for i, t := range triggers {
		if _, one := f.written(t); one != nil {
			if out == nil {
				out = make([]*set, len(triggers))
			}
			out[i] = one
		}
	}
	return out
}
