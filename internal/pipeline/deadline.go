package pipeline

import (
	"errors"
	"time"

	"github.com/leakveil/leakveil/detect"
)

// DefaultTimeout is how long one batch may take. A megabyte takes milliseconds; who
// needs seconds has met an input that nobody thought of.
const DefaultTimeout = 10 * time.Second

// TimedOut tells whether a worker's error says that the time was over. Tried again
// alone, a record has the whole time for itself.
func TimedOut(err error) bool { return errors.Is(err, detect.ErrExpired) }

// deadline is the time for one batch. The work looks at it now and then, since a
// goroutine cannot be stopped from outside.
type deadline struct {
	timeout time.Duration
	now     func() time.Time
	start   time.Time
}

func newDeadline(o Options) deadline {
	d := deadline{timeout: o.Timeout, now: o.Now}
	if d.timeout <= 0 {
		d.timeout = DefaultTimeout
	}
	if d.now == nil {
		d.now = time.Now
	}
	return d
}

func (d *deadline) restart() { d.start = d.now() }

func (d *deadline) over() bool { return d.now().Sub(d.start) > d.timeout }

// check is over as an error.
func (d *deadline) check() error {
	if d.over() {
		return detect.ErrExpired
	}
	return nil
}

// findingsPerCheck is how many findings are attributed between two looks at the clock.
const findingsPerCheck = 16
