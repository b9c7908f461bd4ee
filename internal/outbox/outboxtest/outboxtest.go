// Package outboxtest is the conformance test of every outbox.Outbox: what the
// interface promises, whoever keeps it. It must know no implementation.
package outboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Maker opens the outbox under test; a second call with the same dir opens it
// again. max is the bound on its size in bytes; 0: none that a test reaches.
type Maker func(t testing.TB, dir string, readers []string, max int64) outbox.Outbox

// Run tests the implementation that open makes.
func Run(t *testing.T, open Maker) {
	for name, test := range map[string]func(*testing.T, Maker){
		"order and limits":         testOrder,
		"survives reopening":       testReopen,
		"cursors are independent":  testCursors,
		"dead letters":             testDead,
		"full is back-pressure":    testFull,
		"new and forgotten reader": testReaders,
		"bad entries":              testBad,
		"concurrent use":           testConcurrent,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// Entries returns entries from..to of a test, each with an id of its own.
func Entries(from, to int) (out []outbox.Entry) {
	for i := from; i <= to; i++ {
		out = append(out, outbox.Entry{ID: fmt.Sprintf("id-%d", i), Data: fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("x", i%50))})
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// all reads everything behind after in steps.
func all(t testing.TB, o outbox.Outbox, after int64, step int) (out []outbox.Entry) {
	t.Helper()
	for {
		entries, err := o.Read(t.Context(), after, step, 1<<20)
		must(t, err)
		if len(entries) == 0 {
			return out
		}
		for _, e := range entries {
			if e.Seq <= after {
				t.Fatalf("position %d follows %d", e.Seq, after)
			}
			after = e.Seq
		}
		out = append(out, entries...)
	}
}

func same(t testing.TB, got, want []outbox.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, not %d", len(got), len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Fatalf("entry %d is %s, not %s", i, got[i].ID, want[i].ID)
		}
	}
}

func testOrder(t *testing.T, open Maker) {
	o := open(t, t.TempDir(), []string{"a"}, 0)
	want := Entries(1, 500)
	for i := 0; i < len(want); i += 7 {
		must(t, o.Append(t.Context(), want[i:min(i+7, len(want))]))
	}
	must(t, o.Append(t.Context(), nil))
	same(t, all(t, o, 0, 13), want)
	few, err := o.Read(t.Context(), 0, 100, len(want[0].Data)+len(want[1].Data))
	must(t, err)
	same(t, few, want[:2])
	one, err := o.Read(t.Context(), 0, 100, 1)
	must(t, err)
	same(t, one, want[:1])
}

func testReopen(t *testing.T, open Maker) {
	dir := t.TempDir()
	want := Entries(1, 300)
	for i := 0; i < len(want); i += 100 {
		o := open(t, dir, []string{"a"}, 0)
		must(t, o.Append(t.Context(), want[i:i+100]))
		got := all(t, o, 0, 1000)
		same(t, got, want[:i+100])
		must(t, o.Close())
	}
	o := open(t, dir, []string{"a"}, 0)
	got := all(t, o, 0, 1000)
	must(t, o.Advance(t.Context(), "a", got[199].Seq, nil))
	must(t, o.Close())
	o = open(t, dir, []string{"a"}, 0)
	at, err := o.Cursor(t.Context(), "a")
	must(t, err)
	same(t, all(t, o, at, 1000), want[200:])
}

func testCursors(t *testing.T, open Maker) {
	o := open(t, t.TempDir(), []string{"a", "b"}, 0)
	want := Entries(1, 50)
	must(t, o.Append(t.Context(), want))
	got := all(t, o, 0, 100)
	must(t, o.Advance(t.Context(), "a", got[29].Seq, nil))
	must(t, o.Advance(t.Context(), "a", got[9].Seq, nil)) // never back
	a, err := o.Cursor(t.Context(), "a")
	must(t, err)
	b, err := o.Cursor(t.Context(), "b")
	must(t, err)
	same(t, all(t, o, a, 100), want[30:])
	same(t, all(t, o, b, 100), want)
	if _, err := o.Cursor(t.Context(), "c"); err == nil {
		t.Fatal("an unknown reader has a cursor")
	}
	if err := o.Advance(t.Context(), "c", 1, nil); err == nil {
		t.Fatal("an unknown reader can be advanced")
	}
}

func testDead(t *testing.T, open Maker) {
	dir := t.TempDir()
	o := open(t, dir, []string{"a"}, 0)
	must(t, o.Append(t.Context(), Entries(1, 3)))
	got := all(t, o, 0, 10)
	must(t, o.Advance(t.Context(), "a", got[2].Seq, []outbox.Dead{{Entry: got[1], Reason: "refused"}}))
	at, err := o.Cursor(t.Context(), "a")
	must(t, err)
	if at != got[2].Seq {
		t.Fatalf("the cursor is %d", at)
	}
}

func testFull(t *testing.T, open Maker) {
	dir := t.TempDir()
	o := open(t, dir, []string{"quick", "dead"}, 1<<20)
	var stored []outbox.Entry
	var err error
	for i := 0; err == nil; i++ {
		if i > 1000 {
			t.Fatal("never full")
		}
		batch := []outbox.Entry{{ID: fmt.Sprint("large-", i), Data: bytes.Repeat([]byte{'x'}, 32<<10)}}
		if err = o.Append(t.Context(), batch); err == nil {
			stored = append(stored, batch...)
		}
	}
	if !errors.Is(err, outbox.ErrFull) {
		t.Fatal("not ErrFull:", err)
	}
	if len(stored) < 8 {
		t.Fatalf("full after %d entries", len(stored))
	}
	got := all(t, o, 0, 1000)
	same(t, got, stored)
	must(t, o.Advance(t.Context(), "quick", got[len(got)-1].Seq, nil))
	if err := o.Append(t.Context(), []outbox.Entry{{ID: "more", Data: bytes.Repeat([]byte{'x'}, 64<<10)}}); !errors.Is(err, outbox.ErrFull) {
		t.Fatal("room was made of what a reader has not passed:", err)
	}
	must(t, o.Advance(t.Context(), "dead", got[len(got)-1].Seq, nil))
	must(t, o.Append(t.Context(), Entries(1, 10)))
	same(t, all(t, o, got[len(got)-1].Seq, 100), Entries(1, 10))
}

func testReaders(t *testing.T, open Maker) {
	dir := t.TempDir()
	o := open(t, dir, []string{"a"}, 0)
	must(t, o.Append(t.Context(), Entries(1, 5)))
	must(t, o.Close())
	o = open(t, dir, []string{"a", "late"}, 0)
	must(t, o.Append(t.Context(), Entries(6, 8)))
	at, err := o.Cursor(t.Context(), "late")
	must(t, err)
	same(t, all(t, o, at, 10), Entries(6, 8))
	must(t, o.Close())
	o = open(t, dir, []string{"late"}, 0)
	if _, err := o.Cursor(t.Context(), "a"); err == nil {
		t.Fatal("a reader that is not listed has a cursor")
	}
}

func testBad(t *testing.T, open Maker) {
	o := open(t, t.TempDir(), []string{"a"}, 0)
	good := Entries(1, 1)[0]
	for name, bad := range map[string]outbox.Entry{
		"no id": {Data: []byte("x")}, "long id": {ID: strings.Repeat("x", 513), Data: []byte("x")},
		"large": {ID: "l", Data: make([]byte, outbox.MaxEntry+1)},
	} {
		if err := o.Append(t.Context(), []outbox.Entry{good, bad}); err == nil || errors.Is(err, outbox.ErrFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := all(t, o, 0, 10); len(got) != 0 {
		t.Fatalf("%d entries of refused batches are stored", len(got))
	}
}

func testConcurrent(t *testing.T, open Maker) {
	readers := []string{"a", "b", "c"}
	o := open(t, t.TempDir(), readers, 0)
	const n = 200
	done := make(chan error, len(readers))
	for _, reader := range readers {
		go func() {
			seen := map[string]bool{}
			var at int64
			for len(seen) < n {
				entries, err := o.Read(t.Context(), at, 11, 1<<20)
				if err != nil {
					done <- err
					return
				}
				for _, e := range entries {
					seen[e.ID], at = true, e.Seq
				}
				if err := o.Advance(t.Context(), reader, at, nil); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range n / 4 {
		must(t, o.Append(t.Context(), Entries(4*i+1, 4*i+4)))
	}
	for range readers {
		must(t, <-done)
	}
}
