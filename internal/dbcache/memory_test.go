package dbcache

import (
	"fmt"
	"sync"
	"testing"
)

// What was stored is there for everybody, and the number of entries is bounded.
func TestMemory(t *testing.T) {
	var m Memory
	if m.Load("a") != nil {
		t.Error("something is there before anything was stored")
	}
	var done sync.WaitGroup
	for i := range 4 * keep {
		done.Go(func() {
			key := fmt.Sprint(i)
			m.Store(key, []byte(key))
			if got := m.Load(key); got != nil && string(got) != key {
				t.Errorf("%s: %q", key, got)
			}
		})
	}
	done.Wait()
	m.Store("last", []byte("x"))
	if len(m.data) > keep || string(m.Load("last")) != "x" {
		t.Errorf("%d entries", len(m.data))
	}
}
