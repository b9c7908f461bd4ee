package app

import "time"

// counts is what the processor tells the metrics.
type counts interface {
	delivered
	BatchDone(d time.Duration)
}

// delivered is what counts once its records are delivered.
type delivered interface {
	Findings(kind, action string, n int64)
	Withheld(reason string, n int64)
	Dropped(n int64)
	DeadLetters(reason string, n int64)
	Detections(confidence, how string, n int64)
	Payloads(encoding, became string, n int64)
}

// later keeps what is counted until the records are delivered: those that are read
// again after a failure count once.
type later []func(delivered)

func (l *later) add(count func(delivered)) { *l = append(*l, count) }

// to gives what tells everything to c.
func (l *later) to(c delivered) func() {
	return func() {
		for _, count := range *l {
			count(c)
		}
	}
}

// Findings is as of delivered, and so are the others.
func (l *later) Findings(kind, action string, n int64) {
	l.add(func(c delivered) { c.Findings(kind, action, n) })
}

// Withheld see delivered.
func (l *later) Withheld(reason string, n int64) { l.add(func(c delivered) { c.Withheld(reason, n) }) }

// Dropped see delivered.
func (l *later) Dropped(n int64) { l.add(func(c delivered) { c.Dropped(n) }) }

// DeadLetters see delivered.
func (l *later) DeadLetters(reason string, n int64) {
	l.add(func(c delivered) { c.DeadLetters(reason, n) })
}

// Detections see delivered.
func (l *later) Detections(confidence, how string, n int64) {
	l.add(func(c delivered) { c.Detections(confidence, how, n) })
}

// Payloads see delivered.
func (l *later) Payloads(encoding, became string, n int64) {
	l.add(func(c delivered) { c.Payloads(encoding, became, n) })
}
