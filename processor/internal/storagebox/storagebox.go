// Package storagebox is an outbox in a storage extension of the Collector: entries,
// cursors and dead letters under keys of one prefix, each change in one batch, so that a
// storage with transactions (file_storage) has all of it or none.
//
// It must never drop an entry that a reader has not passed, and relies on the extension
// for durability: file_storage syncs each write only with fsync: true.
package storagebox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Options configure a Box.
type Options struct {
	// Client is the storage; the Box does not close it.
	Client storage.Client
	// Prefix parts the keys from those of others of the same client.
	Prefix string
	// Readers are the names of all readers, as of outbox.FileOptions.
	Readers []string
	// MaxBytes bounds ids and documents that are kept; 0: outbox.DefaultMaxBytes. Dead
	// letters have as much again.
	MaxBytes int64
}

// Box is an outbox.Outbox and safe for concurrent use.
type Box struct {
	o Options

	mu    sync.Mutex
	state state // as stored
}

var (
	_ outbox.Outbox  = (*Box)(nil)
	_ outbox.Counter = (*Box)(nil)
)

// state is what is kept beside entries and dead letters.
type state struct {
	First     int64            `json:"first"` // position of the oldest entry
	Next      int64            `json:"next"`  // of the next one
	Bytes     int64            `json:"bytes"`
	Cursors   map[string]int64 `json:"cursors"`
	Dead      int64            `json:"dead"` // number of dead letters
	DeadBytes int64            `json:"dead_bytes"`
}

// Open reads where the outbox stands. A reader that is new begins behind the last entry;
// one that is no longer listed is forgotten.
func Open(ctx context.Context, o Options) (*Box, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = outbox.DefaultMaxBytes
	}
	b := &Box{o: o, state: state{First: 1, Next: 1}}
	text, err := o.Client.Get(ctx, b.key("state"))
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	if text != nil && (json.Unmarshal(text, &b.state) != nil || b.state.First < 1 || b.state.Next < b.state.First) {
		return nil, errors.New("storage: the outbox in it is damaged")
	}
	s := b.state
	s.Cursors = map[string]int64{}
	for _, reader := range o.Readers {
		at, known := b.state.Cursors[reader]
		if !known || at >= s.Next {
			at = s.Next - 1
		}
		s.Cursors[reader] = at
	}
	return b, b.change(ctx, s)
}

func (b *Box) key(name string) string { return b.o.Prefix + name }

func (b *Box) entry(seq int64) string { return b.key("e" + strconv.FormatInt(seq, 10)) }

// change stores a new state together with what belongs to it.
func (b *Box) change(ctx context.Context, s state, ops ...*storage.Operation) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := b.o.Client.Batch(ctx, append(ops, storage.SetOperation(b.key("state"), text))...); err != nil {
		if errors.Is(err, storage.ErrStorageFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return fmt.Errorf("%w: %w", outbox.ErrFull, err)
		}
		return fmt.Errorf("storage: %w", err)
	}
	b.state = s
	return nil
}

// value is an entry as it is stored: the length of its id (2 bytes), the id, the document.
func value(e *outbox.Entry) []byte {
	out := binary.LittleEndian.AppendUint16(make([]byte, 0, 2+len(e.ID)+len(e.Data)), uint16(len(e.ID)))
	return append(append(out, e.ID...), e.Data...)
}

func parse(seq int64, value []byte) (outbox.Entry, bool) {
	if len(value) < 2 {
		return outbox.Entry{}, false
	}
	id := int(binary.LittleEndian.Uint16(value))
	if len(value) < 2+id {
		return outbox.Entry{}, false
	}
	return outbox.Entry{Seq: seq, ID: string(value[2 : 2+id]), Data: append([]byte{}, value[2+id:]...)}, true
}

