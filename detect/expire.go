package detect

import "errors"

// ErrExpired says that a scan took longer than it may. Nothing of its batch counts
// as scanned.
var ErrExpired = errors.New("detect: the time for this batch is over")

// ErrTooMany says that a batch holds more values than maxFindings. Nothing of it
// counts as scanned.
var ErrTooMany = errors.New("detect: too many values in one batch")

// maxFindings bounds the memory that one record of nothing but values can take: a
// finding with its client and mask takes some two kilobytes on its way. A batch of
// ordinary size cannot hold so many.
const maxFindings = 1 << 17

// eventsPerCheck is how many events are confirmed between two looks at the clock:
// a look costs as much as one event, and an event is microseconds.
const eventsPerCheck = 64

// GiveUpWhen makes Scan return ErrExpired once over reports true; nil: never. It is
// asked by the goroutine that scans, between windows of the engine and every few
// events. A goroutine cannot be stopped from outside, so the scanner has to ask.
func (s *Scanner) GiveUpWhen(over func() bool) { s.over = over }

func (s *Scanner) expired() bool { return s.over != nil && s.over() }
