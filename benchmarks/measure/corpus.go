package measure

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// Corpus is a generated stream in a file.
type Corpus struct {
	Kind, Path     string
	Bytes          int64
	Lines, Secrets int64

	stream corpus.Options
}

// optionsOf are the streams that figures are given for.
func optionsOf(kind string) (corpus.Options, error) {
	switch kind {
	case "clean":
		return corpus.Clean, nil
	case "mixed":
		return corpus.Mixed, nil
	case "auth":
		return corpus.Auth, nil
	}
	return corpus.Options{}, fmt.Errorf("unknown corpus %q; there are clean, mixed and auth", kind)
}

// WriteCorpus writes the stream clean, mixed or auth into a folder, at least so many
// bytes. Being just written, it is in memory when it is measured.
func WriteCorpus(dir, kind string, least int64) (c *Corpus, err error) {
	stream, err := optionsOf(kind)
	if err != nil {
		return nil, err
	}
	c = &Corpus{Kind: kind, Path: filepath.Join(dir, kind+".log"), stream: stream}
	file, err := os.OpenFile(c.Path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	for g := corpus.New(stream); c.Bytes < least; c.Lines++ {
		line := g.Next()
		if _, err := w.Write(append(line.Text, '\n')); err != nil {
			return nil, err
		}
		c.Bytes += int64(len(line.Text)) + 1
		c.Secrets += int64(len(line.Secrets))
	}
	return c, w.Flush()
}

// OpenCorpus takes KIND.log of a folder, which benchmarks/gen has written: each line
// has to be the generator's.
func OpenCorpus(dir, kind string) (*Corpus, error) {
	stream, err := optionsOf(kind)
	if err != nil {
		return nil, err
	}
	c := &Corpus{Kind: kind, Path: filepath.Join(dir, kind+".log"), stream: stream}
	file, err := os.Open(c.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<20)
	for g := corpus.New(stream); ; c.Lines++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return c, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", c.Path, c.Lines, err)
		}
		want := g.Next()
		if !bytes.Equal(line[:len(line)-1], want.Text) {
			return nil, fmt.Errorf("%s: line %d is not the generator's", c.Path, c.Lines)
		}
		c.Bytes += int64(len(line))
		c.Secrets += int64(len(want.Secrets))
	}
}
