package sink

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Fan is an outbox with its runners: what is appended goes to every sink, each
// at its own pace.
type Fan struct {
	box     outbox.Outbox
	runners []*Runner
	tend    func(context.Context) error
}

// NewFan returns a Fan over runners that read box.
func NewFan(box outbox.Outbox, runners ...*Runner) *Fan { return &Fan{box: box, runners: runners} }

// Tend has Run run fn beside the runners: what adds to the outbox later.
func (f *Fan) Tend(fn func(context.Context) error) { f.tend = fn }

// Wake says that the outbox has something new.
func (f *Fan) Wake() {
	for _, r := range f.runners {
		r.Wake()
	}
}

// Append stores the items and returns when they are on disk; sending them goes
// on behind it. outbox.ErrFull means that nothing is stored and the caller holds
// its source back.
func (f *Fan) Append(ctx context.Context, items []Item) error {
	entries := make([]outbox.Entry, len(items))
	for i, item := range items {
		entries[i] = outbox.Entry{ID: item.ID, Data: item.Document}
	}
	if err := f.box.Append(ctx, entries); err != nil {
		return err
	}
	f.Wake()
	return nil
}

// Run delivers until ctx ends.
func (f *Fan) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, r := range f.runners {
		all.Go(func() error { return r.Run(ctx) })
	}
	if f.tend != nil {
		all.Go(func() error { return f.tend(ctx) })
	}
	return all.Wait()
}

// settleTick is how often Settle looks.
const settleTick = 10 * time.Millisecond

// Settle waits, until ctx ends at the latest, for the sinks to take what was appended.
// One whose receiver is taken for dead is not waited for.
func (f *Fan) Settle(ctx context.Context) {
	t := time.NewTicker(settleTick)
	defer t.Stop()
	for ctx.Err() == nil {
		waits := false
		for _, r := range f.runners {
			waits = waits || !r.State().Broken && outbox.Pending(ctx, f.box, r.o.Name) > 0
		}
		if !waits {
			return
		}
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}

// States returns how each sink does.
func (f *Fan) States() []State {
	out := make([]State, len(f.runners))
	for i, r := range f.runners {
		out[i] = r.State()
	}
	return out
}

// Close closes the sinks and the outbox; Run must have returned.
func (f *Fan) Close() error {
	var all []error
	for _, r := range f.runners {
		all = append(all, r.Close())
	}
	return errors.Join(append(all, f.box.Close())...)
}
