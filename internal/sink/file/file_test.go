package file_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/file"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

func open(t *testing.T, o file.Options) *file.Sink {
	t.Helper()
	s, err := file.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func send(t *testing.T, s *file.Sink, items []sink.Item) {
	t.Helper()
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("item %d: %+v", i, o)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLinesAreTheDocuments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.ndjson")
	items := sinktest.Hostile(t)
	send(t, open(t, file.Options{Path: path}), items)
	lines := bytes.Split(bytes.TrimSuffix(read(t, path), []byte("\n")), []byte("\n"))
	if len(lines) != len(items) {
		t.Fatalf("%d lines of %d documents", len(lines), len(items))
	}
	for i := range items {
		if !bytes.Equal(lines[i], items[i].Document) {
			t.Errorf("line %d differs", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	s := open(t, file.Options{Path: path, MaxBytes: 100, Keep: 3})
	var items []sink.Item
	for i := range 50 {
		items = append(items, sink.Item{ID: fmt.Sprint(i), Document: fmt.Appendf(nil, `{"n":"%030d"}`, i)})
	}
	send(t, s, items[:25])
	send(t, s, items[25:])
	var all string
	for _, name := range []string{"a.3", "a.2", "a.1", "a"} {
		text := read(t, filepath.Join(filepath.Dir(path), name))
		if len(text) > 100 || !bytes.HasSuffix(text, []byte("\n")) {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		all += string(text)
	}
	var want strings.Builder
	for _, item := range items[50-strings.Count(all, "\n"):] {
		want.Write(append(item.Document, '\n'))
	}
	if all != want.String() || strings.Count(all, "\n") < 7 {
		t.Errorf("kept:\n%s", all)
	}
	if _, err := os.Stat(path + ".4"); err == nil {
		t.Error("more files than allowed")
	}
}

func TestADocumentLargerThanAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	send(t, open(t, file.Options{Path: path, MaxBytes: 10, Keep: 9}), sinktest.Items(t, 3))
	for _, name := range []string{path, path + ".1", path + ".2"} {
		if bytes.Count(read(t, name), []byte("\n")) != 1 {
			t.Error(name)
		}
	}
}

func TestHalfALineIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("{}\n{\"half"), 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, open(t, file.Options{Path: path}), []sink.Item{{ID: "1", Document: []byte("{1}")}})
	if got := string(read(t, path)); got != "{}\n{1}\n" {
		t.Fatal(got)
	}
}

func TestAnotherProgramRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	s := open(t, file.Options{Path: path})
	one, two := sinktest.Items(t, 2)[:1], sinktest.Items(t, 2)[1:]
	send(t, s, one)
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	send(t, s, two)
	if !bytes.HasPrefix(read(t, path), two[0].Document) || !bytes.HasPrefix(read(t, path+".moved"), one[0].Document) {
		t.Fatal("written to the wrong file")
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	s := open(t, file.Options{Path: path, Render: func(item sink.Item) ([]byte, error) {
		if item.ID == "bad" {
			return nil, os.ErrInvalid
		}
		return item.Document, nil
	}})
	got := s.Send(t.Context(), []sink.Item{{ID: "good", Document: []byte("1")}, {ID: "bad"}}).Outcomes
	if got[0].Verdict != sink.Delivered || got[1] != (sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}) {
		t.Fatal(got)
	}
	if _, err := file.New(file.Options{Path: path}); err == nil {
		t.Error("two processes write one file")
	}
	if err := os.Symlink(path, path+".link"); err != nil {
		t.Fatal(err)
	}
	if _, err := file.New(file.Options{Path: path + ".link"}); err == nil {
		t.Error("a symbolic link was followed")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := s.Send(t.Context(), []sink.Item{{ID: "good", Document: []byte("1")}}).Outcomes[0]; got.Verdict != sink.Retry || got.Reason != sink.ReasonStorage {
		t.Error(got)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	send(t, s, []sink.Item{{ID: "good", Document: []byte("2")}}) // it is back
}

// A limit on the size of files stands for a full disk: what does not fit is not
// acknowledged, and no half line stays.
func TestAFullDisk(t *testing.T) {
	if path := os.Getenv("LEAKVEIL_TEST_FULL"); path != "" {
		fill(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "a")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 8; exec "$0" -test.run='^TestAFullDisk$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "LEAKVEIL_TEST_FULL="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fill(t *testing.T, path string) {
	s := open(t, file.Options{Path: path})
	delivered := 0
	for _, item := range sinktest.Items(t, 100) {
		o := s.Send(t.Context(), []sink.Item{item}).Outcomes[0]
		if o.Verdict != sink.Delivered {
			if o != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonStorage}) || delivered == 0 {
				t.Fatalf("%+v after %d", o, delivered)
			}
			text := read(t, path)
			if !bytes.HasSuffix(text, []byte("\n")) || bytes.Count(text, []byte("\n")) != delivered {
				t.Fatal("half a line is left")
			}
			return
		}
		delivered++
	}
	t.Fatal("the disk never was full")
}
