// Package file is the sink that appends documents to a local file, one a line,
// and rotates it by size. A document is delivered when it is on disk. The package
// must never leave half a line behind, nor delete a file that it did not rotate
// itself.
package file

import (
	"context"

	"github.com/leakveil/leakveil/internal/linefile"
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
	file *linefile.File
}

var _ sink.Sink = (*Sink)(nil)

// maxLine bounds what half a line can be: a document.
const maxLine = 2 << 20

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
	file, err := linefile.Open(linefile.Options{Path: o.Path, MaxBytes: o.MaxBytes, Keep: max(0, o.Keep), MaxLine: maxLine})
	return &Sink{o: o, file: file}, err
}

// Send implements sink.Sink.
func (s *Sink) Send(_ context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonStorage})
	var lines [][]byte
	var of []int
	for i, item := range items {
		line, err := s.o.Render(item)
		if err != nil || len(line) == 0 {
			report.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}
			continue
		}
		lines, of = append(lines, line), append(of, i)
	}
	n, _ := s.file.Append(lines)
	for _, i := range of[:n] {
		report.Outcomes[i] = sink.Outcome{Verdict: sink.Delivered}
	}
	return report
}

// Close implements sink.Closer.
func (s *Sink) Close() error { return s.file.Close() }
