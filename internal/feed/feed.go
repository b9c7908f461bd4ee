package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
)

// The readers of the outbox of detections: how far it has to be read again after a
// restart, and how far alerts are handed out.
const (
	readerReplay = "replay"
	readerNext   = "next"
)

// Readers are the names that the outbox of detections is opened with.
var Readers = []string{readerReplay, readerNext}

const (
	// tick is how often alerts are looked at that nothing new came for, and how long to
	// wait after a failure.
	tick = time.Second
	// readEntries and readBytes bound what is read and folded at once.
	readEntries = 512
	readBytes   = 1 << 20
)

// Options configure a Feed.
type Options struct {
	// Detections keeps detections; it was opened with Readers and belongs to the Feed,
	// which does not close it.
	Detections outbox.Outbox
	// Append keeps alerts for the sinks and returns when they are durable: sink.Fan's.
	Append func(ctx context.Context, items []sink.Item) error
	// Fold configures the alerts. Its key must be the same after a restart, or alerts
	// that are still open are told again under other ids.
	Fold alert.Config
	// Alerted is told of alerts that are handed out; may be nil.
	Alerted func(a *alert.Alert)
	Log     *slog.Logger
}

// Feed is safe for concurrent use; Run belongs to one goroutine.
type Feed struct {
	o    Options
	wake chan struct{}
	log  writer

	fold    *alert.Fold
	read    int64 // position of the last entry that was folded
	stored  int64 // of the last one that the cursors cover
	saved   time.Time
	pending []alert.Alert

	// sent has the sequence numbers that were handed out before the restart, until
	// everything before it is folded again.
	sent  map[string]int64
	until int64
}

// New makes a Feed that goes on where the last one ended.
func New(ctx context.Context, o Options) (*Feed, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Alerted == nil {
		o.Alerted = func(*alert.Alert) {}
	}
	fold, err := alert.NewFold(o.Fold)
	if err != nil {
		return nil, err
	}
	f := &Feed{o: o, fold: fold, wake: make(chan struct{}, 1)}
	f.log.box = o.Detections
	replay, err := o.Detections.Cursor(ctx, readerReplay)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	next, err := o.Detections.Cursor(ctx, readerNext)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	f.read, f.stored = replay, replay
	if next > replay {
		fold.Resume(next + 1)
	}
	return f, f.remember(ctx)
}

