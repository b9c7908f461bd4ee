package backend

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const tenzirVersion = "6.20.0"

// Tenzir is a pipeline that writes the events it gets as NDJSON.
type Tenzir struct {
	*Process
	out *lines
}

// lines keeps standard output apart from the log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// StartTenzir starts a pipeline that begins with head, which listens on port.
func StartTenzir(t testing.TB, head string, port int) *Tenzir {
	t.Helper()
	z := &Tenzir{out: &lines{}}
	cmd := exec.Command(tenzir(t), "-f", write(t, filepath.Join(t.TempDir(), "p.tql"), head+"\nto_stdout { write_ndjson }\n"))
	cmd.Stdout = z.out
	z.Process = begin(t, cmd, listens(port))
	return z
}

// RunTenzir runs a pipeline over input to its end and returns what it makes.
func RunTenzir(t testing.TB, pipeline string, input []byte) (events []map[string]any) {
	t.Helper()
	cmd := exec.Command(tenzir(t), "-f", write(t, filepath.Join(t.TempDir(), "p.tql"), pipeline+"\nto_stdout { write_ndjson }\n"))
	cmd.Stdin = bytes.NewReader(input)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tenzir: %v\n%s", err, said.String())
	}
	return decode(t, out)
}

// Events returns what has arrived so far.
func (z *Tenzir) Events(t testing.TB) []map[string]any {
	t.Helper()
	z.out.mu.Lock()
	text := bytes.Clone(z.out.text.Bytes())
	z.out.mu.Unlock()
	return decode(t, text[:bytes.LastIndexByte(text, '\n')+1])
}

func decode(t testing.TB, text []byte) (events []map[string]any) {
	t.Helper()
	for _, line := range bytes.Split(text, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var event map[string]any
		check(t, json.Unmarshal(line, &event))
		events = append(events, event)
	}
	return events
}

func tenzir(t testing.TB) string {
	t.Helper()
	return filepath.Join(cached(t, "tenzir-"+tenzirVersion, func(dir string) error {
		if err := command(dir, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return command(dir, "venv/bin/pip", "install", "-q", "--no-deps", "tenzir=="+tenzirVersion)
	}), "venv", "bin", "tenzir")
}
