package sink_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/sink"
)

// flaky is an outbox that sometimes fails.
type flaky struct {
	outbox.Outbox
	chance float64
	random *rand.Rand
}

var errFlaky = errors.New("disk")

func (f *flaky) Read(ctx context.Context, after int64, limit, max int) ([]outbox.Entry, error) {
	if f.random.Float64() < f.chance {
		return nil, errFlaky
	}
	return f.Outbox.Read(ctx, after, limit, max)
}

func (f *flaky) Advance(ctx context.Context, reader string, to int64, dead []outbox.Dead) error {
	if f.random.Float64() < f.chance {
		return errFlaky
	}
	return f.Outbox.Advance(ctx, reader, to, dead)
}

// Whatever receiver and disk do, and however often the process is stopped, every
// item is delivered or, where the receiver refuses it, a dead letter.
func TestNothingIsLost(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func chaos(t *testing.T, random *rand.Rand) {
	const n = 120
	own := rand.New(rand.NewPCG(random.Uint64(), 2)) // this goroutine's, the other is the runner's
	dir := t.TempDir()
	refused := func(id string) bool { return strings.HasSuffix(id, "7") }
	f := &fake{answer: func(_ int, in []sink.Item) sink.Report {
		if kind := random.IntN(10); kind < 3 {
			return all(in, sink.Retry, sink.ReasonBusy)
		} else if kind == 3 {
			return all(in, sink.Split, sink.ReasonTooLarge)
		}
		r := all(in, sink.Delivered, "")
		for i := range in {
			if refused(in[i].ID) {
				r.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonRefused}
			} else if random.IntN(10) == 0 {
				r.Outcomes[i] = sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}
			}
		}
		return r
	}}
	dead := map[string]bool{}
	for run := 0; run <= 6; run++ {
		letters := &deadLetters{Outbox: box(t, dir, "f")}
		fan := sink.NewFan(letters, sink.NewRunner(sink.Options{
			Name: "f", Sink: f, Outbox: &flaky{letters, 0.1, random}, Batch: 1 + own.IntN(40),
		}))
		stop := start(t, fan)
		if run < 6 {
			if err := fan.Append(t.Context(), items(run*n/6+1, (run+1)*n/6)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(own.IntN(20)) * time.Second)
		} else {
			time.Sleep(2 * time.Hour)
		}
		stop()
		for _, d := range letters.letters {
			dead[d.ID] = true
		}
	}
	for _, item := range items(1, n) {
		switch {
		case refused(item.ID) && !dead[item.ID]:
			t.Errorf("%s is neither taken nor a dead letter", item.ID)
		case !refused(item.ID) && f.got[item.ID] == 0 && !dead[item.ID]:
			t.Errorf("%s is lost", item.ID)
		}
	}
}
