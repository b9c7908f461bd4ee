package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// Defaults of FileOptions.
const (
	DefaultMaxBytes     = 256 << 20
	DefaultSegmentBytes = 4 << 20
)

// FileOptions configure a File.
type FileOptions struct {
	// Dir is a folder for the outbox alone; it is made if it is missing.
	Dir string
	// Readers are the names of all readers. One that is new begins behind the last
	// entry; one that is no longer listed is forgotten and holds nothing back.
	Readers []string
	// MaxBytes bounds the log; 0: DefaultMaxBytes.
	MaxBytes int64
	// SegmentBytes is the size at which a new file is begun; 0: DefaultSegmentBytes.
	SegmentBytes int64
}

// File is an Outbox in a folder: numbered segments of checksummed entries, one
// small file of cursors, and dead.ndjson for what receivers refused. Segments
// that every reader has passed are deleted.
type File struct {
	o    FileOptions
	lock *os.File

	mu       sync.Mutex
	segments []*segment // oldest first; the last one is written
	cursors  map[string]int64
	size     int64 // of all segments
	broken   error // set when the end of the log is no longer known
}

var (
	_ Outbox  = (*File)(nil)
	_ Counter = (*File)(nil)
)

// OpenFile opens or makes the outbox. An entry that a crash has cut off is
// removed: its Append did not return. A damaged entry before that is an error,
// since readers would pass over alerts.
func OpenFile(o FileOptions) (*File, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(o.Dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("outbox: %s: another process has it: %w", o.Dir, err)
	}
	f := &File{o: o, lock: lock, cursors: map[string]int64{}}
	if err := f.load(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) load() error {
	names, err := filepath.Glob(filepath.Join(f.o.Dir, "*.log"))
	if err != nil {
		return err
	}
	slices.Sort(names) // numbers have one width
	for i, name := range names {
		s, err := openSegment(name, i == len(names)-1)
		if err != nil {
			return err
		}
		f.segments = append(f.segments, s)
		f.size += s.size
		if i > 0 && s.first != f.segments[i-1].next() {
			return fmt.Errorf("outbox: %s: entries before it are missing", name)
		}
	}
	if err := f.loadCursors(); err != nil {
		return err
	}
	if len(f.segments) == 0 {
		first := int64(1)
		for _, at := range f.cursors {
			first = max(first, at+1)
		}
		if err := f.begin(first); err != nil {
			return err
		}
	}
	return f.settleReaders()
}

// settleReaders gives new readers a cursor and forgets those no longer listed.
func (f *File) settleReaders() error {
	settled := map[string]int64{}
	last := f.segments[len(f.segments)-1].next() - 1
	for _, reader := range f.o.Readers {
		at, known := f.cursors[reader]
		if !known || at > last {
			at = last
		}
		settled[reader] = at
	}
	f.cursors = settled
	return f.saveCursors()
}

func (f *File) cursorsPath() string { return filepath.Join(f.o.Dir, "cursors.json") }

func (f *File) loadCursors() error {
	text, err := os.ReadFile(f.cursorsPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if json.Unmarshal(text, &f.cursors) != nil {
		return fmt.Errorf("outbox: %s is damaged", f.cursorsPath())
	}
	return nil
}

// saveCursors replaces the file of cursors as a whole.
func (f *File) saveCursors() error {
	text, err := json.Marshal(f.cursors)
	if err != nil {
		return err
	}
	temp := f.cursorsPath() + ".new"
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, f.cursorsPath()); err != nil {
		return err
	}
	return syncDir(f.o.Dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// begin makes the segment whose first entry has position first.
func (f *File) begin(first int64) error {
	s, err := openSegment(filepath.Join(f.o.Dir, fmt.Sprintf("%020d.log", first)), true)
	if err != nil {
		return err
	}
	f.segments = append(f.segments, s)
	return syncDir(f.o.Dir)
}

// Append implements Outbox.
func (f *File) Append(_ context.Context, entries []Entry) error {
	if err := Check(entries); err != nil || len(entries) == 0 {
		return err
	}
	added := frame(entries)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	if f.size+int64(len(added)) > f.o.MaxBytes {
		if f.trim(); f.size+int64(len(added)) > f.o.MaxBytes {
			return ErrFull
		}
	}
	last := f.segments[len(f.segments)-1]
	if last.size >= f.o.SegmentBytes {
		if err := f.begin(last.next()); err != nil {
			return full(err)
		}
		last = f.segments[len(f.segments)-1]
	}
	known, err := last.append(added)
	if err != nil {
		if !known {
			f.broken = fmt.Errorf("outbox: the end of the log is unknown until it is opened again: %w", err)
		}
		return full(err)
	}
	f.size += int64(len(added))
	return nil
}

// full adds ErrFull to the errors of a full disk.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Read implements Outbox.
func (f *File) Read(_ context.Context, after int64, limit, maxBytes int) ([]Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Entry
	for _, s := range f.segments {
		for seq := max(after+1, s.first); seq < s.next() && len(out) < limit; seq++ {
			e, err := s.read(seq)
			if err != nil {
				return nil, err
			}
			if maxBytes -= len(e.Data); maxBytes < 0 && len(out) > 0 {
				return out, nil
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// Cursor implements Outbox.
func (f *File) Cursor(_ context.Context, reader string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.cursors[reader]
	if !ok {
		return 0, fmt.Errorf("outbox: no reader of the name %q", reader)
	}
	return at, nil
}

// Advance implements Outbox. Dead letters are written first: a crash in between
// repeats them, with the same id. They are kept until somebody removes the file;
// when it has grown to MaxBytes, Advance fails with ErrFull.
func (f *File) Advance(_ context.Context, reader string, to int64, dead []Dead) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.cursors[reader]
	if !ok {
		return fmt.Errorf("outbox: no reader of the name %q", reader)
	}
	if err := f.bury(reader, dead); err != nil {
		return full(err)
	}
	if to <= at {
		return nil
	}
	f.cursors[reader] = min(to, f.segments[len(f.segments)-1].next()-1)
	if err := f.saveCursors(); err != nil {
		f.cursors[reader] = at
		return full(err)
	}
	f.trim()
	return nil
}

// trim deletes the segments that every reader has passed. What cannot be deleted
// is tried again with the next one.
func (f *File) trim() {
	done := f.segments[len(f.segments)-1].next() - 1
	for _, at := range f.cursors {
		done = min(done, at)
	}
	for len(f.segments) > 1 && f.segments[0].next()-1 <= done {
		if f.segments[0].remove() != nil {
			return
		}
		f.size -= f.segments[0].size
		f.segments = f.segments[1:]
	}
}

// Close implements Outbox.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []error
	for _, s := range f.segments {
		all = append(all, s.file.Close())
	}
	f.segments, f.broken = nil, os.ErrClosed
	return errors.Join(append(all, f.lock.Close())...)
}

// Waiting implements Counter.
func (f *File) Waiting(ctx context.Context, reader string) (int64, error) {
	at, err := f.Cursor(ctx, reader)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || len(f.segments) == 0 {
		return 0, err
	}
	return f.segments[len(f.segments)-1].next() - 1 - at, nil
}
