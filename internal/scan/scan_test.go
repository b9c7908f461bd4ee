package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

const pack = `pack: test
rules:
  - id: test-ticket
    kind: api_key
    severity: high
    description: A ticket that opens the zoo.
    keys: [zebra_ticket]
    value: {alphabet: base64url, min: 24, max: 64}
    references: ["RFC 0000 section 1"]
    examples:
      - {text: 'zebra_ticket={{.Value}}', value: '{{b64u 32}}'}
`

func testRules(t *testing.T) *rules.Set {
	t.Helper()
	p, err := rules.Decode("test.yaml", []byte(pack))
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Set{Packs: []rules.Pack{*p}, Rules: p.Rules}
}

// outcome is what a run told.
type outcome struct {
	found  []Finding
	failed []string
	stats  Stats
}

func (o outcome) lines(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, f := range o.found {
		var b bytes.Buffer
		if err := WriteText(&b, f); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimSuffix(b.String(), "\n"))
	}
	return out
}

func run(t *testing.T, stdin io.Reader, workers int, paths ...string) outcome {
	t.Helper()
	db, err := detect.Compile(testRules(t))
	if err != nil {
		t.Fatal(err)
	}
	var got outcome
	got.stats, err = Run(paths, Options{
		Database: db, Key: redact.RandomKey(), Workers: workers, Stdin: stdin,
		OnFound:  func(f Finding) error { got.found = append(got.found, f); return nil },
		OnFailed: func(path string, err error) { got.failed = append(got.failed, path+": "+err.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func secret() string {
	out := make([]byte, 40)
	for i := range out {
		out[i] = letters[rand.IntN(len(letters))]
	}
	out[0] = 'z' // =3D would be quoted-printable's sign of equality
	return string(out)
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t *testing.T, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFoldersAndCompressedFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	line := func() string { return "client_id=web zebra_ticket=" + secret() + "\n" }
	write(t, "logs/b.log", []byte("clean\n"+line()))
	write(t, "logs/a/x.gz", append(gzipped(t, line()), gzipped(t, "two\n"+line())...))
	write(t, "logs/a/y", zstded(t, "one\ntwo\n"+line()))
	write(t, "logs/a/skip", append([]byte{0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9}, zstded(t, line())...))
	write(t, "logs/empty", nil)
	write(t, "logs/short", []byte("a"))
	write(t, "elsewhere/c.log", []byte(line()))
	if err := os.Symlink("../elsewhere", "logs/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("logs", "link"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"logs/a/skip:1:28 api_key test-ticket likely web",
		"logs/a/x.gz:1:28 api_key test-ticket likely web",
		"logs/a/x.gz:3:28 api_key test-ticket likely web",
		"logs/a/y:3:28 api_key test-ticket likely web",
		"logs/b.log:2:28 api_key test-ticket likely web",
	}
	got := run(t, nil, 2, "logs")
	same(t, got.lines(t), want)
	if len(got.failed) != 0 || got.stats.Files != 6 || got.stats.Findings != 5 {
		t.Errorf("failed %v, stats %+v", got.failed, got.stats)
	}
	// A link that is named is followed, and the names stay those that were given.
	for i := range want {
		want[i] = strings.Replace(want[i], "logs/", "link/", 1)
	}
	same(t, run(t, nil, 2, "link").lines(t), want)
}

// Places are exact whatever the line ends, bytes and pieces.
func TestPlaces(t *testing.T) {
	var text strings.Builder
	var want []string
	for line := 1; line <= 5000; line++ {
		switch {
		case line%9 == 0:
			lead := strings.Repeat("é€𝄞\xff\x00", rand.IntN(5)) + " "
			fmt.Fprintf(&text, "%szebra_ticket=%s zebra_ticket=%s", lead, secret(), secret())
			col := strings.Count(lead, "") // characters and one
			want = append(want,
				fmt.Sprintf("-:%d:%d api_key test-ticket likely -", line, col+13),
				fmt.Sprintf("-:%d:%d api_key test-ticket likely -", line, col+13+40+1+13))
		case line%4 == 0:
			text.WriteString("carriage return\r")
		default:
			text.WriteString(strings.Repeat("clean ", rand.IntN(40)))
		}
		text.WriteByte('\n')
	}
	for _, workers := range []int{1, 3} {
		in := iotest.HalfReader(strings.NewReader(text.String()))
		same(t, run(t, in, workers, "-").lines(t), want)
	}
	path := filepath.Join(t.TempDir(), "x")
	write(t, path, []byte(text.String()))
	got := run(t, nil, 1, path)
	for i := range want {
		want[i] = path + strings.TrimPrefix(want[i], "-")
	}
	same(t, got.lines(t), want)
	for _, f := range got.found {
		if f.EndColumn != f.Column+40 {
			t.Fatalf("columns %d to %d, want 40 characters", f.Column, f.EndColumn)
		}
	}
}

func TestClients(t *testing.T) {
	text := `{"a":{"client_id":"one"},"b":{"client_id":"two"},"zebra_ticket":"` + secret() + `"}` + "\n"
	same(t, run(t, strings.NewReader(text), 1, "-").lines(t), []string{"-:1:66 api_key test-ticket likely ambiguous(one,two)"})
}

// What cannot be read is told, and everything else is scanned all the same.
func TestFailures(t *testing.T) {
	t.Chdir(t.TempDir())
	whole := gzipped(t, strings.Repeat("x", 100)+"\nzebra_ticket="+secret()+"\n")
	write(t, "cut.gz", whole[:len(whole)-6]) // the checksum is missing
	write(t, "head.gz", whole[:5])
	write(t, "good.log", []byte("zebra_ticket="+secret()+"\n"))
	got := run(t, iotest.ErrReader(errors.New("broken cable")), 1, "missing", "cut.gz", "head.gz", "-", "good.log")
	same(t, got.lines(t), []string{
		"cut.gz:2:14 api_key test-ticket likely -",
		"good.log:1:14 api_key test-ticket likely -",
	})
	same(t, got.failed, []string{
		"missing: stat: no such file or directory",
		"cut.gz: unexpected EOF",
		"head.gz: gzip: unexpected EOF",
		"-: broken cable",
	})
	if got.stats.Failed != 4 {
		t.Errorf("stats %+v", got.stats)
	}
}

func TestOnFoundEndsTheScan(t *testing.T) {
	db, err := detect.Compile(testRules(t))
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("enough")
	_, err = Run([]string{"-", "-"}, Options{
		Database: db, Key: redact.RandomKey(), Workers: 1, Stdin: strings.NewReader("zebra_ticket=" + secret()),
		OnFound:  func(Finding) error { return stop },
		OnFailed: func(path string, err error) { t.Errorf("%s: %v", path, err) },
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// A line longer than what is held at once has exact columns to its end.
func TestLongLine(t *testing.T) {
	const filler = 20 << 20
	text := "zebra_ticket=" + secret() + " " + strings.Repeat("x y ", filler/4) + "zebra_ticket=" + secret() + "\nzebra_ticket=" + secret()
	same(t, run(t, strings.NewReader(text), 2, "-").lines(t), []string{
		"-:1:14 api_key test-ticket likely -",
		fmt.Sprintf("-:1:%d api_key test-ticket likely -", 54+filler+14),
		"-:2:14 api_key test-ticket likely -",
	})
}
