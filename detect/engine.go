package detect

import (
	"errors"
	"fmt"

	"github.com/flier/gohs/hyperscan"
)

// event says that the trigger with this number ends before byte to.
type event struct {
	trigger uint32
	to      uint32
}

// engine finds where triggers end. Events come in any order.
type engine interface {
	// scan appends all events of the arena. After an error the events are
	// worthless and nothing of the arena counts as scanned.
	scan(arena []byte, events *[]event) error
	close() error
}

var errCallback = errors.New("detect: the engine's callback panicked")

// matcher is the compiled form of all triggers, shared by all scanners.
type matcher struct {
	db hyperscan.BlockDatabase // nil when there is nothing to look for but shapes
}

func compileMatcher(triggers []*Trigger) (*matcher, error) {
	if len(triggers) == 0 {
		return &matcher{}, nil
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
	return &matcher{db: db}, nil
}

// hyperscanEngine is one worker's engine: the shared database, its own scratch.
type hyperscanEngine struct {
	db      hyperscan.BlockDatabase
	scratch *hyperscan.Scratch
	events  *[]event
	failed  bool // the callback panicked: the scratch may count as in use for ever
	onEvent hyperscan.MatchHandler
}

func (m *matcher) marshal() ([]byte, error) {
	if m.db == nil {
		return nil, errors.New("detect: nothing is compiled")
	}
	return m.db.Marshal()
}

func (m *matcher) engine() (*hyperscanEngine, error) {
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
