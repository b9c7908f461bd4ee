package notify

import "time"

// Rate is a number of notified alerts in a time, and as many at once. A Count of
// 0 is no limit.
type Rate struct {
	Count int
	Per   time.Duration
}

// Bucket holds what is left of a Rate. The zero value is full.
type Bucket struct {
	Left float64
	At   time.Time // when Left was right; zero: a full one
}

// Fill adds what time has given back. A clock that goes back gives nothing.
func (b *Bucket) Fill(r Rate, now time.Time) {
	if b.At.IsZero() {
		b.Left = float64(r.Count)
	} else if passed := now.Sub(b.At); passed > 0 {
		b.Left = min(float64(r.Count), b.Left+float64(r.Count)*passed.Seconds()/r.Per.Seconds())
	}
	if now.After(b.At) {
		b.At = now
	}
}

// Take reports whether an alert may be notified at now, and takes it from both
// rates if so ("" is returned); else it says which is used up.
func Take(client, all Rate, own, global *Bucket, now time.Time) Over {
	if client.Count > 0 {
		own.Fill(client, now)
	}
	if all.Count > 0 {
		global.Fill(all, now)
	}
	switch {
	case client.Count > 0 && own.Left < 1:
		return OverClient
	case all.Count > 0 && global.Left < 1:
		return OverGlobal
	}
	own.Left--
	global.Left--
	return ""
}
