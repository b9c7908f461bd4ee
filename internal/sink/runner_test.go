package sink_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
	"pgregory.net/rapid"
)

// fake is a Sink that answers as told and remembers what it was sent.
type fake struct {
	answer func(call int, items []sink.Item) sink.Report

	mu    sync.Mutex
	calls []call
	got   map[string]int // ids that were answered with Delivered
}

type call struct {
	at time.Time
	n  int
}

func (f *fake) Send(_ context.Context, items []sink.Item) sink.Report {
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, call{time.Now(), len(items)})
	answer := f.answer
	f.mu.Unlock()
	report := answer(n, items)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, o := range report.Outcomes {
		if o.Verdict == sink.Delivered {
			if f.got == nil {
				f.got = map[string]int{}
			}
			f.got[items[i].ID]++
		}
	}
	return report
}

func (f *fake) distinct() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

func all(items []sink.Item, v sink.Verdict, reason string) sink.Report {
	return sink.All(len(items), sink.Outcome{Verdict: v, Reason: reason})
}

func takes(_ int, items []sink.Item) sink.Report { return all(items, sink.Delivered, "") }

func box(t testing.TB, dir string, readers ...string) outbox.Outbox {
	t.Helper()
	o, err := outbox.OpenFile(outbox.FileOptions{Dir: dir, Readers: readers})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func items(from, to int) (out []sink.Item) {
	for i := from; i <= to; i++ {
		out = append(out, sink.Item{ID: fmt.Sprintf("alert-%d", i), Document: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	return out
}

// half is a jitter that draws nothing: delays are half of what they may be.
func half() float64 { return 0 }

// start runs a fan in a bubble and stops it when the test ends.
func start(t testing.TB, fan *sink.Fan) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- fan.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := fan.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADeadSinkHurtsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &fake{answer: func(_ int, in []sink.Item) sink.Report { return all(in, sink.Retry, sink.ReasonNetwork) }}
		well := &fake{answer: takes}
		b := box(t, t.TempDir(), "dead", "well")
		fan := sink.NewFan(b,
			sink.NewRunner(sink.Options{Name: "dead", Sink: dead, Outbox: b, Draw: half}),
			sink.NewRunner(sink.Options{Name: "well", Sink: well, Outbox: b, Draw: half}))
		defer start(t, fan)()
		before := time.Now()
		for i := range 100 {
			if err := fan.Append(t.Context(), items(10*i+1, 10*i+10)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if well.distinct() != 1000 || time.Since(before) != 0 {
			t.Fatalf("%d of 1000 after %v", well.distinct(), time.Since(before))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, s := range fan.States() {
			if s.Broken != (s.Name == "dead") || s.Failing.IsZero() == s.Broken || s.Broken && time.Since(s.Failing) < time.Hour {
				t.Errorf("%+v", s)
			}
		}
		dead.mu.Lock()
		dead.answer = takes
		dead.mu.Unlock()
		time.Sleep(sink.DefaultMaxDelay)
		synctest.Wait()
		if dead.distinct() != 1000 {
			t.Fatalf("%d of 1000 after it came back", dead.distinct())
		}
		if s := fan.States()[0]; s.Broken || s.Reason != "" || !s.Failing.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

func TestBackoffAndBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fails = 8
		f := &fake{answer: func(n int, in []sink.Item) sink.Report {
			if n < fails {
				return all(in, sink.Retry, sink.ReasonServer)
			}
			return all(in, sink.Delivered, "")
		}}
		b := box(t, t.TempDir(), "f")
		fan := sink.NewFan(b, sink.NewRunner(sink.Options{
			Name: "f", Sink: f, Outbox: b, Draw: half, BreakAfter: 3, Backoff: sink.Backoff{Min: 2 * time.Second, Max: 20 * time.Second},
		}))
		defer start(t, fan)()
		if err := fan.Append(t.Context(), items(1, 50)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		waits := []time.Duration{1, 2, 4, 8, 10, 10, 10, 10} // halves of 2, 4, … 20 seconds
		for i, c := range f.calls[:fails+2] {
			n := 50
			switch {
			case i == fails+1:
				n = 49 // the probe has passed
			case i >= 3:
				n = 1
			}
			if c.n != n {
				t.Errorf("call %d: %d items, not %d", i, c.n, n)
			}
			if i > 0 && i <= fails {
				if got := c.at.Sub(f.calls[i-1].at); got != waits[i-1]*time.Second {
					t.Errorf("wait before call %d: %v", i, got)
				}
			}
		}
		if f.distinct() != 50 {
			t.Error(f.distinct())
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(n int, in []sink.Item) sink.Report {
			if n == 0 {
				r := all(in, sink.Retry, sink.ReasonBusy)
				r.RetryAfter = 17 * time.Minute
				return r
			}
			return all(in, sink.Delivered, "")
		}}
		b := box(t, t.TempDir(), "f")
		fan := sink.NewFan(b, sink.NewRunner(sink.Options{Name: "f", Sink: f, Outbox: b}))
		defer start(t, fan)()
		if err := fan.Append(t.Context(), items(1, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := f.calls[1].at.Sub(f.calls[0].at); got != 17*time.Minute {
			t.Fatal(got)
		}
	})
}

// Requests that are refused as a whole are halved until what is bad in them is
// alone; only that becomes a dead letter.
func TestSplitFindsTheBadOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[string]bool{"alert-3": true, "alert-60": true}
		f := &fake{answer: func(_ int, in []sink.Item) sink.Report {
			for _, item := range in {
				if bad[item.ID] {
					return all(in, sink.Split, sink.ReasonRefused)
				}
			}
			return all(in, sink.Delivered, "")
		}}
		dead := &deadLetters{Outbox: box(t, t.TempDir(), "f")}
		fan := sink.NewFan(dead, sink.NewRunner(sink.Options{Name: "f", Sink: f, Outbox: dead}))
		defer start(t, fan)()
		if err := fan.Append(t.Context(), items(1, 64)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f.distinct() != 62 || len(dead.letters) != 2 {
			t.Fatal(f.distinct(), dead.letters)
		}
		for _, d := range dead.letters {
			if !bad[d.ID] || d.Reason != sink.ReasonRefused {
				t.Errorf("%s: %s", d.ID, d.Reason)
			}
		}
	})
}

// deadLetters sees what is given up.
type deadLetters struct {
	outbox.Outbox
	letters []outbox.Dead
}

func (d *deadLetters) Advance(ctx context.Context, reader string, to int64, dead []outbox.Dead) error {
	d.letters = append(d.letters, dead...)
	return d.Outbox.Advance(ctx, reader, to, dead)
}

func TestOneItemCannotHoldTheRestUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ int, in []sink.Item) sink.Report {
			r := all(in, sink.Delivered, "")
			for i := range in {
				if in[i].ID == "alert-1" {
					r.Outcomes[i] = sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonServer}
				}
			}
			return r
		}}
		dead := &deadLetters{Outbox: box(t, t.TempDir(), "f")}
		fan := sink.NewFan(dead, sink.NewRunner(sink.Options{Name: "f", Sink: f, Outbox: dead, Batch: 3}))
		defer start(t, fan)()
		for i := range 20 {
			if err := fan.Append(t.Context(), items(3*i+1, 3*i+3)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute) // it looks down while the poisoned one is alone
			synctest.Wait()
			if f.distinct() != 3*i+2 {
				t.Fatal("others wait for the poisoned one:", f.distinct())
			}
		}
		if len(dead.letters) != 1 || dead.letters[0].Reason != sink.ReasonOnlyThis || dead.letters[0].ID != "alert-1" {
			t.Fatal(dead.letters)
		}
	})
}

