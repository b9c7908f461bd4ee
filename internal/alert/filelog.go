package alert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

// FileLog is an append-only file of detections and alerts, one JSON document a
// line. It is safe for concurrent use within one process.
type FileLog struct {
	mu   sync.Mutex
	file *os.File
	size int64 // of what is whole and on disk
}

// OpenFile opens or makes a file, readable by its owner alone. A last line that
// a crash has cut off is removed: it was never acknowledged. A symbolic link is
// refused, since the file may be in a folder that others can write.
func OpenFile(path string) (*FileLog, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: another process writes it: %w", path, err)
	}
	l := &FileLog{file: file}
	if l.size, err = wholeLines(file); err == nil {
		err = file.Truncate(l.size)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// wholeLines returns the length of the file up to its last line end.
func wholeLines(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
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

// Append writes lines and returns when they are on disk. After an error (a full
// disk) none of them is in the file.
func (l *FileLog) Append(lines [][]byte) error {
	if len(lines) == 0 {
		return nil
	}
	var all []byte
	for _, line := range lines {
		all = append(append(all, line...), '\n')
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.file.WriteAt(all, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return errors.Join(err, l.file.Truncate(l.size))
	}
	l.size += int64(len(all))
	return nil
}

// State is what the file tells of a state of an alert.
type State struct {
	ID       string
	Sequence int64
	Opening  Opening
}

// Replay calls detection for each detection in the file, and alert for each
// state of an alert, in order. Lines that are neither, or of another version, are
// passed over.
func (l *FileLog) Replay(detection func(d event.Detection, written time.Time), alert func(State)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := bufio.NewScanner(io.NewSectionReader(l.file, 0, l.size))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if IsDetection(lines.Bytes()) {
			if d, written, err := UnmarshalDetection(lines.Bytes()); err == nil {
				detection(d, written)
			}
			continue
		}
		var doc document
		if json.Unmarshal(lines.Bytes(), &doc) != nil || doc.Leakveil.Alert == nil || doc.Leakveil.Where.place() == "" {
			continue
		}
		id := doc.Leakveil.Alert
		alert(State{id.ID, id.Sequence, Opening{doc.Leakveil.KeyID, doc.Leakveil.Rule, doc.Leakveil.Where.where()}})
	}
	return lines.Err()
}

// Close closes the file.
func (l *FileLog) Close() error { return l.file.Close() }
