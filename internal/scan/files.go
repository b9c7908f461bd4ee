package scan

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// path scans a file, a folder, or standard input.
func (s *session) path(path string) error {
	if path == "-" {
		return s.stream(path, s.o.Stdin, -1)
	}
	info, err := os.Stat(path)
	if err != nil {
		s.failed(path, reason(err))
		return nil
	}
	if !info.IsDir() {
		return s.file(path)
	}
	if os.IsPathSeparator(path[len(path)-1]) {
		return s.folder(path)
	}
	// With a separator at its end a link to a folder is that folder.
	return s.folder(path + string(filepath.Separator))
}

// folder scans the regular files below root. Links in it are not followed: they
// may lead round in a circle, and what they lead to has a place of its own.
func (s *session) folder(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.failed(path, reason(err))
		case entry.Type().IsRegular():
			return s.file(path)
		}
		return nil
	})
}

func (s *session) file(path string) error {
	file, err := os.Open(path)
	if err != nil {
		s.failed(path, reason(err))
		return nil
	}
	defer file.Close()
	size := int64(-1)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		size = info.Size()
	}
	return s.stream(path, file, size)
}

// stream scans what it reads, decompressed when it is gzip or zstd.
func (s *session) stream(path string, src io.Reader, size int64) error {
	text, done, err := decompress(src)
	if err != nil {
		s.failed(path, err)
		return nil
	}
	if done != nil {
		size = -1
		defer done()
	}
	return s.text(path, text, size)
}

// maxWindow bounds the memory that a zstd file may ask for; zstd(1) has the same
// bound unless told otherwise.
const maxWindow = 128 << 20

var (
	magicGzip = []byte{0x1f, 0x8b, 0x08}       // RFC 1952 §2.3.1, deflate
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878 §3.1.1
	magicSkip = []byte{0x2a, 0x4d, 0x18}       // RFC 8878 §3.1.2, behind 0x50 to 0x5f
)

// decompress looks at the first bytes and returns the text behind them. done,
// when there is one, frees the decompressor.
func decompress(src io.Reader) (text io.Reader, done func(), err error) {
	buffered := bufio.NewReaderSize(src, 64<<10)
	head, _ := buffered.Peek(4) // a shorter file is plain; an error comes again
	switch {
	case bytes.HasPrefix(head, magicGzip):
		r, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return r, func() { _ = r.Close() }, nil
	case bytes.HasPrefix(head, magicZstd), len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], magicSkip):
		r, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return r, r.Close, nil
	}
	return buffered, nil, nil
}

// reason is an error of the file system without the path, which is told anyway.
func reason(err error) error {
	if failed, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", failed.Op, failed.Err)
	}
	return err
}
