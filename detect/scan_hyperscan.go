//go:build cgo

package detect

/*
#cgo pkg-config: libhs
#include <stdint.h>
#include <hs.h>

struct event { uint32_t trigger, to; }; // as in engine.go

struct events {
	struct event *at;
	size_t n, room;
};

// append only records; it ends the scan where there is no room.
static int append(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags, void *context) {
	struct events *e = context;
	(void)from, (void)flags;
	if (e->n == e->room) return 1;
	e->at[e->n++] = (struct event){id, (uint32_t)to};
	return 0;
}

// scan writes up to room events of the text to at and their number to n.
static hs_error_t scan(const hs_database_t *db, const char *text, unsigned int length, hs_scratch_t *scratch,
	struct event *at, size_t room, size_t *n) {
	struct events e = {at, 0, room};
	hs_error_t err = hs_scan(db, text, length, 0, scratch, append, &e);
	*n = e.n;
	return err;
}

#cgo noescape scan
#cgo nocallback scan
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"github.com/flier/gohs/hyperscan"
)

// gohs compiles, and its Scan would do as well, but for its callback in Go: 80 ns
// an event where events are dense and microseconds where they are sparse, since
// the scheduler takes the processor away from a long call into C. Here events are
// written in C, and no Go code runs before the scan is over.

// hyperscanMatcher is a database of Hyperscan's, freed with the last engine of it.
type hyperscanMatcher struct {
	db     *C.hs_database_t // nil when there is nothing to look for but shapes
	behind []*set           // what must stand behind each trigger's expression; see EngineForm
}

// restore loads a serialized database. The library itself refuses one with a wrong
// checksum, of another version or for another processor.
func restore(data []byte, behind []*set) (*hyperscanMatcher, error) {
	m := &hyperscanMatcher{behind: behind}
	if len(data) == 0 {
		return m, nil
	}
	if err := failed(C.hs_deserialize_database((*C.char)(unsafe.Pointer(unsafe.SliceData(data))), C.size_t(len(data)), &m.db)); err != nil {
		return nil, fmt.Errorf("detect: load the compiled triggers: %w", err)
	}
	runtime.AddCleanup(m, func(db *C.hs_database_t) { C.hs_free_database(db) }, m.db)
	return m, nil
}

// failed is the library's result as an error.
func failed(result C.hs_error_t) error {
	if result == C.HS_SUCCESS {
		return nil
	}
	return hyperscan.Error(result)
}

func (m *hyperscanMatcher) engine() (engine, error) {
	e := &hyperscanEngine{matcher: m}
	if m.db == nil {
		return e, nil
	}
	if err := failed(C.hs_alloc_scratch(m.db, &e.scratch)); err != nil {
		return nil, fmt.Errorf("detect: allocate a scratch: %w", err)
	}
	return e, nil
}

// hyperscanEngine is one worker's engine: the shared database, its own scratch.
type hyperscanEngine struct {
	matcher *hyperscanMatcher
	scratch *C.hs_scratch_t
}

// firstEvents is how many events there is room for at least, a step of growth too.
const firstEvents = 1024

var errNoScratch = errors.New("detect: scan: the engine is closed")

func (e *hyperscanEngine) scan(arena []byte, events *[]event) error {
	if len(arena) == 0 || e.matcher.db == nil {
		return nil
	}
	if e.scratch == nil {
		return errNoScratch
	}
	if len(arena) > math.MaxUint32 {
		return fmt.Errorf("detect: scan: %d bytes at once are too many", len(arena))
	}
	for room := firstEvents; ; room *= 4 {
		*events = slices.Grow(*events, room)
		free := (*events)[len(*events):cap(*events)]
		var n C.size_t
		result := C.scan(e.matcher.db, (*C.char)(unsafe.Pointer(unsafe.SliceData(arena))), C.uint(len(arena)), e.scratch,
			(*C.struct_event)(unsafe.Pointer(unsafe.SliceData(free))), C.size_t(len(free)), &n)
		runtime.KeepAlive(e.matcher)
		if result == C.HS_SCAN_TERMINATED {
			continue // no room: once more, with more of it
		}
		if err := failed(result); err != nil {
			return fmt.Errorf("detect: scan: %w", err)
		}
		first := len(*events)
		*events = (*events)[:first+int(n)]
		if e.matcher.behind != nil {
			*events = append((*events)[:first], e.matcher.finish(arena, (*events)[first:])...)
		}
		return nil
	}
}

// finish keeps the events behind whose expressions the byte stands that ends their
// triggers, and lets them end behind it.
func (m *hyperscanMatcher) finish(arena []byte, events []event) []event {
	kept := events[:0]
	for _, ev := range events {
		if want := m.behind[ev.trigger]; want != nil {
			if int(ev.to) == len(arena) || !want[arena[ev.to]] {
				continue
			}
			ev.to++
		}
		kept = append(kept, ev)
	}
	return kept
}

func (e *hyperscanEngine) close() error {
	if e.scratch == nil {
		return nil
	}
	err := failed(C.hs_free_scratch(e.scratch))
	e.scratch = nil
	return err
}
