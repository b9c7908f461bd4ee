// Package notify decides when people hear of alerts: groups as Alertmanager's
// (group_wait, group_interval, repeat_interval), maintenance windows, synthetic
// traffic, rates with a digest of what they held back, and the severity of what
// leaked. Everything is a function of what it is given and of the time it is
// told; it reads no clock and does no I/O. Each decision has a name.
//
// The package must never lose an alert in silence: what is not notified is in a
// digest or in a count.
package notify

import "time"

// Reason names a decision.
type Reason string

// The reasons. The first three send.
const (
	First   Reason = "first"   // the group's first notification, group_wait is over
	Changed Reason = "changed" // something is new, group_interval is over
	Repeat  Reason = "repeat"  // nothing is new, repeat_interval is over

	GroupWait     Reason = "group_wait"     // more may come
	GroupInterval Reason = "group_interval" // the last notification is too near
	NothingNew    Reason = "nothing_new"
	Maintenance   Reason = "maintenance" // held until the window ends
	Settled       Reason = "settled"     // nothing is new, and nothing of it is open
)

// Timing is how often a group is notified.
type Timing struct {
	Wait     time.Duration // from the group's first alert to its first notification; 0: none
	Interval time.Duration // between looks at a group that was notified
	Repeat   time.Duration // until it is said again; 0: never
}

// Group is where a group stands.
type Group struct {
	Opened   time.Time // when its first alert came
	Looked   time.Time // when it was last decided to send or that nothing was new
	Notified time.Time // zero: never
	New      bool      // something came since
}

// Window is a time of maintenance, its end excluded.
type Window struct {
	From, Until time.Time
}

// Decision is what to do with a group now.
type Decision struct {
	Send   bool
	Reason Reason
	// Next is when to decide again if nothing comes; zero: only then.
	Next time.Time
}

// Decide says whether a group is notified at now.
func Decide(t Timing, g Group, windows []Window, now time.Time) Decision {
	d := decide(t, g, now)
	if !d.Send {
		return d
	}
	if end := maintained(windows, now); !end.IsZero() {
		return Decision{Reason: Maintenance, Next: end}
	}
	return d
}

func decide(t Timing, g Group, now time.Time) Decision {
	if g.Notified.IsZero() {
		if at := g.Opened.Add(t.Wait); now.Before(at) {
			return Decision{Reason: GroupWait, Next: at}
		}
		return Decision{Send: true, Reason: First}
	}
	if at := g.Looked.Add(t.Interval); now.Before(at) {
		if !g.New {
			return Decision{Reason: NothingNew, Next: repeatAt(t, g)}
		}
		return Decision{Reason: GroupInterval, Next: at}
	}
	if g.New {
		return Decision{Send: true, Reason: Changed}
	}
	if at := repeatAt(t, g); at.IsZero() || now.Before(at) {
		return Decision{Reason: NothingNew, Next: at}
	}
	return Decision{Send: true, Reason: Repeat}
}

// repeatAt is when a group is said again; zero: never.
func repeatAt(t Timing, g Group) time.Time {
	if t.Repeat <= 0 {
		return time.Time{}
	}
	at := g.Notified.Add(t.Repeat)
	if look := g.Looked.Add(t.Interval); at.Before(look) {
		return look
	}
	return at
}

// maintained returns the end of the windows that now is in; zero: in none.
func maintained(windows []Window, now time.Time) (end time.Time) {
	for at := now; ; at = end { // one may begin where another ends
		later := end
		for _, w := range windows {
			if !at.Before(w.From) && at.Before(w.Until) && w.Until.After(later) {
				later = w.Until
			}
		}
		if later.Equal(end) {
			return end
		}
		end = later
	}
}
