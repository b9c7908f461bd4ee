package detect

import (
	"errors"
	"fmt"
	"slices"

	"github.com/leakveil/leakveil/rules"
)

// Database is a compiled rule set: immutable, shared by all scanners.
type Database struct {
	triggers []*Trigger      // whose expressions the engine runs
	shapes   []*Trigger      // numbered behind them
	prefixes [256][]*Trigger // those of a vendor's prefix, by its first byte
	matcher  matcher
	engine   Engine
	form     EngineForm
}

// trigger returns the trigger of an event.
func (db *Database) trigger(ev event) *Trigger {
	if n := int(ev.trigger) - len(db.triggers); n >= 0 {
		return db.shapes[n]
	}
	return db.triggers[ev.trigger]
}

// Compile generates the triggers of every rule whose role is among roles (only
// secret when none is given) and compiles them. The same set gives the same
// database. It fails rather than leave a rule out.
func Compile(set *rules.Set, roles ...rules.Role) (*Database, error) {
	return CompileWith(Options{}, set, roles...)
}

// generate returns the checked triggers of all rules with one of the roles, not
// yet compiled.
func generate(set *rules.Set, roles ...rules.Role) (*Database, error) {
	if len(roles) == 0 {
		roles = []rules.Role{rules.RoleSecret}
	}
	db := &Database{}
	for i := range set.Rules {
		r := &set.Rules[i]
		if !slices.Contains(roles, r.Role) {
			continue
		}
		for _, t := range triggersOf(r) {
			if err := t.check(); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", r.File, r.Line, err)
			}
			t.value = alphabets[r.Value.Alphabet]
			t.judged = t.form == formWeak && slices.Contains(r.Checks, "neighbours")
			for _, name := range r.Checks {
				t.checks = append(t.checks, checkFuncs[name])
			}
			if t.form == formShape {
				db.shapes = append(db.shapes, t)
			} else {
				db.triggers = append(db.triggers, t)
				db.addPrefix(t)
			}
		}
	}
	if len(db.triggers)+len(db.shapes) == 0 {
		return nil, errors.New("detect: no triggers: an empty database would let everything pass")
	}
	return db, nil
}

func (db *Database) addPrefix(t *Trigger) {
	if t.form != formPrefix {
		return
	}
	for c, in := range t.elems[0].set {
		if in {
			db.prefixes[c] = append(db.prefixes[c], t)
		}
	}
}

// Triggers returns the compiled triggers; a trigger's index is its number. Shapes,
// which the engine does not look for, are not among them.
func (db *Database) Triggers() []*Trigger { return db.triggers }

// Scanner runs a database over batches. It belongs to one goroutine.
type Scanner struct {
	db     *Database
	engine engine
	over   func() bool // see GiveUpWhen
	events []event
	cursor cursor

	arena        []byte
	headers      headerCache
	current      candidate // on its way; here, so that none is allocated
	candidates   []candidate
	walked       lastWalks // of values along their alphabets
	quoted       lastWalks // of values to their quotes
	rests        lastRun   // of what values go on with
	few          lastFew   // of placeholders
	parameters   nearby
	jarEnd       int // up to where cookies were read
	bindEnd      int // up to where values without names were read
	findings     []Finding
	observations []Observation
	scratch      []byte // decoded values, wiped after each batch
	words        [runsPerCall]bounds
	shaped       []event
	open         Open
	inner        *Scanner // of what blobs hold
	insides      int      // findings in blobs
	depth        int      // of blobs around the text
	inflated     bool     // one of them is gzip data
	pending      []pendingBlob
	dumps        []bounds  // lines of dumps that were scanned
	dumped       []Finding // in them
	blobs        [6]int    // where the last blobs end, for each place in a group
	values       []byte    // what allRepeats looks for, wiped after each use
	recorder     *recorder // nil unless Explain runs
}

// NewScanner returns a scanner with an engine of its own.
func (db *Database) NewScanner() (*Scanner, error) {
	e, err := db.matcher.engine()
	if err != nil {
		return nil, err
	}
	return &Scanner{db: db, engine: e, parameters: newNearby(parameters)}, nil
}

