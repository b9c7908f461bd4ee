package alert

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/event"
	"pgregory.net/rapid"
)

func openLog(t *testing.T, path string) *FileLog {
	t.Helper()
	l, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// replayed returns the offsets of the detections in the log.
func replayed(t fataler, l *FileLog) (offsets []int64) {
	t.Helper()
	err := l.Replay(func(d event.Detection, written time.Time) {
		if !written.Equal(epoch) {
			t.Fatal("written at", written)
		}
		offsets = append(offsets, d.Where.Offset)
	}, func(State) {})
	if err != nil {
		t.Fatal(err)
	}
	return offsets
}

func detectionLine(n int) []byte { return MarshalDetection(sample("spa", n, 0), epoch) }

func TestFileLogReplaysDetectionsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	l := openLog(t, path)
	lines := [][]byte{detectionLine(1), MarshalAlert(foldOne(t, sample("spa", 1, 0))), []byte("{}"), detectionLine(2)}
	if err := l.Append(lines); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); err == nil {
		t.Error("a second writer of the file was let in")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, openLog(t, path)); len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Errorf("replayed %v, want [1 2]", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestFileLogRepairsATornTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	whole := append(append(detectionLine(1), '\n'), append(detectionLine(2), '\n')...)
	rapid.Check(t, func(rt *rapid.T) {
		cut := rapid.IntRange(0, len(whole)).Draw(rt, "cut")
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			rt.Fatal(err)
		}
		l, err := OpenFile(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer l.Close()
		if err := l.Append([][]byte{detectionLine(3)}); err != nil {
			rt.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			rt.Fatal(err)
		}
		kept := whole[:bytes.LastIndexByte(whole[:cut], '\n')+1]
		if want := string(kept) + string(detectionLine(3)) + "\n"; string(got) != want {
			rt.Fatalf("cut at %d: the file has %d bytes, want %d", cut, len(got), len(want))
		}
		if n := len(replayed(rt, l)); n != bytes.Count(kept, []byte("\n"))+1 {
			rt.Fatalf("cut at %d: %d detections", cut, n)
		}
	})
}

func TestFileLogRepairsALongTornTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	if err := os.WriteFile(path, []byte("{}\n"+strings.Repeat("x", 200<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	openLog(t, path)
	if got, err := os.ReadFile(path); err != nil || string(got) != "{}\n" {
		t.Errorf("%d bytes are left, %v, want 3", len(got), err)
	}
}

func TestFileLogSaysWhenItCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	l := openLog(t, path)
	if err := l.Append([][]byte{detectionLine(1)}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := l.file
	if l.file, err = os.Open(path); err != nil { // for reading: writes fail
		t.Fatal(err)
	}
	if err := l.Append([][]byte{detectionLine(2)}); err == nil {
		t.Error("no error from a file that cannot be written")
	}
	_ = l.file.Close()
	l.file = whole
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed, %v", err)
	}
	if err := l.Append([][]byte{detectionLine(3)}); err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, l); len(got) != 2 || got[1] != 3 {
		t.Errorf("replayed %v, want [1 3]", got)
	}
}

func TestFileLogRefusesASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "target"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(link); err == nil {
		t.Error("a symbolic link was opened")
	}
	if _, err := OpenFile(filepath.Join(dir, "none", "alerts")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenFile in a missing folder = %v", err)
	}
}