// remember reads what was handed out of the alerts that may still be open.
func (f *Feed) remember(ctx context.Context) error {
	f.sent, f.until = map[string]int64{}, f.read
	for {
		entries, err := f.o.Detections.Read(ctx, f.until, readEntries, readBytes)
		if err != nil {
			return fmt.Errorf("feed: read what was found before: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		for i := range entries {
			for id, sequence := range marks(entries[i].Data) {
				f.sent[id] = max(f.sent[id], sequence)
			}
			f.until = entries[i].Seq
		}
	}
}

// handed is an entry that says which states of alerts are handed out: sequence numbers by
// id.
type handed struct {
	HandedOut map[string]int64 `json:"handed_out"`
}

func marks(data []byte) map[string]int64 {
	var h handed
	if json.Unmarshal(data, &h) != nil {
		return nil
	}
	return h.HandedOut
}

// Tell keeps detections and returns when they are durable. outbox.ErrFull means that
// there is no room until sinks have caught up. A detection that is told twice counts once.
func (f *Feed) Tell(ctx context.Context, detections []event.Detection) error {
	if len(detections) == 0 {
		return nil
	}
	now := time.Now()
	entries := make([]outbox.Entry, len(detections))
	for i, d := range detections {
		entries[i] = outbox.Entry{ID: d.ID, Data: alert.MarshalDetection(d, now)}
	}
	if err := f.log.append(ctx, entries); err != nil {
		return err
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return nil
}

// Run folds until ctx ends. What it cannot hand out it tries again.
func (f *Feed) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for ctx.Err() == nil {
		more, err := f.step(ctx, false)
		if err != nil && ctx.Err() == nil {
			f.o.Log.Warn("alerts are not handed to the sinks, it is tried again", "error", err)
		}
		if more && err == nil {
			continue
		}
		wake := f.wake
		if err != nil {
			wake = nil // new detections change nothing about it
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-t.C:
		}
	}
	return nil
}

// Flush hands out everything that was told; Run must have returned, and Tell is not called
// any more.
func (f *Feed) Flush(ctx context.Context) error {
	for {
		if more, err := f.step(ctx, true); err != nil || !more {
			return err
		}
	}
}

// step folds what can be read at once and hands out what is due. It reports whether there
// may be more to do now. While alerts wait to be handed out nothing is read: memory is
// bounded.
func (f *Feed) step(ctx context.Context, all bool) (more bool, err error) {
	more = len(f.pending) > 0
	if !more {
		read, err := f.take(ctx)
		if err != nil {
			return false, err
		}
		more = read > 0
	}
	f.pending = append(f.pending, f.due(all && !more)...)
	if err := f.hand(ctx); err != nil {
		return false, err
	}
	return more, f.checkpoint(ctx, all && !more)
}

// take folds the next entries and returns how many there were.
func (f *Feed) take(ctx context.Context) (int, error) {
	entries, err := f.o.Detections.Read(ctx, f.read, readEntries, readBytes)
	if err != nil {
		return 0, err
	}
	for i := range entries {
		e := &entries[i]
		f.read = e.Seq
		if !alert.IsDetection(e.Data) {
			continue // what was handed out
		}
		d, written, err := alert.UnmarshalDetection(e.Data)
		if err != nil {
			f.o.Log.Warn("an entry is no detection of this version", "position", e.Seq, "error", err)
			continue
		}
		f.fold.Add(e.Seq, written, d)
	}
	return len(entries), nil
}

// due returns the alerts to hand out now, without those that were handed out before.
func (f *Feed) due(all bool) []alert.Alert {
	changed := f.fold.Changed
	if all {
		changed = f.fold.Flush
	}
	out := changed()
	if f.sent == nil {
		return out
	}
	left := out[:0]
	for _, a := range out {
		if f.sent[a.ID] < a.Sequence {
			left = append(left, a)
		}
	}
	if f.read >= f.until {
		f.sent = nil // the fold itself knows now
	}
	return left
}

// hand appends the pending alerts, and notes that it did. A crash in between repeats them,
// with the same ids and sequence numbers.
func (f *Feed) hand(ctx context.Context) error {
	for len(f.pending) > 0 {
		some := f.pending[:min(len(f.pending), readEntries)]
		items := make([]sink.Item, len(some))
		note := handed{map[string]int64{}}
		for i := range some {
			a := &some[i]
			items[i] = sink.Item{ID: a.ID + "-" + strconv.FormatInt(a.Sequence, 10), Document: alert.MarshalAlert(*a)}
			note.HandedOut[a.ID] = max(note.HandedOut[a.ID], a.Sequence)
		}
		if err := f.o.Append(ctx, items); err != nil {
			return fmt.Errorf("keep alerts: %w", err)
		}
		for i := range some {
			f.o.Alerted(&some[i])
		}
		f.pending = f.pending[len(some):]
		f.note(ctx, note)
	}
	f.pending = nil
	return nil
}

// note keeps what was handed out. Without the note a restart hands it out again, which is
// no reason to wait.
func (f *Feed) note(ctx context.Context, note handed) {
	text, err := json.Marshal(note)
	if err == nil {
		err = f.log.append(ctx, []outbox.Entry{{ID: "handed-out", Data: text}})
	}
	if err != nil {
		f.o.Log.Warn("it is not noted which alerts are handed out; a restart may repeat them", "error", err)
	}
}

// checkpoint moves the cursors, about once a second. The position of what is handed out
// goes first: a crash in between reads again too much, not too little.
func (f *Feed) checkpoint(ctx context.Context, now bool) error {
	if f.read == f.stored || !now && time.Since(f.saved) < tick {
		return nil
	}
	at, ok := f.fold.Checkpoint()
	if !ok {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := f.o.Detections.Advance(ctx, readerNext, at.Next-1, nil)
	if err == nil {
		err = f.o.Detections.Advance(ctx, readerReplay, at.Replay-1, nil)
	}
	if err != nil {
		return fmt.Errorf("keep how far alerts are handed out: %w", err)
	}
	f.stored, f.saved = f.read, time.Now()
	return nil
}

// Waiting returns how many entries are kept that are not folded into alerts yet; -1 when
// that cannot be said.
func (f *Feed) Waiting(ctx context.Context) int64 {
	return outbox.Pending(ctx, f.o.Detections, readerNext)
}

// writer appends to an outbox. What several callers bring while the disk is busy becomes
// one write.
type writer struct {
	box outbox.Outbox

	mu      sync.Mutex
	queue   []*waiting
	writing bool
	idle    sync.WaitGroup
}

type waiting struct {
	entries []outbox.Entry
	done    chan error
}

// maxTogether bounds the entries of one write.
const maxTogether = 4096

var errStopped = errors.New("feed: interrupted before it was known to be durable")

func (w *writer) append(ctx context.Context, entries []outbox.Entry) error {
	one := &waiting{entries, make(chan error, 1)}
	w.mu.Lock()
	w.queue = append(w.queue, one)
	if !w.writing {
		w.writing = true
		w.idle.Go(func() { w.write(context.WithoutCancel(ctx)) })
	}
	w.mu.Unlock()
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return errors.Join(errStopped, ctx.Err())
	}
}

// write empties the queue.
func (w *writer) write(ctx context.Context) {
	for {
		w.mu.Lock()
		n, size := 0, 0
		for n < len(w.queue) && (n == 0 || size+len(w.queue[n].entries) <= maxTogether) {
			size += len(w.queue[n].entries)
			n++
		}
		some := w.queue[:n:n]
		w.queue = w.queue[n:]
		if n == 0 {
			w.queue, w.writing = nil, false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		all := some[0].entries
		for _, other := range some[1:] {
			all = append(all[:len(all):len(all)], other.entries...)
		}
		err := w.box.Append(ctx, all)
		for _, one := range some {
			one.done <- err
		}
	}
}

// Wait returns when nothing is being written any more.
func (f *Feed) Wait() { f.log.idle.Wait() }
