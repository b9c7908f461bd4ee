package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// partitionRun reads one partition for one generation.
type partitionRun struct {
	source  *Source
	fetcher *fetcher
	place   place
	marks   *watermarks
	member  *membership // nil: taken for granted
	pos     int64       // the first offset that is not delivered
	usual   int         // bytes that a fetch asks for
	want    int         // the same, unless something is too large
	room    int         // bytes that its answer may have

	decoders [classes][]*recordbatch.Decoder
	records  []recordbatch.Record
	failed   attempts // at a bad batch
	beyond   attempts // at an offset behind the log's end
}

// attempts counts how often something failed at the same offset.
type attempts struct {
	at int64
	n  int
}

func (a *attempts) count(at int64) int {
	if a.at != at {
		*a = attempts{at: at}
	}
	a.n++
	return a.n
}

// haltError stops a partition until the next generation.
type haltError struct{ reason string }

func (e *haltError) Error() string { return e.reason }

// errOutOfRange: the broker does not have the offset that is asked for.
var errOutOfRange = errors.New("offset out of range")

// partition reads at until fetching ends; units in flight go on until working
// ends. start is an offset, or kafka-go's first or last; usual is how many bytes a
// fetch asks for.
func (s *Source) partition(fetching, working context.Context, at place, start int64, usual int, marks *watermarks, member *membership) {
	if d, ok := s.opts.Deliverer.(interface{ Release(string, int32) }); ok {
		defer d.Release(at.topic, at.partition)
	}
	if released := s.opts.Hooks.OnReleased; released != nil {
		defer released(at.topic, at.partition)
	}
	r := &partitionRun{
		source: s, place: at, marks: marks, member: member, usual: usual, want: usual, room: usual,
		fetcher: &fetcher{client: s.client, place: at, wait: s.opts.FetchWait, timeout: s.opts.RequestTimeout},
		failed:  attempts{at: -1}, beyond: attempts{at: -1},
	}
	wait := newBackoff(s.opts.MaxBackoff)
	for {
		err := r.begin(fetching, start)
		if err == nil {
			break
		}
		if !s.retried(fetching, at, wait, err) {
			return
		}
	}
	for fetching.Err() == nil {
		before := r.pos
		err := r.read(fetching, working)
		if errors.Is(err, errOutOfRange) {
			err = r.findRange(fetching)
		}
		if r.pos != before {
			wait.reset()
		}
		var halt *haltError
		switch {
		case errors.As(err, &halt):
			s.setStatus(func(st *Status) {
				st.Halted = append(st.Halted, Halt{at.topic, at.partition, halt.reason})
			})
			<-fetching.Done()
		case err != nil:
			s.retried(fetching, at, wait, err)
		}
	}
}

// begin finds the offset of a partition that has none committed.
func (r *partitionRun) begin(ctx context.Context, start int64) error {
	if start >= 0 {
		r.pos = start
		return nil
	}
	first, last, err := r.fetcher.bounds(ctx)
	if err != nil {
		return err
	}
	r.pos = first
	if start == kafkago.LastOffset {
		// Committed at once: after a crash before the first record, the end is
		// still where it was.
		r.advance(last)
	}
	return nil
}

func (r *partitionRun) advance(next int64) {
	r.pos = next
	if hold := r.source.opts.Hold; hold != nil {
		if next = hold(r.place.topic, r.place.partition, next); next < 0 {
			return
		}
	}
	r.marks.mark(r.place, next)
}

// findRange goes on at the log's start when the wanted records are gone, and
// tells how many they were.
func (r *partitionRun) findRange(ctx context.Context) error {
	const patience = 5 // a new leader may lag behind for a moment
	first, last, err := r.fetcher.bounds(ctx)
	if err != nil {
		return err
	}
	if r.pos >= first && (r.pos <= last || r.beyond.count(r.pos) < patience) {
		return fmt.Errorf("offset %d of a log from %d to %d: %w", r.pos, first, last, errOutOfRange)
	}
	o := &r.source.opts
	gap := Gap{Topic: r.place.topic, Partition: r.place.partition, From: r.pos, To: first}
	if o.Hooks.OnGap != nil {
		o.Hooks.OnGap(gap)
	}
	if o.HaltOnGap {
		return &haltError{fmt.Sprintf("records from offset %d on are gone, the log begins at %d", r.pos, first)}
	}
	r.advance(first)
	return nil
}

// answer is what one fetch brought, with the memory it holds.
type answer struct {
	fetched
	memory *reservation
	large  *tooLarge // instead of fetched: more than the budget can hold
}

// read fetches from pos on, one answer ahead, and handles the answers; until
// fetching ends (nil), something fails, or pos has to be asked for again (nil).
func (r *partitionRun) read(fetching, working context.Context) error {
	ctx, cancel := context.WithCancel(fetching)
	answers := make(chan answer)
	failure := make(chan error, 1)
	go func(pos int64) {
		failure <- r.fetchAhead(ctx, pos, answers)
		close(answers)
	}(r.pos)
	defer func() {
		cancel()
		for a := range answers {
			a.memory.release()
		}
	}()
	for a := range answers {
		err := r.handle(fetching, working, a)
		a.memory.release()
		if err != nil || fetching.Err() != nil {
			return err
		}
	}
	return <-failure
}

// fetchAhead sends answers until ctx ends, a fetch fails, or an answer has no
// whole batch, which the receiver has to judge first.
func (r *partitionRun) fetchAhead(ctx context.Context, pos int64, answers chan<- answer) error {
	for {
		a, err := r.fetchOne(ctx, pos)
		if ctx.Err() != nil {
			a.memory.release()
			return nil
		}
		if err != nil {
			a.memory.release()
			return err
		}
		end := endOfSet(a.Set, pos)
		stuck := a.large != nil || (len(a.Set) > 0 && end == pos)
		select {
		case answers <- a:
		case <-ctx.Done():
			a.memory.release()
			return nil
		}
		if stuck {
			return nil
		}
		pos = end
	}
}

// fetchOne asks again with more room when one batch alone needs it, and for less
// when the list of aborted transactions that comes with it is too long.
func (r *partitionRun) fetchOne(ctx context.Context, pos int64) (answer, error) {
	for {
		memory, err := r.source.budget.takeFetch(ctx, r.room)
		if err != nil {
			return answer{}, err
		}
		f, err := r.fetcher.fetch(ctx, pos, r.want, r.room)
		var large *tooLarge
		switch {
		case errors.Is(err, errFetchList) && r.want > 1:
			memory.release()
			r.want /= 2
			continue
		case errors.As(err, &large):
			memory.release()
			if large.size > r.source.budget.fetchable() {
				return answer{large: large}, nil
			}
			r.room = max(r.room, large.size)
			continue
		}
		a := answer{fetched: f, memory: memory}
		switch {
		case err != nil:
			return a, err
		case f.Code == int16(kafkago.OffsetOutOfRange):
			return a, errOutOfRange
		case f.Code != 0:
			return a, fmt.Errorf("fetch %s/%d: %w", r.place.topic, r.place.partition, kafkago.Error(f.Code))
		}
		memory.shrink(len(f.Set))
		r.asUsual(len(f.Set))
		return a, nil
	}
}

// asUsual goes back to the usual sizes behind what was too large: what one
// partition sets aside, the others have to wait for.
func (r *partitionRun) asUsual(size int) {
	r.want = min(2*r.want, r.usual)
	if size <= r.usual {
		r.room = r.usual
	}
}
