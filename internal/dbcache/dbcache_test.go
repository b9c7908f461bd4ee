package dbcache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestStoreAndLoad(t *testing.T) {
	f := In(filepath.Join(t.TempDir(), "new", "folder"))
	if got := f.Load("a"); got != nil {
		t.Fatalf("empty folder gave %d bytes", len(got))
	}
	f.Store("a", []byte("database a"))
	f.Store("b", []byte("database b"))
	if got := f.Load("a"); string(got) != "database a" {
		t.Errorf("a: %q", got)
	}
	if got := f.Load("b"); string(got) != "database b" {
		t.Errorf("b: %q", got)
	}
}

// What is cut, changed, or could be somebody else's is not handed out.
func TestWhatIsNotTrusted(t *testing.T) {
	for name, spoil := range map[string]func(folder, file string) error{
		"cut":             func(_, file string) error { return os.Truncate(file, 40) },
		"empty":           func(_, file string) error { return os.Truncate(file, 0) },
		"writable file":   func(_, file string) error { return os.Chmod(file, 0o666) },
		"writable folder": func(folder, _ string) error { return os.Chmod(folder, 0o777) },
		"changed": func(_, file string) error {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			data[len(data)-1] ^= 1
			return os.WriteFile(file, data, 0o600)
		},
		"folder": func(_, file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		},
	} {
		folder := filepath.Join(t.TempDir(), "cache")
		f := In(folder)
		f.Store("a", bytes.Repeat([]byte("database"), 100))
		if f.Load("a") == nil {
			t.Fatalf("%s: nothing was stored", name)
		}
		if err := spoil(folder, f.file("a")); err != nil {
			t.Fatal(err)
		}
		if got := f.Load("a"); got != nil {
			t.Errorf("%s: %d bytes were handed out", name, len(got))
		}
	}
}

// A folder that cannot be used is no failure.
func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Folder{{}, In(file), In(filepath.Join(file, "below"))} {
		f.Store("a", []byte("x"))
		if f.Load("a") != nil {
			t.Errorf("%+v gave something", f)
		}
	}
}

func TestDefaultFolder(t *testing.T) {
	t.Setenv("HOME", "/home/ann")
	if got := Default().path; filepath.Base(got) != "leakveil" {
		t.Errorf("default %q", got)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if Default() != (Folder{}) {
		t.Error("without a home there is no cache")
	}
}

func TestOldOnesGo(t *testing.T) {
	f := In(t.TempDir())
	if err := os.Chmod(f.path, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range keep + 5 {
		f.Store(fmt.Sprint("k", i), []byte("x"))
	}
	left, err := filepath.Glob(filepath.Join(f.path, "*"))
	if err != nil || len(left) != keep {
		t.Errorf("%d files are left, want %d", len(left), keep)
	}
}
