package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/flier/gohs/hyperscan"
	"github.com/leakveil/leakveil/rules"
)

// Cache keeps compiled databases between runs: compiling takes a few tenths of a
// second, loading a few thousandths. A cache that cannot load or store is no error; what
// it gives is not trusted (see CompileCached).
type Cache interface {
	// Load returns what was stored under key, nil when there is nothing.
	Load(key string) []byte
	Store(key string, data []byte)
}

// CompileCached is Compile that takes the engine's part from a cache when it is
// there. The key is a digest of every expression and of the engine's version. What
// comes from the cache must prove itself before it is used: each trigger has to
// fire on a text made for it, so that a damaged or foreign file can make nothing
// pass unseen.
func CompileCached(cache Cache, set *rules.Set, roles ...rules.Role) (*Database, error) {
	db, err := generate(set, roles...)
	if err != nil {
		return nil, err
	}
	key := digest(db.triggers)
	if m := restore(cache.Load(key)); m != nil {
		if m.prove(db.triggers) == nil {
			db.matcher = m
			return db, nil
		}
		_ = m.db.Close()
	}
	if db.matcher, err = compileMatcher(db.triggers); err != nil {
		return nil, err
	}
	if data, err := db.matcher.marshal(); err == nil {
		cache.Store(key, data)
	}
	return db, nil
}

// digest names the compiled form of triggers.
func digest(triggers []*Trigger) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", hyperscan.Version())
	for i, t := range triggers {
		fmt.Fprintf(sum, "%d:/%s/%s\n", i, t.Expression(), t.Flags())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// restore loads a serialised database, or returns nil. The engine itself refuses
// one with a wrong checksum, of another version or for another processor.
func restore(data []byte) *matcher {
	if len(data) == 0 {
		return nil
	}
	db, err := hyperscan.UnmarshalBlockDatabase(data)
	if err != nil {
		return nil
	}
	return &matcher{db: db}
}

// prove scans a text in which each trigger must fire once where it was put.
func (m *matcher) prove(triggers []*Trigger) error {
	e, err := m.engine()
	if err != nil {
		return err
	}
	defer e.close()
	var text []byte
	var events []event
	want := make(map[event]bool, len(triggers))
	for i, t := range triggers {
		text = t.appendSample(text)
		want[event{uint32(i), uint32(len(text))}] = true
		text = append(text, '\n')
	}
	if err := e.scan(text, &events); err != nil {
		return err
	}
	for _, ev := range events {
		delete(want, ev)
	}
	if len(want) > 0 {
		return fmt.Errorf("detect: %d of %d triggers of a stored database do not fire", len(want), len(triggers))
	}
	return nil
}

// appendSample appends the shortest text that the trigger fires on. Of a class of
// bytes it takes one after the other.
func (t *Trigger) appendSample(dst []byte) []byte {
	next := byte(0)
	for _, e := range t.elems {
		for range e.n {
			for !e.set[next] {
				next++
			}
			dst = append(dst, next)
			next++
		}
	}
	return dst
}
