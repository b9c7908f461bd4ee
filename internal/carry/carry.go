// Package carry keeps what one stream holds between a line and the next: the value
// that the last line ended in and, for a short while, the masked text whose finding
// is not complete. It is plain data with a clock from outside: it starts no goroutine,
// reads and writes nothing, and must never hold text that was not masked, more of it
// than MaxBytes, or any of it for longer than MaxWait.
//
// The open value itself is kept for as long as the next line takes, since it holds
// no byte of a secret: what comes after the wait is still masked.
package carry

import (
	"time"

	"github.com/leakveil/leakveil/detect"
)

// Bounds of what is held back.
const (
	MaxWait  = 90 * time.Millisecond // and 10 at least for each line of a chain
	MaxBytes = 1 << 20
)

// Tail is the end of one stream.
type Tail struct {
	// Open is the value that the stream's last line ended in.
	Open detect.Open

	text    []byte
	since   time.Time
	holding bool
}

// Holding reports whether text is held back.
func (t *Tail) Holding() bool { return t.holding }

// Write holds masked text back. It never fails.
func (t *Tail) Write(masked []byte) (int, error) {
	t.text = append(t.text, masked...)
	return len(masked), nil
}

// Hold begins to hold text back, unless that has begun.
func (t *Tail) Hold(now time.Time) {
	if !t.holding {
		t.holding, t.since = true, now
	}
}

// Full reports whether what is held must be let go at once. Time alone is no reason
// when the next line is there.
func (t *Tail) Full() bool { return len(t.text) > MaxBytes }

// Wait is how long text may be held from now on.
func (t *Tail) Wait(now time.Time) time.Duration { return MaxWait - now.Sub(t.since) }

// Release returns the text that was held, valid until the next Write. The open value
// stays.
func (t *Tail) Release() []byte {
	text := t.text
	t.text, t.holding = t.text[:0], false
	return text
}
