package kafka

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes in memory. Three pools are always taken in the same
// order, so that nobody waits for somebody who waits for him: fetched sets, then
// the decoded and encoded bytes of what is processed, then the one place for a
// batch that decompresses beyond what its size promised.
type budget struct {
	fetch, work       *semaphore.Weighted
	maxFetch, maxWork int64
	large             chan struct{}
	limits            [classes]int // decompressed bytes by class
	used              atomic.Int64 // of all three
}

// The classes of a decoder: what a batch may decompress to.
const (
	small = iota
	medium
	large
	classes
)

const (
	smallBatch  = 512 << 10
	mediumBatch = 8 << 20
	// gatherBytes is how many decoded bytes small batches are gathered to.
	gatherBytes = 1 << 20
)

// newBudget splits total: a quarter for fetched bytes, a quarter for work, a half
// for the one large batch (decoded and encoded again).
func newBudget(total int64, maxDecompressed int) *budget {
	b := &budget{maxFetch: total / 4, maxWork: total / 4, large: make(chan struct{}, 1)}
	b.fetch, b.work = semaphore.NewWeighted(b.maxFetch), semaphore.NewWeighted(b.maxWork)
	b.limits[large] = min(maxDecompressed, int(total/4))
	b.limits[medium] = min(mediumBatch, b.limits[large], int(total/16))
	b.limits[small] = min(smallBatch, b.limits[medium])
	return b
}

// classFor guesses the class of a batch of size bytes on the wire. A wrong guess
// costs a second try.
func (b *budget) classFor(size int, compressed bool) int {
	if compressed {
		size *= 8
	}
	switch {
	case size <= b.limits[small]:
		return small
	case size <= b.limits[medium]:
		return medium
	}
	if compressed && size/8 <= b.limits[medium] {
		return medium
	}
	return large
}

// takeWork waits for the memory that a class needs, twice its limit: decoded and
// encoded. The function gives it back.
func (b *budget) takeWork(ctx context.Context, class int) (func(), error) {
	if class == large {
		n := 2 * int64(b.limits[large])
		select {
		case b.large <- struct{}{}:
			b.used.Add(n)
			return func() { b.used.Add(-n); <-b.large }, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	n := min(2*int64(b.limits[class]+gatherBytes), b.maxWork)
	if err := b.work.Acquire(ctx, n); err != nil {
		return nil, err
	}
	b.used.Add(n)
	return func() { b.used.Add(-n); b.work.Release(n) }, nil
}

// fetchable is how many bytes a fetch may ask for, headroom left out.
func (b *budget) fetchable() int { return int(b.maxFetch) - fetchHeadroom }

// leastFetch is what a partition asks for however many there are.
const leastFetch = 64 << 10

// share is how many bytes each of some partitions may ask for at most, so that all
// of them can wait for new records at once: those of which none come would keep
// the others waiting.
func (b *budget) share(partitions, most int) int {
	return min(most, max(leastFetch, int(b.maxFetch)/max(1, partitions)-fetchHeadroom))
}

// takeFetch waits for n bytes and the headroom.
func (b *budget) takeFetch(ctx context.Context, n int) (*reservation, error) {
	r := &reservation{budget: b, n: int64(n + fetchHeadroom)}
	if err := b.fetch.Acquire(ctx, r.n); err != nil {
		return nil, err
	}
	b.used.Add(r.n)
	return r, nil
}

// reservation is a part of the pool of fetched bytes.
type reservation struct {
	budget *budget
	n      int64
}

// shrink gives back all but n bytes.
func (r *reservation) shrink(n int) {
	if rest := r.n - int64(n); rest > 0 {
		r.budget.used.Add(-rest)
		r.budget.fetch.Release(rest)
		r.n = int64(n)
	}
}

func (r *reservation) release() {
	if r != nil {
		r.shrink(0)
	}
}
