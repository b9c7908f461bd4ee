package linefile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func open(t testing.TB, o Options) *File {
	t.Helper()
	if o.MaxLine == 0 {
		o.MaxLine = 1 << 20
	}
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func put(t testing.TB, f *File, lines ...string) {
	t.Helper()
	all := make([][]byte, len(lines))
	for i, line := range lines {
		all[i] = []byte(line)
	}
	if n, err := f.Append(all); n != len(lines) || err != nil {
		t.Fatalf("%d of %d lines: %v", n, len(lines), err)
	}
}

// contents are the files of a folder by name.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

func want(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	if got := contents(t, dir); fmt.Sprint(got) != fmt.Sprint(files) {
		t.Errorf("%q, want %q", got, files)
	}
}

func TestRotatedBySize(t *testing.T) {
	dir := t.TempDir()
	f := open(t, Options{Path: filepath.Join(dir, "a"), MaxBytes: 8, Keep: 2})
	put(t, f, "1", "2", "3")
	put(t, f, "4", "a line that is longer than a file", "5")
	want(t, dir, map[string]string{"a": "5\n", "a.1": "a line that is longer than a file\n", "a.2": "1\n2\n3\n4\n"})
}

func TestRotatedByAge(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	o := Options{Path: filepath.Join(dir, "a"), MaxAge: time.Hour, Keep: 1, Now: func() time.Time { return now }}
	f := open(t, o)
	now = now.Add(2 * time.Hour) // an empty file is as young as its first line
	put(t, f, "1")
	now = now.Add(59 * time.Minute)
	put(t, f, "2")
	want(t, dir, map[string]string{"a": "1\n2\n"})
	now = now.Add(time.Minute)
	put(t, f, "3", "4")
	want(t, dir, map[string]string{"a": "3\n4\n", "a.1": "1\n2\n"})
}

// A file goes on growing old while the process is started anew.
func TestAgeOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	o := Options{Path: filepath.Join(dir, "a"), MaxAge: time.Hour, Keep: 1, Now: func() time.Time { return now }}
	f := open(t, o)
	put(t, f, "1")
	if _, ok := madeAt(f.file); !ok {
		t.Fatal("this file system does not say when a file was made")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	put(t, open(t, o), "2")
	want(t, dir, map[string]string{"a": "2\n", "a.1": "1\n"})
}

func TestNothingIsKept(t *testing.T) {
	dir := t.TempDir()
	f := open(t, Options{Path: filepath.Join(dir, "a"), MaxBytes: 2})
	put(t, f, "1", "2", "3")
	want(t, dir, map[string]string{"a": "3\n"})
}

func TestHalfALineIsRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	half := strings.Repeat("x", 200<<10)
	if err := os.WriteFile(path, []byte("1\n"+half), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, Options{Path: path}), "2")
	want(t, dir, map[string]string{"a": "1\n2\n"})
	if err := os.WriteFile(path+"b", []byte("1\n"+half), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: path + "b", MaxLine: 1000}); err == nil {
		t.Error("a file that is none of lines was cut")
	}
}

// Whatever is appended in whatever portions, with restarts and files moved by others in
// between: every line is there once, in order.
func TestEveryLineIsThereOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "a")
		now := time.Now()
		o := Options{
			Path: path, MaxBytes: rapid.Int64Range(0, 60).Draw(rt, "size"), MaxAge: time.Duration(rapid.IntRange(0, 3).Draw(rt, "age")) * time.Hour,
			Keep: 1000, MaxLine: 1 << 20, Now: func() time.Time { return now },
		}
		f := open(t, o)
		n, moved := 0, 0
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0:
				_ = f.Close()
				f = open(t, o)
			case 1:
				now = now.Add(time.Hour)
			case 2:
				moved++
				_ = os.Rename(path, filepath.Join(dir, fmt.Sprintf("moved%03d", moved)))
			default:
				var lines []string
				for range rapid.IntRange(0, 5).Draw(rt, "lines") {
					lines = append(lines, fmt.Sprintf("%06d", n))
					n++
				}
				put(t, f, lines...)
			}
		}
		_ = f.Close()
		files := contents(t, dir)
		names := make([]string, 0, len(files))
		for name := range files {
			names = append(names, name)
		}
		sort.Strings(names)
		seen := map[string]int{}
		for _, name := range names {
			before := ""
			for line := range strings.Lines(files[name]) {
				if line <= before {
					t.Fatalf("%s is out of order", name)
				}
				before = line
				seen[strings.TrimSuffix(line, "\n")]++
			}
		}
		for i := range n {
			if seen[fmt.Sprintf("%06d", i)] != 1 {
				t.Fatalf("line %d is there %d times: %q", i, seen[fmt.Sprintf("%06d", i)], files)
			}
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, Options{Path: filepath.Join(dir, "a"), MaxBytes: 100, Keep: 100})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 20 {
				put(t, f, strconv.Itoa(g*100+i))
			}
		})
	}
	all.Wait()
	lines := 0
	for name, text := range contents(t, dir) {
		lines += strings.Count(text, "\n")
		if len(text) > 100 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	if lines != 160 {
		t.Errorf("%d lines", lines)
	}
}

// A limit on the size of files stands for a full disk: what does not fit is not told to be
// there, and no half line stays.
func TestAFullDisk(t *testing.T) {
	if path := os.Getenv("LEAKVEIL_TEST_FULL"); path != "" {
		fill(t, path)
		return
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 8; exec "$0" -test.run='^TestAFullDisk$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "LEAKVEIL_TEST_FULL="+filepath.Join(t.TempDir(), "a"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fill(t *testing.T, path string) {
	f := open(t, Options{Path: path})
	line := bytes.Repeat([]byte("x"), 300)
	for there := 0; there < 1000; there++ {
		n, err := f.Append([][]byte{line})
		if err == nil {
			continue
		}
		text, readErr := os.ReadFile(path)
		if n != 0 || readErr != nil || there == 0 || bytes.Count(text, []byte("\n")) != there || !bytes.HasSuffix(text, []byte("\n")) {
			t.Fatalf("%d lines are told, after %d; %d bytes, %v", n, there, len(text), err)
		}
		return
	}
	t.Fatal("the disk never was full")
}
