package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/lines"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// Finding is a finding with its place for people.
type Finding struct {
	lines.Found
	// Path is the file as it was named, "-" for standard input.
	Path string
	// Column and EndColumn count characters from 1; EndColumn is behind the value.
	// A byte that is not UTF-8 counts as one.
	Column, EndColumn int64
}

// Options say what to look for and whom to tell.
type Options struct {
	Database *detect.Database
	Key      redact.Key
	Workers  int            // goroutines that scan a large file
	Suppress *suppress.List // findings that it lets pass are not found; nil: none
	Stdin    io.Reader      // what "-" reads
	// OnFound is called for each finding: files in order, findings in the order
	// of the file. Its error ends the scan.
	OnFound func(Finding) error
	// Known tells of a finding that is not to be reported; it is asked for each, before
	// OnFound, in the same order. nil: none is.
	Known func(Finding) bool
	// OnFailed is called for each file that could not be read to its end, and for
	// each with lines that could not be scanned. The scan goes on.
	OnFailed func(path string, err error)
	// OnProgress is called now and then, and behind each file, with all bytes so
	// far, decompressed. Its error ends the scan.
	OnProgress func(bytes int64) error
}

// Stats counts what was scanned.
type Stats struct {
	Files, Bytes, Findings int64
	Known                  int64 // findings that Options.Known left out; not among Findings
	Failed                 int64 // files that OnFailed was called for
}

var newline = []byte("\n")

// small is the size up to which a file is one piece of work for one worker.
const small = lines.DefaultArena

// Run scans files, folders and standard input in the order of paths, folders in
// the order of their names. The error is OnFound's or OnProgress'.
func Run(paths []string, o Options) (Stats, error) {
	s := &session{o: o}
	s.worker = pipeline.Options{Database: o.Database, Policy: reportAll(), Key: o.Key, Attribute: true, Suppress: o.Suppress}
	s.lines.NewWorker = func() (*pipeline.Worker, error) { return pipeline.NewWorker(s.worker) }
	for _, path := range paths {
		if err := s.path(path); err != nil {
			return s.stats, err
		}
	}
	return s.stats, nil
}

// reportAll leaves every byte as it is, so that what lines writes is what it read.
func reportAll() redact.Policy {
	policy := redact.Policy{}
	for _, kind := range rules.Kinds() {
		policy[kind] = redact.ActionReport
	}
	return policy
}

// session is one run.
type session struct {
	o      Options
	lines  lines.Options
	worker pipeline.Options
	stats  Stats
}

// failed tells about a file and goes on.
func (s *session) failed(path string, err error) {
	s.stats.Failed++
	s.o.OnFailed(path, err)
}

// errStopped marks errors of the caller's functions: they end the scan.
type errStopped struct{ error }

func (e errStopped) Unwrap() error { return e.error }

// text scans one file's text. size is its length in bytes, -1 when unknown.
func (s *session) text(path string, src io.Reader, size int64) error {
	s.worker.Path = path
	o := s.lines
	o.Workers = s.o.Workers
	if size >= 0 && size < small {
		o.Workers, o.Arena = 1, max(4<<10, int(size)+1)
	}
	t := &tap{s: s, path: path, before: s.stats.Bytes}
	o.OnFound = t.found
	whole := &endsEarly{src: src}
	stats, err := lines.Copy(t, whole, o)
	s.stats.Files++
	s.stats.Bytes = t.before + stats.Bytes
	var stopped errStopped
	switch {
	case errors.As(err, &stopped):
		return stopped.error
	case err != nil:
		s.failed(path, err)
	case whole.err != nil:
		s.failed(path, whole.err)
	case stats.Withheld > 0:
		s.failed(path, fmt.Errorf("%d lines could not be scanned", stats.Withheld))
	}
	return s.progress(s.stats.Bytes)
}

// endsEarly ends where its source fails, so that what was read is scanned to its
// last byte. err is the failure; it may be looked at when the reader has ended.
type endsEarly struct {
	src io.Reader
	err error
}

func (r *endsEarly) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err, err = err, io.EOF
	}
	return n, err
}

func (s *session) progress(bytes int64) error {
	if s.o.OnProgress == nil {
		return nil
	}
	return s.o.OnProgress(bytes)
}

// tap is where lines writes a file's text. The findings of a piece of text come
// first, then the text; from both it makes columns.
type tap struct {
	s      *session
	path   string
	before int64 // bytes of the files before this one
	queue  []lines.Found

	line   int64 // of the next byte
	offset int64 // of the next byte in its line
	column int64 // characters before it in its line
	bytes  int64
}

func (t *tap) found(f lines.Found) error {
	t.queue = append(t.queue, f)
	return nil
}

// Write takes the next piece of text.
func (t *tap) Write(text []byte) (int, error) {
	n := len(text)
	for _, f := range t.queue {
		text = t.advance(text, f.Line, f.From)
		found := Finding{Found: f, Path: t.path, Column: t.column + 1}
		text = t.advance(text, f.Line, f.To)
		found.EndColumn = t.column + 1
		if t.s.o.Known != nil && t.s.o.Known(found) {
			t.s.stats.Known++
			continue
		}
		t.s.stats.Findings++
		if err := t.s.o.OnFound(found); err != nil {
			return 0, errStopped{err}
		}
	}
	t.queue = t.queue[:0]
	t.finish(text)
	t.bytes += int64(n)
	if err := t.s.progress(t.before + t.bytes); err != nil {
		return 0, errStopped{err}
	}
	return n, nil
}

// advance moves to a place, or to the end of the text, and returns what is left.
func (t *tap) advance(text []byte, line, offset int64) []byte {
	for t.line < line {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			t.count(text)
			return nil
		}
		t.line, t.offset, t.column = t.line+1, 0, 0
		text = text[end+1:]
	}
	n := min(int64(len(text)), max(0, offset-t.offset))
	t.count(text[:n])
	return text[n:]
}

// finish moves to the end of the piece.
func (t *tap) finish(text []byte) {
	if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
		t.line += int64(bytes.Count(text[:end+1], newline))
		t.offset, t.column = 0, 0
		text = text[end+1:]
	}
	t.count(text)
}

// count moves over bytes of the current line. Of a line longer than the window
// of lines, a character that two pieces share counts with each.
func (t *tap) count(text []byte) {
	t.offset += int64(len(text))
	t.column += int64(utf8.RuneCount(text))
}
