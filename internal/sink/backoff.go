package sink

import "time"

// Backoff says how long to wait before an attempt. Delays double from Min to
// Max; of each, half is fixed and half is drawn, so that instances that failed
// together do not come back together.
type Backoff struct {
	Min, Max time.Duration
}

// Defaults of Backoff.
const (
	DefaultMinDelay = time.Second
	DefaultMaxDelay = 2 * time.Minute
	// maxRetryAfter bounds what a receiver may ask for: a wrong header must not
	// silence alerts for a year.
	maxRetryAfter = time.Hour
)

func (b Backoff) withDefaults() Backoff {
	if b.Min <= 0 {
		b.Min = DefaultMinDelay
	}
	if b.Max <= 0 {
		b.Max = DefaultMaxDelay
	}
	b.Max = max(b.Max, b.Min)
	return b
}

// Delay returns the wait before attempt n (1 is the first one after a failure).
// draw is in [0, 1). It is never shorter than after, which is what the receiver
// asked for, but for at most an hour.
func (b Backoff) Delay(n int, draw float64, after time.Duration) time.Duration {
	b = b.withDefaults()
	d := b.Min
	for i := 1; i < n && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return max(d/2+time.Duration(draw*float64(d/2)), min(after, maxRetryAfter))
}

// breaker says whether a receiver is taken for dead. It opens after limit
// failures in a row; while it is open, one item is sent at a time, to find out.
type breaker struct {
	limit    int
	failures int
}

func (b *breaker) open() bool { return b.failures >= b.limit }

// failed counts one failure and reports whether it has opened the breaker.
func (b *breaker) failed() bool {
	b.failures++
	return b.failures == b.limit
}

// succeeded reports whether the breaker was open.
func (b *breaker) succeeded() bool {
	was := b.open()
	b.failures = 0
	return was
}
