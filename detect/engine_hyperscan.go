//go:build cgo

package detect

import (
	"fmt"

	"github.com/flier/gohs/hyperscan"
)

const haveHyperscan = true

func hyperscanVersion() string { return hyperscan.Version() }

// compileHyperscan compiles the triggers, each under its number.
func compileHyperscan(triggers []*Trigger) (*hyperscanMatcher, error) {
	data, err := serialized(triggers)
	if err != nil {
		return nil, err
	}
	return restore(data)
}

// serialized returns the compiled triggers as Hyperscan writes them, or nothing
// when there is nothing to look for but shapes.
func serialized(triggers []*Trigger) ([]byte, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	patterns := make([]*hyperscan.Pattern, len(triggers))
	for i, t := range triggers {
		flags := hyperscan.CompileFlag(0)
		if t.caseless {
			flags |= hyperscan.Caseless
		}
		patterns[i] = hyperscan.NewPattern(t.Expression(), flags)
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

// compileCached is compileHyperscan that looks into a cache first, when there is
// one. The key is a digest of every expression and of the engine's version.
func compileCached(cache Cache, triggers []*Trigger) (matcher, error) {
	if cache == nil {
		return orNil(compileHyperscan(triggers))
	}
	key := digest(hyperscanVersion(), triggers)
	if data := cache.Load(key); len(data) > 0 {
		if m, err := restore(data); err == nil && prove(m, triggers) == nil {
			return m, nil
		}
	}
	data, err := serialized(triggers)
	if err != nil {
		return nil, err
	}
	if len(data) > 0 {
		cache.Store(key, data)
	}
	return orNil(restore(data))
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil(m *hyperscanMatcher, err error) (matcher, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}
