package outbox_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/outbox/outboxtest"
	"pgregory.net/rapid"
)

func open(t testing.TB, dir string, readers []string, max int64) outbox.Outbox {
	t.Helper()
	f, err := outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: readers, MaxBytes: max, SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestFileIsAnOutbox(t *testing.T) { outboxtest.Run(t, open) }

func TestFileSegmentsArePassedAndDeleted(t *testing.T) {
	dir := t.TempDir()
	o := open(t, dir, []string{"a", "b"}, 0)
	for i := range 40 {
		big := []outbox.Entry{{ID: "big", Data: bytes.Repeat([]byte{byte('a' + i%26)}, 16<<10)}}
		if err := o.Append(t.Context(), big); err != nil {
			t.Fatal(err)
		}
	}
	if n := segments(t, dir); n < 5 {
		t.Fatalf("%d segments", n)
	}
	for _, reader := range []string{"a", "b"} {
		if err := o.Advance(t.Context(), reader, 40, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := segments(t, dir); n != 1 {
		t.Fatalf("%d segments are left", n)
	}
	_ = o.Close()
	o = open(t, dir, []string{"a", "b"}, 0)
	if err := o.Append(t.Context(), outboxtest.Entries(1, 1)); err != nil {
		t.Fatal(err)
	}
	got, err := o.Read(t.Context(), 40, 10, 1<<20)
	if err != nil || len(got) != 1 || got[0].Seq != 41 {
		t.Fatal(got, err)
	}
}

func segments(t *testing.T, dir string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// A crash may leave any prefix of the last Append, or garbage in its place:
// everything before it is there, and of it all or nothing.
func TestFileSurvivesATornAppend(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		o := open(t, dir, []string{"a"}, 0)
		if err := o.Append(t.Context(), outboxtest.Entries(1, 5)); err != nil {
			r.Fatal(err)
		}
		path := filepath.Join(dir, "00000000000000000001.log")
		whole := size(r, path)
		if err := o.Append(t.Context(), outboxtest.Entries(6, 9)); err != nil {
			r.Fatal(err)
		}
		_ = o.Close()
		cut := rapid.Int64Range(whole, size(r, path)).Draw(r, "cut")
		after := size(r, path)
		if err := os.Truncate(path, cut); err != nil {
			r.Fatal(err)
		}
		if rapid.Bool().Draw(r, "zeros follow") { // a file system may keep the length
			if err := os.Truncate(path, after); err != nil {
				r.Fatal(err)
			}
		}
		o = open(t, dir, []string{"a"}, 0)
		got, err := o.Read(t.Context(), 0, 100, 1<<20)
		if err != nil {
			r.Fatal(err)
		}
		if len(got) != 5 && !(len(got) == 9 && cut == after) {
			r.Fatalf("%d entries after a cut at %d of %d", len(got), cut, after)
		}
		if err := o.Append(t.Context(), outboxtest.Entries(10, 10)); err != nil {
			r.Fatal(err)
		}
		_ = o.Close()
		o = open(t, dir, []string{"a"}, 0)
		again, err := o.Read(t.Context(), 0, 100, 1<<20)
		if err != nil || len(again) != len(got)+1 {
			r.Fatal(len(again), err)
		}
		_ = o.Close()
	})
}

func size(t interface{ Fatal(...any) }, path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestFileRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	o := open(t, dir, []string{"a"}, 0)
	for i := range 5 {
		if err := o.Append(t.Context(), outboxtest.Entries(i, i)); err != nil {
			t.Fatal(err)
		}
	}
	_ = o.Close()
	path := filepath.Join(dir, "00000000000000000001.log")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[8+rand.IntN(10)] ^= 1 // in the first of five
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: []string{"a"}}); err == nil {
		t.Fatal("a damaged log was opened: its readers would pass over alerts")
	}
}

func TestFileIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, nil, 0)
	if _, err := outbox.OpenFile(outbox.FileOptions{Dir: dir}); err == nil {
		t.Fatal("opened twice")
	}
}

func TestFileKeepsDeadLetters(t *testing.T) {
	dir := t.TempDir()
	o := open(t, dir, []string{"a"}, 1000)
	entry := outbox.Entry{ID: "x-1", Data: []byte(`{"a":1}`)}
	if err := o.Append(t.Context(), []outbox.Entry{entry}); err != nil {
		t.Fatal(err)
	}
	if err := o.Advance(t.Context(), "a", 1, []outbox.Dead{{Entry: entry, Reason: "refused"}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "dead.ndjson"))
	if err != nil || !bytes.Contains(text, []byte(`"reader":"a","reason":"refused","id":"x-1","document":{"a":1}}`)) {
		t.Fatalf("%s %v", text, err)
	}
	entry.Data = []byte(`"` + string(bytes.Repeat([]byte("x"), 1000)) + `"`)
	if err := o.Advance(t.Context(), "a", 1, []outbox.Dead{{Entry: entry, Reason: "refused"}}); !errors.Is(err, outbox.ErrFull) {
		t.Fatal("dead letters grew without bound:", err)
	}
}
