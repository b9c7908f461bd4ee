package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

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
// there; see CompileWith.
func CompileCached(cache Cache, set *rules.Set, roles ...rules.Role) (*Database, error) {
	return CompileWith(Options{Cache: cache}, set, roles...)
}

// digest names what is made of triggers in some forms by an engine's version.
func digest(version string, triggers []*Trigger, forms ...EngineForm) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", version)
	for _, form := range forms {
		fmt.Fprintf(sum, "%s\n", form)
		for i, t := range triggers {
			fmt.Fprintf(sum, "%d:/%s/%s\n", i, form.Expression(t), t.Flags())
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// prove scans a text in which each trigger must fire once where it was put.
func prove(m matcher, triggers []*Trigger) error {
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
