package app

import (
	"context"
	"errors"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/store"
)

// notifying turns the configuration into the store's.
func notifying(c config.AlertsNotify, digestKey []byte) *store.Notifying {
	n := &store.Notifying{
		Timing:  notify.Timing{Wait: c.GroupWait, Interval: c.GroupInterval, Repeat: c.RepeatInterval},
		GroupBy: c.GroupBy, Every: c.Rate.Digest,
		Client: notify.Rate{Count: c.Rate.Client, Per: c.Rate.Per}, Global: notify.Rate{Count: c.Rate.Global, Per: c.Rate.Per},
		Digest: func(d notify.Digest) outbox.Entry { return digestEntry(digestKey, d) },
	}
	for _, m := range c.Maintenance {
		from, until := m.Times()
		n.Windows = append(n.Windows, notify.Window{From: from, Until: until})
	}
	return n
}

func digestEntry(key []byte, d notify.Digest) outbox.Entry {
	out := alert.Digest{
		ID: alert.DigestID(key, d.From, d.Until), From: d.From, Until: d.Until, Alerts: d.Alerts, Detections: d.Detections, Severity: d.Severity,
		Reasons: map[string]int64{}, Kinds: d.Kinds, Severities: d.Severities, Others: d.Others, AlertIDs: d.IDs,
	}
	for over, n := range d.By {
		out.Reasons[string(over)] = n
	}
	for _, c := range d.Clients {
		out.Clients = append(out.Clients, alert.ClientCount{Client: c.Client, Alerts: c.Alerts})
	}
	return outbox.Entry{ID: out.ID, Data: alert.MarshalDigest(out)}
}

// notifier has the store notify of what is due, and wakes the sinks for what they
// are to take, whichever process put it there.
type notifier struct {
	store *store.Store
	wake  func()
	warn  func(msg string, args ...any)
	last  int64
	said  time.Time // when warn was called last
}

// sayEvery spaces what is said of a trouble that stays.
const sayEvery = time.Minute

// run works until ctx ends.
func (n *notifier) run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		if err := n.step(ctx); err != nil && ctx.Err() == nil && time.Since(n.said) >= sayEvery {
			n.said = time.Now()
			n.warn("alerts are not notified, it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// step notifies of all that is due now.
func (n *notifier) step(ctx context.Context) (err error) {
	for more := true; more && err == nil; {
		more, err = n.store.Notify(ctx)
	}
	last, lastErr := n.store.Last(ctx)
	if last > n.last {
		n.last = last
		n.wake()
	}
	return errors.Join(err, lastErr)
}

// report tells the metrics and the log what the store did.
func (a *App) report(r store.Report) {
	a.metrics.Notified("notified", r.Notified)
	a.metrics.Notified("held", r.Held)
	a.metrics.Notified("digest", r.Digests)
	a.metrics.Suppressed(r.Suppressed)
	if r.Forgotten > 0 {
		a.log.Warn("alerts were deleted from the store before their time, to make room; sinks had them", "alerts", r.Forgotten)
	}
}

// markSynthetic marks a detection of a client or service that belongs to tests.
func markSynthetic(c *config.AlertsSynthetic) func(*event.Detection) {
	clients, services := map[string]bool{}, map[string]bool{}
	for _, name := range c.Clients {
		clients[name] = true
	}
	for _, name := range c.Services {
		services[name] = true
	}
	return func(d *event.Detection) {
		if d.Client.ID != "" && clients[d.Client.ID] || d.Service != "" && services[d.Service] {
			d.Traffic = event.Synthetic
		}
	}
}
