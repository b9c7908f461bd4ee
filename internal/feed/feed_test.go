package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/feed"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = []byte("a key for alert ids, of 32 bytes")

// taken is what sinks would be handed.
type taken struct {
	mu     sync.Mutex
	times  map[string]int    // by id and sequence number
	text   map[string]string // the document of each
	counts map[string]int64  // the highest count of each alert
	err    error
}

func newTaken() *taken {
	return &taken{times: map[string]int{}, text: map[string]string{}, counts: map[string]int64{}}
}

func (k *taken) append(_ context.Context, items []sink.Item) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	for _, item := range items {
		k.times[item.ID]++
		k.text[item.ID] = string(item.Document)
		var doc struct {
			Leakveil struct {
				Count int64
				Alert struct{ ID string }
			}
		}
		if err := json.Unmarshal(item.Document, &doc); err != nil {
			return err
		}
		k.counts[doc.Leakveil.Alert.ID] = max(k.counts[doc.Leakveil.Alert.ID], doc.Leakveil.Count)
	}
	return nil
}

func (k *taken) total() (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, count := range k.counts {
		n += count
	}
	return n
}

func box(t testing.TB, dir string, max int64) *outbox.File {
	t.Helper()
	b, err := outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: feed.Readers, MaxBytes: max, SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t testing.TB, b outbox.Outbox, k *taken, c alert.Config) *feed.Feed {
	t.Helper()
	c.Key = key
	f, err := feed.New(t.Context(), feed.Options{Detections: b, Append: k.append, Fold: c})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// detections returns n detections of few clients, with ids of their own.
func detections(from, n int) (out []event.Detection) {
	for i := from; i < from+n; i++ {
		d := sinktest.Detection(fmt.Sprint("client-", i%7), i)
		d.ID = alert.DetectionID(key, d.Where, d.Rule)
		out = append(out, d)
	}
	return out
}

func TestWhatIsToldIsHandedOut(t *testing.T) {
	k := newTaken()
	f := open(t, box(t, t.TempDir(), 0), k, alert.Config{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var all sync.WaitGroup
	for g := range 20 { // several at once become few writes
		all.Go(func() {
			for i := range 10 {
				if err := f.Tell(t.Context(), detections(100*g+10*i, 10)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := f.Tell(t.Context(), detections(0, 50)); err != nil { // once more
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Wait()
	if n := k.total(); n != 2000 || len(k.counts) != 7 {
		t.Errorf("%d detections in %d alerts", n, len(k.counts))
	}
	for id, n := range k.times {
		if n > 1 {
			t.Errorf("%s was handed out %d times", id, n)
		}
	}
}

// A restart hands nothing out again, and goes on counting where it was.
func TestRestart(t *testing.T) {
	dir, k := t.TempDir(), newTaken()
	for life := range 10 {
		b := box(t, dir, 0)
		f := open(t, b, k, alert.Config{})
		if err := f.Tell(t.Context(), detections(20*life, 20)); err != nil {
			t.Fatal(err)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Wait()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.total(); n != 200 || len(k.counts) != 7 {
		t.Errorf("%d detections in %d alerts", n, len(k.counts))
	}
	for id, n := range k.times {
		if n > 1 {
			t.Errorf("%s was handed out %d times", id, n)
		}
	}
}

// faulty fails at random, before or after it has done what it was asked for.
type faulty struct {
	outbox.Outbox
	mu     sync.Mutex
	random *rand.Rand
	before bool // it never fails after it has appended
}

var errFaulty = errors.New("disk")

func (f *faulty) fails() (before, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.random.IntN(10)
	return n == 0, n == 1
}

func (f *faulty) Append(ctx context.Context, entries []outbox.Entry) error {
	before, after := f.fails()
	if before {
		return errFaulty
	}
	if err := f.Outbox.Append(ctx, entries); err != nil || !after || f.before {
		return err
	}
	return errFaulty
}

func (f *faulty) Advance(ctx context.Context, reader string, to int64, dead []outbox.Dead) error {
	before, after := f.fails()
	if before {
		return errFaulty
	}
	if err := f.Outbox.Advance(ctx, reader, to, dead); err != nil || !after {
		return err
	}
	return errFaulty
}

func (f *faulty) Read(ctx context.Context, after int64, limit, max int) ([]outbox.Entry, error) {
	if before, _ := f.fails(); before {
		return nil, errFaulty
	}
	return f.Outbox.Read(ctx, after, limit, max)
}

// Whatever the disk does and whenever the process ends, every detection that was told
// counts exactly once, and no sequence number has two contents. Only one that comes again
// after its alert was closed for its length counts again: there no such one comes.
func TestCrashes(t *testing.T) {
	for range 6 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { crashes(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func crashes(t *testing.T, random *rand.Rand) {
	dir, k := t.TempDir(), newTaken()
	contents := map[string]string{}
	config := alert.Config{MaxSpan: int64(random.IntN(3) * 60), Interval: time.Nanosecond}
	told := 0
	for range 12 {
		b := box(t, dir, 0)
		bad := &faulty{Outbox: b, random: rand.New(rand.NewPCG(random.Uint64(), 2)), before: config.MaxSpan > 0}
		var f *feed.Feed
		for err := errFaulty; err != nil; {
			f, err = feed.New(t.Context(), feed.Options{
				Detections: bad, Append: k.append, Fold: alert.Config{Key: key, MaxSpan: config.MaxSpan, Interval: config.Interval},
			})
		}
		for range random.IntN(6) {
			some := detections(told, 1+random.IntN(30))
			told += len(some)
			for f.Tell(t.Context(), some) != nil { // its sender tries again
			}
			if random.IntN(2) == 0 {
				_ = f.Flush(t.Context()) // it may fail half way
			}
		}
		f.Wait()
		for id, text := range k.text {
			if before, ok := contents[id]; ok && before != text {
				t.Fatalf("%s has two contents", id)
			}
			contents[id] = text
		}
		_ = b.Close()
	}
	b := box(t, dir, 0)
	f := open(t, b, k, config)
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Wait()
	if n := k.total(); n != int64(told) {
		t.Errorf("%d detections of %d are counted", n, told)
	}
}

// When alerts cannot be handed out, detections are kept until there is no room, and the
// caller is told.
func TestFull(t *testing.T) {
	k := newTaken()
	k.err = outbox.ErrFull
	f := open(t, box(t, t.TempDir(), 1<<20), k, alert.Config{MaxSpan: 100})
	told, err := 0, error(nil)
	for ; err == nil; told += 10 {
		if told > 100_000 {
			t.Fatal("never full")
		}
		_ = f.Flush(t.Context())
		err = f.Tell(t.Context(), detections(told, 10))
	}
	if !errors.Is(err, outbox.ErrFull) {
		t.Fatal(err)
	}
	k.err = nil
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.Tell(t.Context(), detections(told-10, 10)); err != nil { // tried again
		t.Fatal(err)
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Wait()
	if n := k.total(); n != int64(told) {
		t.Errorf("%d detections of %d", n, told)
	}
}

// An alert that stays open holds no more of the log than MaxSpan says.
func TestTheLogIsBounded(t *testing.T) {
	k := newTaken()
	f := open(t, box(t, t.TempDir(), 256<<10), k, alert.Config{MaxSpan: 50})
	for i := range 300 {
		if err := f.Tell(t.Context(), detections(10*i, 10)); err != nil {
			t.Fatalf("after %d: %v", 10*i, err)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.Wait()
	if n := k.total(); n != 3_000 {
		t.Errorf("%d detections", n)
	}
}
