package measure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// found is what is compared of a line of --findings.
type found struct {
	Line       int64
	Start, End int
	Kind       string
	Client     *string `json:"client_id"`
}

// verdict counts what a run of leakveil got right and wrong.
type verdict struct {
	lines, planted, right int64
	// Wrong answers. first names the first one by its place alone.
	missed, invented, misplaced, wrongKind, wrongClient, changed, leaked int64
	first                                                                string
}

func (v *verdict) note(count *int64, what string, line int64) {
	*count++
	if v.first == "" {
		v.first = fmt.Sprintf("%s in line %d", what, line)
	}
}

func (v *verdict) String() string {
	return fmt.Sprintf("%d lines, %d of %d secrets found exactly; missed %d, invented %d, misplaced %d, wrong kind %d, wrong client %d, text outside spans changed %d, value left %d",
		v.lines, v.right, v.planted, v.missed, v.invented, v.misplaced, v.wrongKind, v.wrongClient, v.changed, v.leaked)
}

func (v *verdict) err() error {
	if v.first == "" {
		return nil
	}
	return fmt.Errorf("the answer is wrong, first %s: %s", v.first, v)
}

// Check runs a redact command line that ends in a corpus's file and compares findings
// and output with what the generator planted there. Its files go into the folder
// work. It returns what is right in words, and an error when anything is not.
func Check(redact []string, work string, c *Corpus) (string, error) {
	findings, output := filepath.Join(work, "findings.ndjson"), filepath.Join(work, "masked.log")
	defer os.Remove(findings)
	defer os.Remove(output)
	out, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	command := append(slices.Clone(redact), "--findings", findings)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout = out
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return "", fmt.Errorf("redact: %w", err)
	}
	v, err := compareFiles(c.stream, findings, output)
	if err != nil {
		return "", err
	}
	if v.lines != c.Lines {
		v.note(&v.changed, fmt.Sprintf("%d lines out for %d in, seen", v.lines, c.Lines), v.lines)
	}
	return v.String(), v.err()
}

func compareFiles(stream corpus.Options, findings, output string) (*verdict, error) {
	f, err := os.Open(findings)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	masked, err := os.Open(output)
	if err != nil {
		return nil, err
	}
	defer masked.Close()
	return compare(corpus.New(stream).Next, json.NewDecoder(bufio.NewReaderSize(f, 1<<20)), bufio.NewReaderSize(masked, 1<<20))
}

// compare reads the masked lines to their end, and the generator in step. All
// three speak of the same lines in the same order.
func compare(next func() corpus.Line, findings *json.Decoder, masked *bufio.Reader) (*verdict, error) {
	v := &verdict{}
	report, err := nextFound(findings)
	for ; err == nil; v.lines++ {
		var line []byte
		if line, err = masked.ReadBytes('\n'); errors.Is(err, io.EOF) && len(line) == 0 {
			break
		} else if err != nil {
			return v, fmt.Errorf("masked line %d: %w", v.lines, err)
		}
		planted := next()
		var here []found
		for ; err == nil && report != nil && report.Line == v.lines; report, err = nextFound(findings) {
			here = append(here, *report)
		}
		v.findings(planted.Secrets, here)
		v.text(planted, bytes.TrimSuffix(line, []byte("\n")))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return v, err
	}
	if report != nil {
		v.note(&v.invented, "a finding behind the end or out of order", report.Line)
	}
	return v, nil
}

// nextFound returns nil at the end.
func nextFound(d *json.Decoder) (*found, error) {
	var f found
	if err := d.Decode(&f); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	return &f, nil
}

// findings compares what was found in a line with what was planted there. A
// finding that overlaps a secret counts as that secret's.
func (v *verdict) findings(planted []corpus.Secret, got []found) {
	v.planted += int64(len(planted))
	used := make([]bool, len(got))
	for _, s := range planted {
		i := overlapping(s, got, used)
		if i < 0 {
			v.note(&v.missed, "a missed "+string(s.Kind), v.lines)
			continue
		}
		used[i] = true
		v.one(s, got[i])
	}
	for i := range got {
		if !used[i] {
			v.note(&v.invented, "an invented "+got[i].Kind, v.lines)
		}
	}
}

func overlapping(s corpus.Secret, got []found, used []bool) int {
	for i, f := range got {
		if !used[i] && f.Start < s.End && f.End > s.Start {
			return i
		}
	}
	return -1
}

func (v *verdict) one(s corpus.Secret, f found) {
	client := ""
	if f.Client != nil {
		client = *f.Client
	}
	switch {
	case f.Start != s.Start || f.End != s.End:
		v.note(&v.misplaced, "a misplaced "+string(s.Kind), v.lines)
	case f.Kind != string(s.Kind):
		v.note(&v.wrongKind, "a "+string(s.Kind)+" called "+f.Kind, v.lines)
	case client != s.Client:
		v.note(&v.wrongClient, "a "+string(s.Kind)+" of another client", v.lines)
	default:
		v.right++
	}
}

// text checks the masked line: outside the spans it is the input, inside them
// nothing of the value stays.
func (v *verdict) text(planted corpus.Line, masked []byte) {
	rest, at := masked, 0
	for i := 0; i <= len(planted.Secrets); i++ {
		end := len(planted.Text)
		if i < len(planted.Secrets) {
			end = planted.Secrets[i].Start
		}
		gap := planted.Text[at:end]
		p := bytes.Index(rest, gap)
		first, last := i == 0, i == len(planted.Secrets)
		if p < 0 || first && p != 0 || last && !bytes.HasSuffix(rest, gap) || first && last && len(rest) != len(gap) {
			v.note(&v.changed, "changed text", v.lines)
			break
		}
		rest = rest[p+len(gap):]
		if !last {
			at = planted.Secrets[i].End
		}
	}
	for _, s := range planted.Secrets {
		if bytes.Contains(masked, planted.Text[s.Start:s.End]) {
			v.note(&v.leaked, "a value left", v.lines)
		}
	}
}
