// Package linefile is a file of lines that is rotated by size and age. What Append returned
// for is on disk. It must never leave half a line behind, nor delete a file that it did not
// rotate itself.
package linefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options configure a File.
type Options struct {
	// Path of the file; rotated ones are Path.1 (the newest) to Path.<Keep>.
	Path string
	// MaxBytes is the size that a file may reach before it is rotated; 0: any. A line is
	// never split over two files.
	MaxBytes int64
	// MaxAge is how long a file is written to, since it was made; 0: for ever. It is
	// looked at when a line comes: an empty file is never rotated.
	MaxAge time.Duration
	// Keep is the number of rotated files, at least 0; older ones are deleted.
	Keep int
	// MaxLine bounds the length of a line, for the search of the last whole one.
	MaxLine int64
	Now     func() time.Time // nil: time.Now
}

// File is safe for concurrent use within one process.
type File struct {
	o    Options
	mu   sync.Mutex
	file *os.File // nil after a failure: it is opened again
	size int64
	born time.Time
}

// Open opens or makes the file, readable by its owner alone. A last line that a crash has
// cut off is removed: it was never acknowledged. A symbolic link is refused, and so is a
// file that another process writes, or that does not look like one of lines.
func Open(o Options) (*File, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &File{o: o}
	return f, f.open()
}

func (f *File) open() error {
	file, err := os.OpenFile(f.o.Path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return fmt.Errorf("%s: another process writes it: %w", f.o.Path, err)
	}
	size, err := wholeLines(file, f.o.MaxLine)
	if err == nil {
		err = file.Truncate(size)
	}
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("%s: %w", f.o.Path, err)
	}
	f.file, f.size, f.born = file, size, f.o.Now()
	if made, ok := madeAt(file); ok && size > 0 {
		f.born = made
	}
	return syncDir(f.o.Path)
}

// wholeLines returns the length of the file up to its last line end. A file with none in
// the last maxLine bytes is not one of ours, and is left alone.
func wholeLines(file *os.File, maxLine int64) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	end := info.Size()
	for end > 0 {
		if info.Size()-end > maxLine {
			return 0, errors.New("no line end near its end: not a file of lines")
		}
		start := max(0, end-int64(len(block)))
		n, err := file.ReadAt(block[:end-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Append writes lines, without line ends in them, and returns how many of them are on
// disk: all of them, unless there is an error (a full disk).
func (f *File) Append(lines [][]byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var text []byte
	first := 0
	for i, line := range lines {
		full := f.o.MaxBytes > 0 && f.size+int64(len(text)+len(line)) >= f.o.MaxBytes
		old := f.o.MaxAge > 0 && len(text) == 0 && f.o.Now().Sub(f.born) >= f.o.MaxAge
		if (full || old) && f.size+int64(len(text)) > 0 {
			if err := f.write(text); err != nil {
				return first, err
			}
			first = i
			if err := f.rotate(); err != nil {
				return first, err
			}
			text = text[:0]
		}
		text = append(append(text, line...), '\n')
	}
	if err := f.write(text); err != nil {
		return first, err
	}
	return len(lines), nil
}

// write appends text, or nothing.
func (f *File) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if err := f.reopen(); err != nil {
		return err
	}
	if f.size == 0 {
		f.born = f.o.Now()
	}
	_, err := f.file.WriteAt(text, f.size)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		if f.file.Truncate(f.size) != nil {
			f.drop() // opening it again finds its end
		}
		return err
	}
	f.size += int64(len(text))
	return nil
}

// reopen makes sure that the open file is the one of the path: another program may have
// rotated or removed it.
func (f *File) reopen() error {
	if f.file != nil {
		here, err := f.file.Stat()
		there, gone := os.Lstat(f.o.Path)
		if err == nil && gone == nil && os.SameFile(here, there) {
			return nil
		}
		f.drop()
	}
	return f.open()
}

func (f *File) drop() {
	_ = f.file.Close()
	f.file = nil
}

// rotate moves the files on by one and begins a new one. The oldest is overwritten.
func (f *File) rotate() error {
	if f.file != nil {
		f.drop()
	}
	if f.o.Keep == 0 {
		if err := os.Remove(f.o.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return f.open()
	}
	for n := f.o.Keep; n > 0; n-- {
		from := f.o.Path
		if n > 1 {
			from = fmt.Sprintf("%s.%d", f.o.Path, n-1)
		}
		err := os.Rename(from, fmt.Sprintf("%s.%d", f.o.Path, n))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return f.open()
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
