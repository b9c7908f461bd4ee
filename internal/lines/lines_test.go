package lines

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func options(t *testing.T) Options {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	key := redact.RandomKey()
	return Options{NewWorker: func() (*pipeline.Worker, error) {
		return pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Attribute: true})
	}}
}

const token = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

func secret(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = token[rand.IntN(len(token))]
	}
	return string(out)
}

// corpus is lines of many lengths and odd bytes, one in seven with a secret.
func corpus(n int) (text string, secrets []string) {
	var b strings.Builder
	for i := range n {
		switch {
		case i%7 == 3:
			s := secret(43)
			secrets = append(secrets, s)
			fmt.Fprintf(&b, "é%d client_id=web code_verifier=%s&x=1", i, s)
		case i%5 == 0:
			b.WriteString("\x00\xff\xfe raw \r bytes\r")
		default:
			fmt.Fprintf(&b, "line %d status code=404 %s", i, strings.Repeat("word ", i%50))
		}
		b.WriteByte('\n')
	}
	return b.String() + "no final newline", secrets
}

func TestCopyKeepsLinesAndMasksSecrets(t *testing.T) {
	text, secrets := corpus(4000)
	o := options(t)
	var reference string
	for _, workers := range []int{1, 3} {
		for _, arena := range []int{512, 64 << 10, 256 << 10} {
			o.Workers, o.Arena = workers, arena
			var found []string
			in := strings.Split(text, "\n")
			o.OnFound = func(f Found) error {
				found = append(found, in[f.Line][f.From:f.To])
				return nil
			}
			var out bytes.Buffer
			stats, err := Copy(&out, iotest.HalfReader(strings.NewReader(text)), o)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(found, " ") != strings.Join(secrets, " ") {
				t.Fatalf("workers %d arena %d: %d findings, want %d in order", workers, arena, len(found), len(secrets))
			}
			if reference == "" {
				reference = out.String()
			}
			if out.String() != reference || stats.Bytes != int64(len(text)) {
				t.Fatalf("workers %d arena %d: the output differs, %d bytes read", workers, arena, stats.Bytes)
			}
		}
	}
	compareLines(t, text, reference, secrets)
}

// compareLines checks that only lines with a secret changed, and none passed.
func compareLines(t *testing.T, text, masked string, secrets []string) {
	t.Helper()
	in, out := strings.Split(text, "\n"), strings.Split(masked, "\n")
	if len(in) != len(out) {
		t.Fatalf("%d lines in, %d out", len(in), len(out))
	}
	for i := range in {
		if changed := in[i] != out[i]; changed != strings.Contains(in[i], "code_verifier") {
			t.Fatalf("line %d: changed = %v", i, changed)
		}
	}
	for _, s := range secrets {
		if strings.Contains(masked, s) {
			t.Fatal("a secret passed")
		}
	}
}

// A line of many windows is masked wherever its secrets stand, and its clean
// bytes stay.
func TestLongLine(t *testing.T) {
	o := options(t)
	o.Workers, o.Window, o.Arena = 1, 64<<10, 4<<10
	var line strings.Builder
	var secrets []string
	for line.Len() < 1<<20 {
		s := secret(43)
		secrets = append(secrets, s)
		line.WriteString(strings.Repeat("x y ", rand.IntN(2000)) + `{"code_verifier":"` + s + `"} `)
	}
	for _, workers := range []int{1, 2} {
		o.Workers = workers
		var found []string
		o.OnFound = func(f Found) error {
			if f.Line != 1 {
				return fmt.Errorf("line %d", f.Line)
			}
			found = append(found, line.String()[f.From:f.To])
			return nil
		}
		var out bytes.Buffer
		if _, err := Copy(&out, strings.NewReader("first\n"+line.String()+"\nlast"), o); err != nil {
			t.Fatal(err)
		}
		if strings.Join(found, " ") != strings.Join(secrets, " ") {
			t.Fatalf("workers %d: %d findings, want %d", workers, len(found), len(secrets))
		}
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Fatalf("%d line ends, want 2", got)
		}
		if got, want := strings.Count(out.String(), "x y "), strings.Count(line.String(), "x y "); got != want {
			t.Fatalf("%d clean words, want %d", got, want)
		}
	}
}

// A value without an end is withheld, and what follows it is not lost.
func TestEndlessValue(t *testing.T) {
	o := options(t)
	o.Workers, o.Window, o.Arena = 1, 8<<10, 4<<10
	value := secret(1 << 20)
	var out bytes.Buffer
	stats, err := Copy(&out, strings.NewReader("access_token="+value+"\nnext line\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Withheld == 0 || !strings.HasSuffix(out.String(), "\nnext line\n") {
		t.Fatalf("withheld %d, output of %d bytes", stats.Withheld, out.Len())
	}
}

// Complete lines come out while the input is still open.
func TestSlowPipe(t *testing.T) {
	o := options(t)
	o.Workers = 2
	in, feed := io.Pipe()
	drain, out := io.Pipe()
	go func() {
		_, err := Copy(out, in, o)
		_ = out.CloseWithError(err)
	}()
	if _, err := feed.Write([]byte("hello\nrest")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(drain, got); err != nil || string(got) != "hello\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	_ = feed.Close()
	if rest, err := io.ReadAll(drain); err != nil || string(rest) != "rest" {
		t.Fatalf("got %q, %v", rest, err)
	}
}

func TestErrorsTellTheSide(t *testing.T) {
	o := options(t)
	o.Workers = 1
	if _, err := Copy(io.Discard, iotest.ErrReader(io.ErrUnexpectedEOF), o); err == nil || !strings.Contains(err.Error(), "input") {
		t.Fatalf("got %v", err)
	}
	_, broken := io.Pipe()
	_ = broken.CloseWithError(io.ErrClosedPipe)
	if _, err := Copy(broken, strings.NewReader("a\n"), o); err == nil || !strings.Contains(err.Error(), "output") {
		t.Fatalf("got %v", err)
	}
}

// What was read before an error of the input is written before the error is told.
func TestErrorAfterData(t *testing.T) {
	o := options(t)
	for _, workers := range []int{1, 2} {
		o.Workers = workers
		var out bytes.Buffer
		src := io.MultiReader(strings.NewReader("one\ntwo"), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := Copy(&out, src, o); err == nil || !strings.Contains(err.Error(), "input") {
			t.Fatalf("got %v", err)
		}
		if out.String() != "one\ntwo" {
			t.Fatalf("written: %q", out.String())
		}
	}
}

// A long line with very many findings takes time in proportion to its length.
// Once each finding looked back over the whole line for its beginning, and this
// test took hours.
func TestManyFindingsInOneLine(t *testing.T) {
	const findings = 120_000
	var in strings.Builder
	for range findings {
		in.WriteString("client_id=web&code_verifier=" + secret(43) + " ")
	}
	o := options(t)
	o.Workers = 1
	n, at := 0, int64(0)
	o.OnFound = func(f Found) error {
		if f.Line != 0 || f.From < at || f.To-f.From != 43 {
			t.Fatalf("finding %d: %d to %d in line %d, behind %d", n, f.From, f.To, f.Line, at)
		}
		n, at = n+1, f.To
		return nil
	}
	if _, err := Copy(io.Discard, strings.NewReader(in.String()), o); err != nil || n != findings {
		t.Fatalf("%d findings, want %d, %v", n, findings, err)
	}
}