// Close frees the engine's memory.
func (s *Scanner) Close() error {
	if s.inner == nil {
		return s.engine.close()
	}
	return errors.Join(s.inner.Close(), s.engine.close())
}

// scanWindow is the longest text given to the engine at once: sparse events of
// longer scans cost many times more, since the Go scheduler takes the processor
// away from calls into C that last long.
const scanWindow = 256 << 10

// Scan finds everything in the batch. Findings are sorted by Start and do not
// overlap; they and the observations are valid until the next Scan. After an
// error nothing of the batch counts as scanned, and the scanner can be used again.
func (s *Scanner) Scan(b *Batch) (findings []Finding, observations []Observation, err error) {
	defer func() {
		if p := recover(); p != nil {
			findings, observations, err = nil, nil, fmt.Errorf("detect: scan panicked: %T", p)
			s.renew()
		}
		clear(s.scratch[:cap(s.scratch)])
		clear(s.values)
	}()
	if err := s.collect(b.Bytes()); err != nil {
		s.renew()
		return nil, nil, err
	}
	s.findings, s.observations, s.candidates, s.open = s.findings[:0], s.observations[:0], s.candidates[:0], Open{}
	if len(s.events) == 0 && !(b.lines && (b.before.Live() || beginsInDump(b.Bytes()))) {
		return nil, nil, nil
	}
	s.arena = b.Bytes()
	s.cursor.reset(b)
	s.walked, s.quoted, s.rests, s.few = lastWalks{}, lastWalks{}, lastRun{}, lastFew{}
	s.jarEnd, s.bindEnd = 0, 0
	s.blobs, s.insides = [6]int{}, 0
	s.dumps, s.dumped, s.pending = s.dumps[:0], s.dumped[:0], s.pending[:0]
	s.parameters.reset()
	if b.lines {
		s.goOnDump()
	}
	if b.lines && b.before.awaited.what != awaitsNothing {
		s.resume(b.before.awaited)
	}
	for i, ev := range s.events {
		if i%eventsPerCheck == 0 && s.expired() {
			return nil, nil, ErrExpired
		}
		if len(s.candidates)+s.insides+len(s.dumped) > maxFindings {
			return nil, nil, ErrTooMany
		}
		if s.recorder != nil {
			s.recorded(s.db.trigger(ev), int(ev.to))
			continue
		}
		s.confirm(s.db.trigger(ev), int(ev.to))
	}
	s.resolve()
	s.repeats(b)
	s.follow(b)
	s.mergeDumps()
	if len(s.findings) > maxFindings {
		return nil, nil, ErrTooMany
	}
	return s.findings, s.observations, nil
}

// Open returns the value in which the text of the last Scan ended and which may go
// on in the line behind it. Its Live is false when there is none, as for gathered
// records, which are never continued.
func (s *Scanner) Open() Open { return s.open }

// collect runs the engine over the arena, in overlapping windows when it is long.
func (s *Scanner) collect(arena []byte) error {
	s.events = s.events[:0]
	for done := 0; done < len(arena); {
		if s.expired() {
			return ErrExpired
		}
		from := max(0, done-maxTrigger)
		to := min(len(arena), from+scanWindow)
		if len(arena)-from < scanWindow+scanWindow/2 {
			to = len(arena)
		}
		first := len(s.events)
		if err := s.engine.scan(arena[from:to], &s.events); err != nil {
			return err
		}
		kept := s.events[:first]
		for _, ev := range s.events[first:] {
			if ev.to += uint32(from); int(ev.to) > done {
				kept = append(kept, ev)
			}
		}
		s.events, done = kept, to
	}
	if !slices.IsSortedFunc(s.events, compareEvents) {
		slices.SortFunc(s.events, compareEvents)
	}
	s.collectShapes(arena)
	return nil
}

func compareEvents(a, b event) int {
	if a.to != b.to {
		return int(a.to) - int(b.to)
	}
	return int(a.trigger) - int(b.trigger)
}

// renew replaces the engine after a failure: its scratch may count as in use.
func (s *Scanner) renew() {
	if fresh, err := s.db.matcher.engine(); err == nil {
		_ = s.engine.close() // a scratch that counts as in use cannot be freed
		s.engine = fresh
	}
}
