package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A frame is one Append: the length of what follows its head (4 bytes, little
// endian), the CRC-32C of that (4 bytes), and the entries, each the length of its
// id (2 bytes), the length of its document (4 bytes), and both. One checksum over
// all makes an Append whole or absent after a crash.
const (
	headBytes  = 8
	entryBytes = 6
	maxFrame   = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segment is one file of frames.
type segment struct {
	path  string
	file  *os.File
	first int64   // position of its first entry
	at    []int64 // where each entry begins
	size  int64
}

// next is the position behind the segment's last entry.
func (s *segment) next() int64 { return s.first + int64(len(s.at)) }

// openSegment reads the segment's frames. Only the last segment may end in half
// a frame, which is cut off.
func openSegment(path string, last bool) (*segment, error) {
	first, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), ".log"), 10, 64)
	if err != nil || first < 1 {
		return nil, fmt.Errorf("outbox: %s is no segment", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segment{path: path, file: file, first: first}
	if err := s.index(last); err != nil {
		_ = file.Close()
		return nil, err
	}
	return s, nil
}

// index finds the frames and checks each.
func (s *segment) index(last bool) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	for s.size < info.Size() {
		payload, err := s.payload(s.size)
		if err == nil {
			var at []int64
			if at, err = entriesAt(payload); err == nil {
				s.add(at, int64(len(payload)))
				continue
			}
		}
		if !last || !s.torn(info.Size()) {
			return fmt.Errorf("outbox: %s is damaged at byte %d", s.path, s.size)
		}
		return s.file.Truncate(s.size)
	}
	return nil
}

// add takes up a frame at the segment's end: where entries begin in its payload.
func (s *segment) add(at []int64, payload int64) {
	for _, begin := range at {
		s.at = append(s.at, s.size+headBytes+begin)
	}
	s.size += headBytes + payload
}

// entriesAt returns where each entry of a payload begins.
func entriesAt(payload []byte) (at []int64, err error) {
	for begin := 0; begin < len(payload); {
		if len(payload)-begin < entryBytes {
			return nil, errDamaged
		}
		id, data := lengths(payload[begin:])
		at = append(at, int64(begin))
		if begin += entryBytes + id + data; begin > len(payload) {
			return nil, errDamaged
		}
	}
	return at, nil
}

func lengths(head []byte) (id, data int) {
	return int(binary.LittleEndian.Uint16(head)), int(binary.LittleEndian.Uint32(head[2:]))
}

// torn reports whether no whole frame follows the bad one at s.size: then it is
// what a crash left of an Append that never returned.
func (s *segment) torn(size int64) bool {
	var head [headBytes]byte
	if _, err := s.file.ReadAt(head[:], s.size); err != nil {
		return errors.Is(err, io.EOF)
	}
	behind := s.size + headBytes + int64(binary.LittleEndian.Uint32(head[:]))
	if behind >= size {
		return true // the length itself, or the frame, is cut off
	}
	_, err := s.payload(behind)
	return err != nil // a good frame behind a bad one: damage, not a crash
}

var errDamaged = errors.New("outbox: damaged frame")

// payload returns what the frame at a byte offset holds, checked.
func (s *segment) payload(at int64) ([]byte, error) {
	var head [headBytes]byte
	if _, err := s.file.ReadAt(head[:], at); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(head[:]))
	if info, err := s.file.Stat(); err != nil || length == 0 || length > maxFrame || length > info.Size()-at-headBytes {
		return nil, errors.Join(errDamaged, err)
	}
	payload := make([]byte, length)
	if _, err := s.file.ReadAt(payload, at+headBytes); err != nil {
		return nil, err
	}
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errDamaged
	}
	return payload, nil
}

// read returns the entry at a position of the segment.
func (s *segment) read(seq int64) (Entry, error) {
	at := s.at[seq-s.first]
	var head [entryBytes]byte
	_, err := s.file.ReadAt(head[:], at)
	id, data := lengths(head[:])
	both := make([]byte, id+data)
	if err == nil {
		_, err = s.file.ReadAt(both, at+entryBytes)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("outbox: %s: read entry %d: %w", s.path, seq, err)
	}
	return Entry{Seq: seq, ID: string(both[:id]), Data: both[id:]}, nil
}

// frame returns the frame of entries.
func frame(entries []Entry) []byte {
	out := make([]byte, headBytes)
	for i := range entries {
		e := &entries[i]
		out = binary.LittleEndian.AppendUint16(out, uint16(len(e.ID)))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(e.Data)))
		out = append(append(out, e.ID...), e.Data...)
	}
	payload := out[headBytes:]
	binary.LittleEndian.PutUint32(out, uint32(len(payload)))
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(payload, castagnoli))
	return out
}

// append writes a frame and returns when it is on disk. After an error the file
// is as before, unless known is false.
func (s *segment) append(frame []byte) (known bool, err error) {
	at, err := entriesAt(frame[headBytes:])
	if err != nil {
		return true, err
	}
	_, err = s.file.WriteAt(frame, s.size)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		cut := s.file.Truncate(s.size)
		return cut == nil, errors.Join(err, cut)
	}
	s.add(at, int64(len(frame)-headBytes))
	return true, nil
}

func (s *segment) remove() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_ = s.file.Close()
	return nil
}

// deadLine is one line of dead.ndjson.
type deadLine struct {
	Time     string          `json:"time"`
	Reader   string          `json:"reader"`
	Reason   string          `json:"reason"`
	ID       string          `json:"id"`
	Document json.RawMessage `json:"document"`
}

// bury appends dead letters; a document that is no JSON is kept as text.
func (f *File) bury(reader string, dead []Dead) error {
	if len(dead) == 0 {
		return nil
	}
	var lines []byte
	for _, d := range dead {
		document := json.RawMessage(d.Data)
		if !json.Valid(document) {
			document, _ = json.Marshal(string(d.Data))
		}
		line, err := json.Marshal(deadLine{time.Now().UTC().Format(time.RFC3339), reader, d.Reason, d.ID, document})
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	path := filepath.Join(f.o.Dir, "dead.ndjson")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Size()+int64(len(lines)) > f.o.MaxBytes {
		err = ErrFull // they are not thrown away: somebody has to look at them
	}
	if err == nil {
		if _, err = file.Write(lines); err == nil {
			err = file.Sync()
		}
		if err != nil {
			err = errors.Join(err, file.Truncate(info.Size()))
		}
	}
	return errors.Join(err, file.Close())
}
