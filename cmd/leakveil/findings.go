package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"golang.org/x/term"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/lines"
)

// findingLine is a line of --findings. Offsets are bytes in the input line.
type findingLine struct {
	Line        int64    `json:"line"`
	Start       int64    `json:"start"`
	End         int64    `json:"end"`
	Kind        string   `json:"kind"`
	Rule        string   `json:"rule"`
	Confidence  string   `json:"confidence"`
	ClientID    *string  `json:"client_id"`
	ClientHow   string   `json:"client_how"`
	Clients     []string `json:"clients"`
	Fingerprint string   `json:"fingerprint"`
	KeyID       string   `json:"key_id"`
	File        *string  `json:"file"`
	EndLine     int64    `json:"end_line,omitempty"`
	Truncated   bool     `json:"truncated,omitempty"`
}

// findingsFile writes findings as NDJSON.
type findingsFile struct {
	file  *os.File
	buf   *bufio.Writer
	enc   *json.Encoder
	keyID string
}

func createFindings(path, keyID string) (*findingsFile, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--findings: %w", err)
	}
	buf := bufio.NewWriterSize(file, 64<<10)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return &findingsFile{file: file, buf: buf, enc: enc, keyID: keyID}, nil
}

func (w *findingsFile) add(file string, f lines.Found) error {
	out := findingLine{
		Line: f.Line, Start: f.From, End: f.To,
		Kind: string(f.Kind), Rule: f.Rule.ID, Confidence: string(f.Confidence),
		ClientHow: string(f.Client.How), Clients: f.Client.Candidates,
		Fingerprint: string(f.Fingerprint[:]), KeyID: w.keyID, Truncated: f.Truncated,
	}
	if f.Client.ID != "" {
		out.ClientID = &f.Client.ID
	}
	if f.EndLine > f.Line {
		out.EndLine = f.EndLine
	}
	if file != "-" {
		out.File = &file
	}
	if out.Clients == nil {
		out.Clients = []string{}
	}
	if err := w.enc.Encode(out); err != nil {
		return fmt.Errorf("%w: findings: %w", lines.ErrOutput, err)
	}
	return nil
}

// flush writes what is gathered: a finding is in the file before its masked line
// is out, whatever ends the program after that. A nil file has nothing to write.
func (w *findingsFile) flush() error {
	if w == nil || w.buf.Buffered() == 0 {
		return nil
	}
	if err := w.buf.Flush(); err != nil {
		return fmt.Errorf("%w: findings: %w", lines.ErrOutput, err)
	}
	return nil
}

func (w *findingsFile) close() error {
	if err := errors.Join(w.buf.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("%w: findings: %w", lines.ErrOutput, err)
	}
	return nil
}

// maxTallied bounds how many clients a summary counts apart.
const maxTallied = 10_000

// tally counts findings for the summary.
type tally struct {
	start   time.Time
	kinds   map[string]int
	clients map[string]int
}

func newTally() *tally {
	return &tally{start: time.Now(), kinds: map[string]int{}, clients: map[string]int{}}
}

func (t *tally) add(f lines.Found) {
	t.kinds[string(f.Kind)]++
	id := f.Client.ID
	switch {
	case f.Client.How == event.Ambiguous:
		id = "(ambiguous)"
	case id == "":
		id = "(unknown)"
	}
	if _, known := t.clients[id]; !known && len(t.clients) >= maxTallied {
		id = "(others)"
	}
	t.clients[id]++
}

func (t *tally) print(w io.Writer, s lines.Stats) {
	took := time.Since(t.start)
	fmt.Fprintf(w, "%d bytes, %d lines, %d findings, %d withheld, %.1f MB/s\n",
		s.Bytes, s.Lines, s.Findings, s.Withheld, float64(s.Bytes)/1e6/took.Seconds())
	printCounts(w, "findings by kind", t.kinds)
	printCounts(w, "findings by client", t.clients)
}

func printCounts(w io.Writer, title string, counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	fmt.Fprintf(w, "%s:\n", title)
	for i, name := range names {
		if i == 20 {
			fmt.Fprintf(w, "  … and %d more\n", len(names)-i)
			return
		}
		fmt.Fprintf(w, "  %8d  %s\n", counts[name], name)
	}
}

// progress shows how far a long run has come, when a person watches.
type progress struct {
	w      io.Writer
	total  int64
	before int64 // bytes of finished files
	last   int64
	shown  time.Time
}

func newProgress(w io.Writer, files []string) *progress {
	p := &progress{shown: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = w
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			p.total += info.Size()
		}
	}
	return p
}

func (p *progress) update(bytes int64) {
	p.last = bytes
	if p.w == nil || time.Since(p.shown) < 500*time.Millisecond {
		return
	}
	p.shown = time.Now()
	done := p.before + bytes
	if p.total > 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%d of %d MB (%d %%)", done/1e6, p.total/1e6, 100*done/p.total)
		return
	}
	fmt.Fprintf(p.w, "\r\x1b[K%d MB", done/1e6)
}

func (p *progress) file() { p.before, p.last = p.before+p.last, 0 }

func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
