//go:build cgo

package detect

import (
	"fmt"

	"github.com/flier/gohs/hyperscan"
)

const haveHyperscan = true

func hyperscanVersion() string { return hyperscan.Version() }

// serialized returns the compiled triggers as Hyperscan writes them, each under its
// number, or nothing when there is nothing to look for but shapes.
func serialized(triggers []*Trigger, form EngineForm) ([]byte, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	patterns := make([]*hyperscan.Pattern, len(triggers))
	for i, t := range triggers {
		flags := hyperscan.CompileFlag(0)
		if t.caseless {
			flags |= hyperscan.Caseless
		}
		patterns[i] = hyperscan.NewPattern(form.Expression(t), flags)
		patterns[i].Id = i
	}
	db, err := hyperscan.NewBlockDatabase(patterns...)
	if err != nil {
		return nil, fmt.Errorf("detect: compile the triggers: %w", err)
	}
	defer db.Close()
	data, err := db.Marshal()
	if err != nil {
		return nil, fmt.Errorf("detect: serialize the compiled triggers: %w", err)
	}
	return data, nil
}

// compileHyperscan compiles the triggers in a form.
func compileHyperscan(triggers []*Trigger, form EngineForm) (*hyperscanMatcher, error) {
	data, err := serialized(triggers, form)
	if err != nil {
		return nil, err
	}
	return restore(data, form.behind(triggers))
}

// compileCached compiles the triggers, or takes them from a cache when there is one.
// The key is a digest of every expression and of the engine's version.
func compileCached(cache Cache, form EngineForm, triggers []*Trigger) (matcher, EngineForm, error) {
	switch form {
	case AutoForm:
		return calibrated(cache, triggers)
	case "":
		form = Classes
	}
	m, err := cached(cache, form, triggers)
	if err != nil {
		return nil, "", err // a nil pointer is not to become an interface that is not nil
	}
	return m, form, nil
}

func cached(cache Cache, form EngineForm, triggers []*Trigger) (*hyperscanMatcher, error) {
	if cache == nil {
		return compileHyperscan(triggers, form)
	}
	key, behind := digest(hyperscanVersion(), triggers, form), form.behind(triggers)
	if data := cache.Load(key); len(data) > 0 {
		if m, err := restore(data, behind); err == nil && prove(m, triggers) == nil {
			return m, nil
		}
	}
	data, err := serialized(triggers, form)
	if err != nil {
		return nil, err
	}
	if len(data) > 0 {
		cache.Store(key, data)
	}
	return restore(data, behind)
}
