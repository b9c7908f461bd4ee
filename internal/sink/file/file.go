// Package file is the sink that appends documents to a local file, one a line,
// and rotates it by size. A document is delivered when it is on disk. The package
// must never leave half a line behind, nor delete a file that it did not rotate
// itself.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/leakveil/leakveil/internal/sink"
)

// Defaults of Options.
const (
	DefaultMaxBytes = 100 << 20
	DefaultKeep     = 5
)

// Options configure a Sink.
type Options struct {
	// Path of the file; rotated ones are Path.1 (the newest) to Path.<Keep>.
	Path string
	// MaxBytes is the size that a file may reach before it is rotated; 0:
	// DefaultMaxBytes. A document is never split over two files.
	MaxBytes int64
	// Keep is the number of rotated files; 0: DefaultKeep, below 0: none.
	Keep int
	// Render makes a line of an item, without a line end in it; nil: the document.
	Render func(sink.Item) ([]byte, error)
}

// Sink writes one file.
type Sink struct {
	o    Options
	file *os.File
	size int64
}

var _ sink.Sink = (*Sink)(nil)

// New opens or makes the file, readable by its owner alone. A symbolic link is
// refused, and so is a file that another process writes.
func New(o Options) (*Sink, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.Render == nil {
		o.Render = func(item sink.Item) ([]byte, error) { return item.Document, nil }
	}
	s := &Sink{o: o}
	return s, s.open()
}

func (s *Sink) open() error {
	file, err := os.OpenFile(s.o.Path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return fmt.Errorf("%s: another process writes it: %w", s.o.Path, err)
	}
	size, err := wholeLines(file)
	if err == nil {
		err = file.Truncate(size) // half a line was never acknowledged
	}
	if err != nil {
		_ = file.Close()
		return err
	}
	s.file, s.size = file, size
	return syncDir(s.o.Path)
}

// wholeLines returns the length of the file up to its last line end. A file whose
// end has none is not one of ours, and is left alone.
func wholeLines(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	end := make([]byte, min(info.Size(), 2<<20)) // half a line is at most a document long
	start := info.Size() - int64(len(end))
	if _, err := file.ReadAt(end, start); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	i := bytes.LastIndexByte(end, '\n')
	if i < 0 && start > 0 {
		return 0, errors.New("no line end near its end: not a file of documents")
	}
	return start + int64(i) + 1, nil
}

func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Send implements sink.Sink.
func (s *Sink) Send(_ context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonStorage})
	var lines []byte
	var written []int
	for i, item := range items {
		line, err := s.o.Render(item)
		if err != nil || len(line) == 0 {
			report.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}
			continue
		}
		if s.size+int64(len(lines)+len(line)) >= s.o.MaxBytes && s.size+int64(len(lines)) > 0 {
			if !s.write(lines, written, &report) || s.rotate() != nil {
				return report
			}
			lines, written = nil, nil
		}
		lines, written = append(append(lines, line...), '\n'), append(written, i)
	}
	s.write(lines, written, &report)
	return report
}

// write appends lines and marks their items delivered once they are on disk.
func (s *Sink) write(lines []byte, items []int, report *sink.Report) bool {
	if len(lines) == 0 {
		return true
	}
	if s.reopen() != nil {
		return false
	}
	_, err := s.file.WriteAt(lines, s.size)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		if s.file.Truncate(s.size) != nil {
			s.drop() // opening it again finds its end
		}
		return false
	}
	s.size += int64(len(lines))
	for _, i := range items {
		report.Outcomes[i] = sink.Outcome{Verdict: sink.Delivered}
	}
	return true
}

// reopen makes sure that the open file is the one of the path: another program
// may have rotated or removed it.
func (s *Sink) reopen() error {
	if s.file != nil {
		here, err := s.file.Stat()
		there, gone := os.Lstat(s.o.Path)
		if err == nil && gone == nil && os.SameFile(here, there) {
			return nil
		}
		s.drop()
	}
	return s.open()
}

func (s *Sink) drop() {
	_ = s.file.Close()
	s.file = nil
}

// rotate moves the files on by one and begins a new one.
func (s *Sink) rotate() error {
	if s.file != nil {
		s.drop()
	}
	if s.o.Keep < 0 {
		if err := os.Remove(s.o.Path); err != nil {
			return err
		}
		return s.open()
	}
	for n := s.o.Keep; n > 0; n-- {
		from := s.o.Path
		if n > 1 {
			from = fmt.Sprintf("%s.%d", s.o.Path, n-1)
		}
		err := os.Rename(from, fmt.Sprintf("%s.%d", s.o.Path, n))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return s.open()
}

// Close implements sink.Closer.
func (s *Sink) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
