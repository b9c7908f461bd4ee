package detect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// event says that the trigger with this number ends before byte to.
type event struct {
	trigger uint32
	to      uint32
}

// engine finds where triggers end. Events come in any order, each once.
type engine interface {
	// scan appends all events of the arena. After an error the events are
	// worthless and nothing of the arena counts as scanned.
	scan(arena []byte, events *[]event) error
	close() error
}

// matcher is the compiled form of all triggers, shared by all engines made of it.
type matcher interface {
	engine() (engine, error)
}

// Engine names a way to find triggers. All find the same.
type Engine string

const (
	// Auto is Hyperscan where the build has it, else Portable.
	Auto Engine = "auto"
	// Hyperscan is Intel's library, or Vectorscan in its place; builds with cgo
	// have it.
	Hyperscan Engine = "hyperscan"
	// Portable is plain Go, in every build, at 0.35 to 0.7 of Hyperscan's speed.
	Portable Engine = "portable"
)

// Engines returns the engines of this build, the default first.
func Engines() []Engine {
	if haveHyperscan {
		return []Engine{Hyperscan, Portable}
	}
	return []Engine{Portable}
}

// Resolve returns what e stands for in this build. Empty is Auto. It fails for an
// engine that the build lacks, and for no engine's name.
func (e Engine) Resolve() (Engine, error) {
	switch have := Engines(); {
	case e == "" || e == Auto:
		return have[0], nil
	case slices.Contains(have, e):
		return e, nil
	case e == Hyperscan:
		return "", fmt.Errorf("engine %q: this build has none (it was built without cgo): want portable or auto", string(e))
	}
	return "", fmt.Errorf("engine %q: want hyperscan, portable or auto", string(e))
}

// Version says what the engine is, for people: its name, and the library's version.
func (e Engine) Version() string {
	e, err := e.Resolve()
	if err != nil {
		return ""
	}
	if e == Hyperscan {
		return strings.TrimSpace(string(e) + " " + hyperscanVersion())
	}
	return string(e)
}

// Options say how rules are compiled. The zero value is the default engine and no
// cache.
type Options struct {
	Engine Engine
	Form   EngineForm // of Hyperscan's triggers; empty is Classes
	Cache  Cache      // of Hyperscan's databases; nil for none
}

// CompileWith is Compile with a chosen engine and a cache. An engine that the
// build lacks is an error.
//
// What comes from the cache must prove itself before it is used: each trigger has
// to fire on a text made for it, so that a damaged or foreign file can make nothing
// pass unseen.
func CompileWith(o Options, set *rules.Set, roles ...rules.Role) (*Database, error) {
	name, err := o.Engine.Resolve()
	if err != nil {
		return nil, err
	}
	if err := o.Form.Check(); err != nil {
		return nil, err
	}
	db, err := generate(set, roles...)
	if err != nil {
		return nil, err
	}
	db.engine = name
	if name == Portable {
		db.form = Classes
		db.matcher = compilePortable(db.triggers)
		return db, nil
	}
	db.matcher, db.form, err = compileCached(o.Cache, o.Form, db.triggers)
	return db, err
}

// Form returns the form that the database was compiled in, never AutoForm; Classes for
// the portable engine.
func (db *Database) Form() EngineForm { return db.form }

// Engine returns the engine that the database was compiled for, never Auto.
func (db *Database) Engine() Engine { return db.engine }