// The only item that waits looks as a receiver that is down: it is tried on.
func TestTheLastItemIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ int, in []sink.Item) sink.Report { return all(in, sink.Retry, sink.ReasonServer) }}
		dead := &deadLetters{Outbox: box(t, t.TempDir(), "f")}
		fan := sink.NewFan(dead, sink.NewRunner(sink.Options{Name: "f", Sink: f, Outbox: dead}))
		defer start(t, fan)()
		if err := fan.Append(t.Context(), items(1, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if len(dead.letters) != 0 || len(f.calls) < 1000 {
			t.Fatal(len(dead.letters), len(f.calls))
		}
	})
}

func TestWhatASinkDoesWrongLosesNothing(t *testing.T) {
	secret := fmt.Sprint(rand.Uint64(), "-", rand.Uint64())
	for name, wrong := range map[string]func(in []sink.Item) sink.Report{
		"panic":            func([]sink.Item) sink.Report { panic(secret) },
		"no outcomes":      func([]sink.Item) sink.Report { return sink.Report{} },
		"too few outcomes": func(in []sink.Item) sink.Report { return all(in[:1], sink.Retry, sink.ReasonProtocol) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				f := &fake{answer: func(n int, in []sink.Item) sink.Report {
					if n < 7 {
						return wrong(in)
					}
					return all(in, sink.Delivered, "")
				}}
				b := box(t, t.TempDir(), "f")
				fan := sink.NewFan(b, sink.NewRunner(sink.Options{
					Name: "f", Sink: f, Outbox: b, Log: slog.New(slog.NewTextHandler(&log, nil)),
				}))
				stop := start(t, fan)
				in := items(1, 9)
				in[3].Document = fmt.Appendf(nil, "{%q:1}", secret)
				if err := fan.Append(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				stop()
				if f.distinct() != 9 {
					t.Fatal(f.distinct())
				}
				if log.Len() == 0 || strings.Contains(log.String(), secret) {
					t.Fatalf("the log: %s", log.String())
				}
			})
		})
	}
}

// A sink that hangs is broken off after its timeout, and when leakveil stops.
func TestHangingSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &hanging{}
		b := box(t, t.TempDir(), "f")
		fan := sink.NewFan(b, sink.NewRunner(sink.Options{Name: "f", Sink: hangs, Outbox: b, Timeout: 10 * time.Second, Draw: half}))
		stop := start(t, fan)
		if err := fan.Append(t.Context(), items(1, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if hangs.ended != 1 {
			t.Fatal(hangs.ended)
		}
		time.Sleep(time.Second)
		before := time.Now()
		stop()
		if took := time.Since(before); took > 5*time.Second {
			t.Fatal("stopping took", took)
		}
	})
}

type hanging struct{ ended int }

func (h *hanging) Send(ctx context.Context, in []sink.Item) sink.Report {
	<-ctx.Done()
	h.ended++
	return all(in, sink.Retry, sink.ReasonTimeout)
}

func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := sink.Backoff{
			Min: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(r, "min")),
			Max: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(r, "max")),
		}
		n := rapid.IntRange(1, 1<<40).Draw(r, "n")
		after := time.Duration(rapid.Int64Range(-1, int64(400*24*time.Hour)).Draw(r, "after"))
		d := b.Delay(n, rapid.Float64Range(0, 0.999).Draw(r, "draw"), after)
		if d < b.Min/2 || d > max(b.Min, b.Max, time.Hour) || d < min(after, time.Hour) {
			r.Fatal(d)
		}
	})
}