// Append implements outbox.Outbox.
func (b *Box) Append(ctx context.Context, entries []outbox.Entry) error {
	if err := outbox.Check(entries); err != nil || len(entries) == 0 {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state
	ops := make([]*storage.Operation, 0, len(entries)+1)
	for i := range entries {
		v := value(&entries[i])
		ops = append(ops, storage.SetOperation(b.entry(s.Next), v))
		s.Next++
		s.Bytes += int64(len(v))
	}
	if s.Bytes > b.o.MaxBytes {
		return outbox.ErrFull
	}
	return b.change(ctx, s, ops...)
}

// readStep is how many entries are asked for at once.
const readStep = 64

// Read implements outbox.Outbox. An entry that the storage has lost is passed over: waiting
// for it would hold everything behind it for ever.
func (b *Box) Read(ctx context.Context, after int64, limit, maxBytes int) ([]outbox.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []outbox.Entry
	for seq := max(after+1, b.state.First); seq < b.state.Next && len(out) < limit; {
		n := min(readStep, limit-len(out), int(b.state.Next-seq))
		values, err := b.get(ctx, seq, n)
		if err != nil {
			return nil, err
		}
		for i := range values {
			e, ok := parse(seq+int64(i), values[i])
			if !ok {
				continue
			}
			if maxBytes -= len(e.Data); maxBytes < 0 && len(out) > 0 {
				return out, nil
			}
			out = append(out, e)
		}
		seq += int64(n)
	}
	return out, nil
}

// get returns the stored values of n entries.
func (b *Box) get(ctx context.Context, first int64, n int) ([][]byte, error) {
	ops := make([]*storage.Operation, n)
	for i := range ops {
		ops[i] = storage.GetOperation(b.entry(first + int64(i)))
	}
	if err := b.o.Client.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	values := make([][]byte, n)
	for i := range ops {
		values[i] = ops[i].Value
	}
	return values, nil
}

// Cursor implements outbox.Outbox.
func (b *Box) Cursor(_ context.Context, reader string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursor(reader)
}

func (b *Box) cursor(reader string) (int64, error) {
	at, ok := b.state.Cursors[reader]
	if !ok {
		return 0, fmt.Errorf("storage: no reader of the name %q", reader)
	}
	return at, nil
}

// Waiting implements outbox.Counter.
func (b *Box) Waiting(_ context.Context, reader string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, err := b.cursor(reader)
	return b.state.Next - 1 - at, err
}

// Advance implements outbox.Outbox, in one batch. Dead letters stay in the storage until it
// is removed; when there are too many, Advance fails with outbox.ErrFull.
func (b *Box) Advance(ctx context.Context, reader string, to int64, dead []outbox.Dead) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, err := b.cursor(reader)
	if err != nil || to <= at && len(dead) == 0 {
		return err
	}
	s := b.state
	s.Cursors = maps.Clone(s.Cursors)
	s.Cursors[reader] = max(at, min(to, s.Next-1))
	ops, err := b.bury(&s, reader, dead)
	if err != nil {
		return err
	}
	if err := b.change(ctx, s, ops...); err != nil {
		return err
	}
	return b.trim(ctx)
}

// letter is a dead letter as it is stored.
type letter struct {
	Reader   string `json:"reader"`
	Reason   string `json:"reason"`
	ID       string `json:"id"`
	Document string `json:"document"`
}

func (b *Box) bury(s *state, reader string, dead []outbox.Dead) ([]*storage.Operation, error) {
	var ops []*storage.Operation
	for _, d := range dead {
		text, err := json.Marshal(letter{reader, d.Reason, d.ID, string(d.Data)})
		if err != nil {
			return nil, err
		}
		ops = append(ops, storage.SetOperation(b.key("dead"+strconv.FormatInt(s.Dead, 10)), text))
		s.Dead++
		if s.DeadBytes += int64(len(text)); s.DeadBytes > b.o.MaxBytes {
			return nil, outbox.ErrFull
		}
	}
	return ops, nil
}

// trim deletes what every reader has passed.
func (b *Box) trim(ctx context.Context) error {
	done := b.state.Next - 1
	for _, at := range b.state.Cursors {
		done = min(done, at)
	}
	for b.state.First <= done {
		s := b.state
		n := min(readStep, int(done-s.First+1))
		values, err := b.get(ctx, s.First, n)
		if err != nil {
			return err
		}
		ops := make([]*storage.Operation, n)
		for i := range ops {
			ops[i] = storage.DeleteOperation(b.entry(s.First + int64(i)))
			s.Bytes -= int64(len(values[i]))
		}
		s.First += int64(n)
		if s.First == s.Next {
			s.Bytes = 0
		}
		if err := b.change(ctx, s, ops...); err != nil {
			return err
		}
	}
	return nil
}

// Close implements outbox.Outbox; the client stays open.
func (b *Box) Close() error { return nil }
