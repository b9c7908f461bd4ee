package alert

import (
	"container/heap"
	"container/list"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

// Config sets a Fold up. Zero durations and numbers mean the defaults.
type Config struct {
	// Key makes the alerts' ids; at least 16 bytes. All members use the same one.
	Key []byte
	// Older are keys that signed before, by the id that detections tell: an alert that was
	// opened under one keeps its id when another signs.
	Older map[string][]byte
	// Window is the stretch of event time of one alert, aligned to the epoch; 5 minutes.
	Window time.Duration
	// Interval is the least time between two updates of one alert; 1 minute.
	Interval time.Duration
	// Idle is the log time (Add's written) without a detection after which an
	// alert closes; 10 minutes.
	Idle time.Duration
	// MaxGroups bounds the open alerts; the longest untouched closes; 16,384.
	MaxGroups int
	// MaxSpan, when above 0, closes all alerts whenever positions pass a multiple of it.
	// It bounds how much of the log has to be kept for a replay.
	MaxSpan int64
	// MaxSeen is how many detections back a repeated one is recognized; 262,144.
	MaxSeen int
	// Now is the clock that spaces updates; time.Now.
	Now func() time.Time
}

func (c *Config) setDefaults() {
	c.Window = positive(c.Window, 5*time.Minute)
	c.Interval = positive(c.Interval, time.Minute)
	c.Idle = positive(c.Idle, 10*time.Minute)
	c.MaxGroups = positive(c.MaxGroups, 1<<14)
	c.MaxSeen = positive(c.MaxSeen, 1<<18)
	if c.Now == nil {
		c.Now = time.Now
	}
}

func positive[T int | time.Duration](value, fallback T) T {
	if value == 0 {
		return fallback
	}
	return value
}

// Fold turns the detections of one log (a partition of a topic, or a file) into
// alerts. What an alert says depends on the log alone: when it opens, what it
// counts and when it closes are functions of the detections between its first
// and its last position, so that a replay gives it again. A Fold is not safe for
// concurrent use.
type Fold struct {
	config  Config
	open    map[instanceKey]*instance
	touched *list.List // of *instance, the longest untouched first
	idle    idleHeap
	seen    seen
	closed  []Alert    // final updates to hand out
	dirty   *list.List // of *instance: changed since last handed out
	quiet   int64      // positions below are replayed: nothing they close is handed out
	next    int64      // the position behind the last one added
}

type instanceKey struct {
	group group
	start int64 // of the window, Unix milliseconds
}

// instance is one open alert.
type instance struct {
	key      instanceKey
	alert    Alert
	first    int64 // position
	deadline time.Time
	sent     int64     // the last sequence number handed out
	sentAt   time.Time // by the clock
	touched  *list.Element
	dirty    *list.Element // nil when all is handed out
	index    int           // in the heap
}

// NewFold returns an empty Fold.
func NewFold(c Config) (*Fold, error) {
	c.setDefaults()
	switch {
	case len(c.Key) < 16:
		return nil, errors.New("alert: fold needs a key of at least 16 bytes")
	case c.Window < time.Second || c.Window%time.Millisecond != 0 || c.Interval < 0 || c.Idle < 0 || c.MaxGroups < 0 || c.MaxSeen < 0 || c.MaxSpan < 0:
		return nil, fmt.Errorf("alert: fold needs a window of at least 1s in whole milliseconds and no negative bound "+
			"(window %s, interval %s, idle %s, groups %d, seen %d)",
			c.Window, c.Interval, c.Idle, c.MaxGroups, c.MaxSeen)
	}
	return &Fold{
		config: c, open: map[instanceKey]*instance{}, touched: list.New(), dirty: list.New(),
		seen: newSeen(c.MaxSeen),
	}, nil
}

// Resume tells a new Fold that the positions below next are replayed (see
// Checkpoint): they rebuild state, and what closes among them is not handed out
// again. Alerts still open at next are handed out once more.
func (f *Fold) Resume(next int64) { f.quiet = next }

// Add folds the detection at position pos of the log, written there at written
// (event.created). Positions must rise. It reports whether d was new; a
// detection whose id is in the open alert already changes nothing.
func (f *Fold) Add(pos int64, written time.Time, d event.Detection) bool {
	written = cleanTime(written, time.Time{})
	d = Clean(d, written)
	f.closeSpan(pos)
	f.next = pos + 1
	f.closeIdle(pos, written)
	key := instanceKey{groupOf(d), d.Time.UnixMilli()}
	key.start -= key.start % f.config.Window.Milliseconds() // times are 1970 or later
	in := f.open[key]
	if in == nil {
		in = f.openInstance(pos, key, d)
	}
	f.touch(in, written)
	if !f.seen.add(d.ID, in.first) {
		return false
	}
	in.alert.include(d, written)
	if in.dirty == nil {
		in.dirty = f.dirty.PushBack(in)
	}
	return true
}

// openInstance makes room for, and registers, the alert that d opens.
func (f *Fold) openInstance(pos int64, key instanceKey, d event.Detection) *instance {
	if len(f.open) >= f.config.MaxGroups {
		f.close(pos, f.touched.Front().Value.(*instance))
	}
	start := time.UnixMilli(key.start).UTC()
	secret := f.config.Key
	if older := f.config.Older[d.KeyID]; older != nil {
		secret = older
	}
	id := groupID(secret, key.group, key.start)
	in := &instance{key: key, first: pos, alert: Alert{
		ID: alertID(secret, id, d.ID, pos), GroupID: id,
		WindowStart: start, WindowEnd: start.Add(f.config.Window),
	}}
	f.open[key] = in
	in.touched = f.touched.PushBack(in)
	heap.Push(&f.idle, in)
	return in
}

// touch keeps in open for another idle time.
func (f *Fold) touch(in *instance, written time.Time) {
	in.deadline = written.Add(f.config.Idle)
	heap.Fix(&f.idle, in.index)
	f.touched.MoveToBack(in.touched)
}

// closeIdle closes every alert whose idle time has passed at written. Only the
// alert's own last writing time counts, so that one writer's wrong clock moves
// nothing but what it touches.
func (f *Fold) closeIdle(pos int64, written time.Time) {
	for len(f.idle) > 0 && !f.idle[0].deadline.After(written) {
		f.close(pos, f.idle[0])
	}
}

// closeSpan closes every alert when pos is in another span than the position before it.
// That this depends on positions alone, and not on when an alert began, makes a replay
// from anywhere close the same ones.
func (f *Fold) closeSpan(pos int64) {
	if span := f.config.MaxSpan; span == 0 || f.next == 0 || pos/span == (f.next-1)/span {
		return
	}
	for f.touched.Len() > 0 {
		f.close(pos, f.touched.Front().Value.(*instance))
	}
}

// close forgets in, and keeps its last update unless that was handed out, or the
// position that closes it is replayed.
func (f *Fold) close(pos int64, in *instance) {
	delete(f.open, in.key)
	f.touched.Remove(in.touched)
	heap.Remove(&f.idle, in.index)
	if in.dirty != nil {
		f.dirty.Remove(in.dirty)
	}
	if in.sent < in.alert.Sequence && pos >= f.quiet {
		f.closed = append(f.closed, in.alert)
	}
}

// Changed returns the alerts to hand out now: an alert's first state at once,
// later ones when Config.Interval has passed since the last, and the last one
// when it closes. Call it after each batch of Adds, since closed alerts wait for
// it in memory, and about once a second in between. While positions below Resume's are replayed it returns none.
func (f *Fold) Changed() []Alert { return f.take(false) }

// Flush returns every alert changed since it was last handed out.
func (f *Fold) Flush() []Alert { return f.take(true) }

func (f *Fold) take(all bool) []Alert {
	if f.next < f.quiet {
		return nil
	}
	now := f.config.Now()
	out := f.closed
	f.closed = nil
	var following *list.Element
	for e := f.dirty.Front(); e != nil; e = following {
		following = e.Next()
		in := e.Value.(*instance)
		if !all && in.sent > 0 && now.Sub(in.sentAt) < f.config.Interval {
			continue
		}
		f.dirty.Remove(e)
		in.sent, in.sentAt, in.dirty = in.alert.Sequence, now, nil
		out = append(out, in.alert.copy())
	}
	return out
}

// Open returns the number of open alerts.
func (f *Fold) Open() int { return len(f.open) }
