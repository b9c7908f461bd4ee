package notify

import (
	"cmp"
	"slices"
	"time"
)

// Alert is the state of an alert, as far as this package looks at it.
type Alert struct {
	// ID and Sequence are the alert's own; of one id the highest sequence counts.
	ID       string
	Sequence int64
	// Client, Region, Kind and Rule are the group, unless the configuration says
	// otherwise.
	Client, Region, Kind, Rule string
	Severity                   string
	// Synthetic marks traffic of tests: it is counted and not notified.
	Synthetic bool
}

// Notification is what people are told at once.
type Notification struct {
	Group  string
	Reason Reason
	// Alerts are the states that are new since the group's last notification; of a
	// repeat, those of the last one. Sorted by id.
	Alerts []Alert
	// Digest is set in the one notification of what was held back.
	Digest *Digest
}

// Config configures a Notifier.
type Config struct {
	Timing  Timing
	Windows []Window
	// Client and Global bound notifications; Digest is how often what was held back
	// is told (0: 1h).
	Client, Global Rate
	Digest         time.Duration
	// GroupBy gives an alert's group; nil: by client, region, kind and rule.
	GroupBy func(Alert) string
	// MaxGroups bounds the memory (0: 50,000). What would open one more goes to the
	// digest.
	MaxGroups int
	// Forget is how long a group without anything new is kept (0: a day).
	Forget time.Duration
}

// maxAlerts bounds what one notification lists.
const maxAlerts = 50

// Notifier holds the groups. It is a function of the calls made to it: the same
// ones with the same times give the same notifications.
type Notifier struct {
	c      Config
	groups map[string]*group
	limits *limiter
	held   digest
	// Synthetic counts alerts that were not notified for being synthetic.
	Synthetic int64
}

// group is a Group with its alerts.
type group struct {
	Group
	last   time.Time // when something new came
	client string
	fresh  map[string]Alert // since the last notification
	told   []Alert          // in it
	seen   map[string]int64 // sequences told, of told
}

// New returns a Notifier.
func New(c Config) *Notifier {
	c.Timing = c.Timing.WithDefaults()
	if c.Digest <= 0 {
		c.Digest = time.Hour
	}
	if c.GroupBy == nil {
		c.GroupBy = func(a Alert) string { return a.Client + "\x00" + a.Region + "\x00" + a.Kind + "\x00" + a.Rule }
	}
	if c.MaxGroups <= 0 {
		c.MaxGroups = 50_000
	}
	if c.Forget <= 0 {
		c.Forget = 24 * time.Hour
	}
	return &Notifier{c: c, groups: map[string]*group{}, limits: newLimiter(c.Client, c.Global)}
}

// Offer takes the state of an alert.
func (n *Notifier) Offer(a Alert, now time.Time) {
	if a.Synthetic {
		n.Synthetic++
		return
	}
	name := n.c.GroupBy(a)
	g := n.groups[name]
	if g == nil {
		if len(n.groups) >= n.c.MaxGroups {
			n.held.add(a, OverGroups, now)
			return
		}
		g = &group{Group: Group{Opened: now}, client: a.Client, fresh: map[string]Alert{}, seen: map[string]int64{}}
		n.groups[name] = g
	}
	if g.seen[a.ID] >= a.Sequence || g.fresh[a.ID].Sequence >= a.Sequence {
		return // told already, or older than what is known
	}
	if _, known := g.fresh[a.ID]; !known && len(g.fresh) >= maxAlerts {
		n.held.add(a, OverItems, now)
		return
	}
	g.fresh[a.ID], g.New, g.last = a, true, now
}

// Due returns what is to be told at now, and when to ask again if nothing is
// offered before; zero: only then.
func (n *Notifier) Due(now time.Time) (out []Notification, next time.Time) {
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	names := make([]string, 0, len(n.groups))
	for name := range n.groups {
		names = append(names, name)
	}
	slices.Sort(names) // the same calls give the same rates to the same groups
	for _, name := range names {
		g := n.groups[name]
		d := Decide(n.c.Timing, g.Group, n.c.Windows, now)
		if d.Send {
			if told, ok := n.tell(name, g, d.Reason, now); ok {
				out = append(out, told)
			}
			d = Decide(n.c.Timing, g.Group, n.c.Windows, now)
		}
		if !g.New && now.Sub(g.last) >= n.c.Forget {
			delete(n.groups, name)
			continue
		}
		sooner(d.Next)
		if !g.New {
			sooner(g.last.Add(n.c.Forget))
		}
	}
	if n.held.Alerts > 0 {
		if at := n.held.From.Add(n.c.Digest); now.Before(at) {
			sooner(at)
		} else if end := maintained(n.c.Windows, now); !end.IsZero() {
			sooner(end)
		} else {
			held := n.held.take(now)
			out = append(out, Notification{Group: "digest", Reason: Changed, Digest: &held})
		}
	}
	return out, next
}

// tell makes a group's notification, or puts its alerts into the digest when a
// rate is used up. Either way they are told.
func (n *Notifier) tell(name string, g *group, reason Reason, now time.Time) (Notification, bool) {
	alerts := g.told
	if reason != Repeat {
		alerts = nil
		for _, a := range g.fresh {
			alerts = append(alerts, a)
		}
		slices.SortFunc(alerts, func(a, b Alert) int { return cmp.Compare(a.ID, b.ID) })
	}
	over := n.limits.take(g.client, now)
	if over != "" && reason != Repeat { // what is only said again need not be in a digest
		for _, a := range alerts {
			n.held.add(a, over, now)
		}
	}
	g.Looked, g.Notified, g.New = now, now, false
	g.told, g.fresh, g.seen = alerts, map[string]Alert{}, map[string]int64{}
	for _, a := range alerts {
		g.seen[a.ID] = a.Sequence
	}
	return Notification{Group: name, Reason: reason, Alerts: alerts}, over == ""
}
