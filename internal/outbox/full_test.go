package outbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/leakveil/leakveil/internal/outbox"
)

// A limit on the size of files stands for a full disk: an Append that does not fit
// leaves nothing, and what was there before is there after.
func TestFileOnAFullDisk(t *testing.T) {
	if dir := os.Getenv("LEAKVEIL_TEST_FULL"); dir != "" {
		fill(t, dir)
		return
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 64; exec "$0" -test.run='^TestFileOnAFullDisk$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "LEAKVEIL_TEST_FULL="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fill(t *testing.T, dir string) {
	o, err := outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for err == nil {
		if err = o.Append(t.Context(), []outbox.Entry{{ID: fmt.Sprint(stored), Data: bytes.Repeat([]byte("x"), 3000)}}); err == nil {
			stored++
		}
		if stored > 1000 {
			t.Fatal("never full")
		}
	}
	if errors.Is(err, os.ErrClosed) || stored == 0 {
		t.Fatal(stored, err)
	}
	if err := o.Append(t.Context(), []outbox.Entry{{ID: "small", Data: []byte("x")}}); err != nil {
		t.Fatal("a smaller one does not fit either:", err)
	}
	_ = o.Close()
	if o, err = outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	got, err := o.Read(t.Context(), 0, 1<<20, 1<<30)
	if err != nil || len(got) != stored+1 || got[stored].ID != "small" {
		t.Fatalf("%d entries of %d (%v)", len(got), stored+1, err)
	}
}
