package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Defaults of Options.
const (
	DefaultBatch      = 200
	DefaultBatchBytes = 1 << 20
	DefaultTimeout    = 30 * time.Second
	DefaultBreakAfter = 5
	// DefaultGrace is how long a Send that is under way may go on when the Runner is told
	// to stop: a receiver without memory would get its items twice.
	DefaultGrace = 5 * time.Second
	// maxAlone is how often an item may fail while the receiver takes others of the
	// same Send; then it is a dead letter.
	maxAlone = 10
)

// Options configure a Runner.
type Options struct {
	// Name is the reader's name in the outbox, and the sink's in logs and metrics.
	Name   string
	Sink   Sink
	Outbox outbox.Outbox
	// Batch and BatchBytes bound one Send; 0: the defaults.
	Batch, BatchBytes int
	// Timeout bounds one Send; 0: DefaultTimeout.
	Timeout time.Duration
	// Grace is how long a Send under way may go on when Run is told to end; 0: five
	// seconds, below 0: not at all.
	Grace   time.Duration
	Backoff Backoff
	// BreakAfter is the number of failures in a row after which the receiver is
	// taken for dead; 0: DefaultBreakAfter.
	BreakAfter int
	// Observe is told of every Send; may be nil.
	Observe func(Observation)
	Log     *slog.Logger
	// Draw gives numbers in [0, 1) for jitter; nil: random ones.
	Draw func() float64
}

// Observation is what one Send came to, for metrics.
type Observation struct {
	Sink      string
	Delivered int
	Rejected  int
	Retried   int
	// Reason is that of the last item that was not delivered.
	Reason string
	Took   time.Duration
}

// State is how a sink does.
type State struct {
	Name string
	// Broken is true when the receiver is taken for dead.
	Broken bool
	// Reason is why the last Send failed; empty when it did not.
	Reason string
	// Since is when the last Send succeeded, or the Runner began.
	Since time.Time
	// Failing is when the receiver began to take nothing; zero: it took something of
	// the last Send.
	Failing time.Time
}

// Runner carries an outbox's entries to one sink, from its own cursor.
type Runner struct {
	o       Options
	wake    chan struct{}
	breaker breaker

	mu    sync.Mutex
	state State
}

// NewRunner returns a Runner; call Run.
func NewRunner(o Options) *Runner {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&o.Batch, DefaultBatch)
	set(&o.BatchBytes, DefaultBatchBytes)
	set(&o.BreakAfter, DefaultBreakAfter)
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Draw == nil {
		o.Draw = rand.Float64
	}
	return &Runner{
		o: o, wake: make(chan struct{}, 1), breaker: breaker{limit: o.BreakAfter},
		state: State{Name: o.Name, Since: time.Now()},
	}
}

// Wake says that the outbox has something new.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// State returns how the sink does. It may be called at any time.
func (r *Runner) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Run delivers until ctx ends, and then for at most Options.Grace more what is on
// its way. What was not acknowledged by then is sent again by the next Run.
func (r *Runner) Run(ctx context.Context) error {
	at, err := r.o.Outbox.Cursor(ctx, r.o.Name)
	if err != nil {
		return fmt.Errorf("sink %s: %w", r.o.Name, err)
	}
	w := window{read: at, cursor: at}
	for ctx.Err() == nil {
		if err := r.fill(ctx, &w); err != nil {
			r.trouble(ctx, &w, "the outbox cannot be read, it is tried again", err)
			continue
		}
		if len(w.queue) == 0 {
			select {
			case <-r.wake:
			case <-ctx.Done():
			}
			continue
		}
		wait := r.step(ctx, &w)
		for r.advance(ctx, &w) != nil && ctx.Err() == nil { // it must not be sent again for that
			r.sleep(ctx, r.o.Backoff.Delay(w.attempt, r.o.Draw(), 0))
		}
		r.sleep(ctx, wait)
	}
	return nil
}

func (r *Runner) fill(ctx context.Context, w *window) error {
	room := r.o.Batch - len(w.queue)
	if room <= 0 {
		return nil
	}
	entries, err := r.o.Outbox.Read(ctx, w.read, room, r.o.BatchBytes)
	if err != nil {
		return err
	}
	for _, e := range entries {
		w.queue, w.read = append(w.queue, pending{Entry: e}), e.Seq
	}
	return nil
}

// trouble says what is wrong with the outbox and waits.
func (r *Runner) trouble(ctx context.Context, w *window, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	w.attempt++
	r.o.Log.Warn(what, "sink", r.o.Name, "error", err)
	r.sleep(ctx, r.o.Backoff.Delay(w.attempt, r.o.Draw(), 0))
}

// advance stores how far the window is done, and its dead letters.
func (r *Runner) advance(ctx context.Context, w *window) error {
	done := w.done()
	if done <= w.cursor && len(w.dead) == 0 {
		return nil
	}
	if err := r.o.Outbox.Advance(context.WithoutCancel(ctx), r.o.Name, done, w.dead); err != nil {
		w.attempt++
		r.o.Log.Warn("what is delivered cannot be noted, it is tried again", "sink", r.o.Name, "error", err)
		return err
	}
	w.cursor, w.dead = max(done, w.cursor), nil
	return nil
}

