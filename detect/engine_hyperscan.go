//go:build cgo

package detect

import (
	"errors"
	"fmt"

	"github.com/flier/gohs/hyperscan"
)

const haveHyperscan = true

func hyperscanVersion() string { return hyperscan.Version() }

var errCallback = errors.New("detect: the engine's callback panicked")

// hyperscanMatcher is a database of Hyperscan's.
type hyperscanMatcher struct {
	db hyperscan.BlockDatabase // nil when there is nothing to look for but shapes
}

func compileHyperscan(triggers []*Trigger) (*hyperscanMatcher, error) {
	if len(triggers) == 0 {
		return &hyperscanMatcher{}, nil
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
	return &hyperscanMatcher{db: db}, nil
}

// compileCached is compileHyperscan that looks into a cache first, when there is
// one. The key is a digest of every expression and of the engine's version.
func compileCached(cache Cache, triggers []*Trigger) (matcher, error) {
	if cache == nil {
		return orNil(compileHyperscan(triggers))
	}
	key := digest(hyperscanVersion(), triggers)
	if m := restore(cache.Load(key)); m != nil {
		if prove(m, triggers) == nil {
			return m, nil
		}
		_ = m.db.Close()
	}
	m, err := compileHyperscan(triggers)
	if err != nil {
		return nil, err
	}
	if data, err := m.marshal(); err == nil {
		cache.Store(key, data)
	}
	return m, nil
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil(m *hyperscanMatcher, err error) (matcher, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *hyperscanMatcher) marshal() ([]byte, error) {
	if m.db == nil {
		return nil, errors.New("detect: nothing is compiled")
	}
	return m.db.Marshal()
}

// restore loads a serialised database, or returns nil. The engine itself refuses
// one with a wrong checksum, of another version or for another processor.
func restore(data []byte) *hyperscanMatcher {
	if len(data) == 0 {
		return nil
	}
	db, err := hyperscan.UnmarshalBlockDatabase(data)
	if err != nil {
		return nil
	}
	return &hyperscanMatcher{db: db}
}

func (m *hyperscanMatcher) engine() (engine, error) {
	if m.db == nil {
		return &hyperscanEngine{}, nil
	}
	scratch, err := hyperscan.NewScratch(m.db)
	if err != nil {
		return nil, fmt.Errorf("detect: allocate a scratch: %w", err)
	}
	e := &hyperscanEngine{db: m.db, scratch: scratch}
	e.onEvent = e.append
	return e, nil
}

// hyperscanEngine is one worker's engine: the shared database, its own scratch.
type hyperscanEngine struct {
	db      hyperscan.BlockDatabase
	scratch *hyperscan.Scratch
	events  *[]event
	failed  bool // the callback panicked: the scratch may count as in use for ever
	onEvent hyperscan.MatchHandler
}

// append is the callback: it only records, and never lets a panic cross C.
func (e *hyperscanEngine) append(id uint, _, to uint64, _ uint, _ any) (err error) {
	defer func() {
		if recover() != nil {
			e.failed = true
			err = errCallback
		}
	}()
	*e.events = append(*e.events, event{uint32(id), uint32(to)})
	return nil
}

func (e *hyperscanEngine) scan(arena []byte, events *[]event) error {
	if len(arena) == 0 || e.db == nil {
		return nil
	}
	e.events, e.failed = events, false
	err := e.db.Scan(arena, e.scratch, e.onEvent, nil)
	e.events = nil
	if e.failed {
		return errCallback
	}
	if err != nil {
		return fmt.Errorf("detect: scan: %w", err)
	}
	return nil
}

func (e *hyperscanEngine) close() error {
	if e.scratch == nil {
		return nil
	}
	err := e.scratch.Free()
	e.scratch = nil
	return err
}
