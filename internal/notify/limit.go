package notify

import "time"

// Rate is a number of notifications in a time, and as many at once. The zero
// value is no limit.
type Rate struct {
	Count int
	Per   time.Duration
}

// bucket holds what is left of a Rate.
type bucket struct {
	left float64
	at   time.Time
}

// fill adds what time has given back.
func (b *bucket) fill(r Rate, now time.Time) {
	if b.at.IsZero() {
		b.left = float64(r.Count)
	} else if passed := now.Sub(b.at); passed > 0 {
		b.left = min(float64(r.Count), b.left+float64(r.Count)*passed.Seconds()/r.Per.Seconds())
	}
	if now.After(b.at) {
		b.at = now
	}
}

// limiter holds back what is over the rates: of each client, and of all.
type limiter struct {
	client, global Rate
	all            bucket
	clients        map[string]*bucket
}

// maxClients bounds the buckets: clients beyond share one, so that invented
// client ids do not fill the memory, nor the rate of those known.
const maxClients = 10_000

func newLimiter(client, global Rate) *limiter {
	return &limiter{client: client, global: global, clients: map[string]*bucket{}}
}

// take reports whether a notification for a client may go out at now, and takes
// it from both rates if so; else which rate is used up.
func (l *limiter) take(client string, now time.Time) (over Over) {
	own := l.bucketOf(client, now)
	l.all.fill(l.global, now)
	switch {
	case l.client.Count > 0 && own.left < 1:
		return OverClient
	case l.global.Count > 0 && l.all.left < 1:
		return OverGlobal
	}
	own.left--
	l.all.left--
	return ""
}

func (l *limiter) bucketOf(client string, now time.Time) *bucket {
	b := l.clients[client]
	if b == nil && len(l.clients) >= maxClients {
		l.forget(now)
		if len(l.clients) >= maxClients {
			client = "" // no client has this name
			b = l.clients[client]
		}
	}
	if b == nil {
		b = &bucket{}
		l.clients[client] = b
	}
	b.fill(l.client, now)
	return b
}

// forget drops full buckets: a new one is the same.
func (l *limiter) forget(now time.Time) {
	for name, b := range l.clients {
		if b.fill(l.client, now); l.client.Count == 0 || b.left >= float64(l.client.Count) {
			delete(l.clients, name)
		}
	}
}