// step sends once and returns how long to wait before the next time.
func (r *Runner) step(ctx context.Context, w *window) time.Duration {
	n := w.size(r.o.Batch, r.o.BatchBytes)
	if r.breaker.open() {
		n = 1
	}
	report := r.send(ctx, w.queue[:n])
	after := r.sort(w.queue[:n], report)
	w.dead = append(w.dead, after.dead...)
	w.queue = append(w.queue[n:len(w.queue):len(w.queue)], after.left...) // a probe is not always the same one
	switch {
	case after.split:
		w.limit = max(1, n/2)
		w.queue = append(after.left, w.queue[:len(w.queue)-len(after.left)]...)
		return 0
	case len(after.left) == 0:
		w.attempt = 0
		if w.limit > 0 { // back to whole batches step by step
			w.limit *= 2
		}
		return 0
	case after.passed:
		w.attempt = min(w.attempt+1, 3) // others need not wait long for these
	default:
		w.attempt++
	}
	return r.o.Backoff.Delay(w.attempt, r.o.Draw(), report.RetryAfter)
}

// send calls the sink, bounded in time and safe from its panics.
func (r *Runner) send(ctx context.Context, queue []pending) (report Report) {
	items := make([]Item, len(queue))
	for i := range queue {
		items[i] = Item{ID: queue[i].ID, Document: queue[i].Data}
	}
	stop := ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Timeout)
	defer cancel()
	go func() {
		select {
		case <-stop:
			r.sleep(ctx, r.o.Grace)
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() {
		if recover() != nil { // its value may hold a document
			report = All(len(items), Outcome{Retry, reasonPanic})
		}
	}()
	return r.o.Sink.Send(ctx, items)
}

// sorted is what a Send came to.
type sorted struct {
	left   []pending
	dead   []outbox.Dead
	split  bool
	passed bool // some items are done with
}

// sort takes a report apart and tells breaker, state, metrics and log.
func (r *Runner) sort(queue []pending, report Report) (out sorted) {
	seen := Observation{Sink: r.o.Name}
	for i := range queue {
		var o Outcome
		if i < len(report.Outcomes) {
			o = report.Outcomes[i]
		}
		if o.Verdict == Split {
			if len(queue) > 1 {
				out.split = true
			} else {
				o.Verdict = Reject
			}
		}
		switch o.Verdict {
		case Delivered:
			seen.Delivered++
			continue
		case Reject:
			seen.Rejected++
			out.dead = append(out.dead, outbox.Dead{Entry: queue[i].Entry, Reason: o.Reason})
		default:
			seen.Retried++
			if o.Reason == ReasonBusy {
				queue[i].alone = -1 // to be asked to wait is no refusal
			}
			out.left = append(out.left, queue[i])
		}
		seen.Reason = o.Reason
	}
	if out.passed = seen.Delivered+seen.Rejected > 0; out.passed {
		r.giveUp(&out, &seen)
	}
	r.note(seen, out.split)
	return out
}

// giveUp makes dead letters of items that failed too often while others passed.
func (r *Runner) giveUp(out *sorted, seen *Observation) {
	left := out.left[:0]
	for _, p := range out.left {
		if p.alone++; p.alone <= maxAlone {
			left = append(left, p)
			continue
		}
		seen.Retried--
		seen.Rejected++
		out.dead = append(out.dead, outbox.Dead{Entry: p.Entry, Reason: ReasonOnlyThis})
	}
	out.left = left
}

// note keeps what a Send came to.
func (r *Runner) note(seen Observation, split bool) {
	lives := seen.Delivered+seen.Rejected > 0 || split
	opened, closed := false, false
	if lives {
		closed = r.breaker.succeeded()
	} else {
		opened = r.breaker.failed()
	}
	r.mu.Lock()
	r.state.Broken, r.state.Reason = r.breaker.open(), seen.Reason
	if lives {
		r.state.Since, r.state.Failing = time.Now(), time.Time{}
	} else if r.state.Failing.IsZero() {
		r.state.Failing = time.Now()
	}
	r.mu.Unlock()
	r.o.Observe(seen)
	switch {
	case opened:
		r.o.Log.Error("a sink takes nothing; it is tried on, and what is for it is kept", "sink", r.o.Name, "reason", seen.Reason)
	case closed:
		r.o.Log.Info("a sink takes documents again", "sink", r.o.Name)
	case !lives && r.breaker.failures == 1:
		r.o.Log.Warn("a sink did not take documents, they are tried again", "sink", r.o.Name, "reason", seen.Reason)
	}
	if seen.Rejected > 0 {
		r.o.Log.Error("documents were refused for good; they are kept as dead letters", "sink", r.o.Name, "documents", seen.Rejected, "reason", seen.Reason)
	}
}

func (r *Runner) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Close closes the sink if it has something to close.
func (r *Runner) Close() error {
	if c, ok := r.o.Sink.(Closer); ok {
		if err := c.Close(); err != nil {
			return errors.New("sink " + r.o.Name + ": close failed")
		}
	}
	return nil
}
