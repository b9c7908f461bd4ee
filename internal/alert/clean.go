package alert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/excerpt"
)

// Bounds on text that comes from records, in bytes. ECS indexes keywords up to
// 1024; a client id is cut earlier since it is attacker-controlled and repeated.
const (
	maxClientID   = 256
	maxText       = 1024
	maxCandidates = 16
)

// Clean returns d with every text valid UTF-8, without control, format or
// line-separating characters (they become the six visible characters \u001b),
// and cut to its bound; with its time in UTC to the millisecond and, where that
// has no four-digit year from 1970 on, the time fallback; and with its
// candidates sorted, without duplicates, at most 16. Clean(Clean(d)) = Clean(d).
func Clean(d event.Detection, fallback time.Time) event.Detection {
	for _, text := range []*string{
		&d.ID, &d.Kind, &d.Rule, &d.Severity, &d.Confidence, &d.Fingerprint, &d.KeyID,
		&d.Where.Topic, &d.Where.Field, &d.Where.File, &d.Where.Signal, &d.Where.TraceID, &d.Where.SpanID, &d.Service, &d.Region, &d.Action,
	} {
		*text = cleanText(*text, maxText)
	}
	d.Client = cleanClient(d.Client)
	d.Time = cleanTime(d.Time, fallback)
	d.Excerpt = cleanText(d.Excerpt, excerpt.Max)
	if d.Traffic != "" {
		d.Traffic = event.Synthetic // the one word for it
	}
	d.Reasons = slices.DeleteFunc(slices.Clone(d.Reasons), func(r string) bool { return !slices.Contains(reasons, r) })
	slices.Sort(d.Reasons)
	d.Reasons = slices.Compact(d.Reasons)
	d.Expires = cleanExpiry(d.Expires)
	return d
}

// reasons are those of package notify, which this package does not import; a test
// compares them.
var reasons = []string{"pair", "expired", "bound", "ends_soon", "possible", "past_usual_life"}

// cleanExpiry drops a time that no document can hold: a token says what it wants.
func cleanExpiry(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if year := t.Year(); year < 1970 || year > 9999 {
		return time.Time{}
	}
	return t
}

func cleanTime(t, fallback time.Time) time.Time {
	for _, candidate := range []time.Time{t, fallback} {
		candidate = candidate.UTC().Truncate(time.Millisecond)
		if year := candidate.Year(); year >= 1970 && year <= 9999 {
			return candidate
		}
	}
	return time.Unix(0, 0).UTC()
}

func cleanClient(c event.Client) event.Client {
	c.ID = cleanText(c.ID, maxClientID)
	if c.How == "" {
		c.How = event.Unknown
	}
	c.How = event.How(cleanText(string(c.How), maxText))
	c.Confidence = cleanText(c.Confidence, maxText)
	var candidates []string
	for _, candidate := range c.Candidates {
		if candidate != "" {
			candidates = append(candidates, cleanText(candidate, maxClientID))
		}
	}
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	c.Candidates = candidates[:min(len(candidates), maxCandidates)]
	return c
}

// cleanText escapes and cuts s; a cut text ends in "…" and is at most limit bytes.
func cleanText(s string, limit int) string {
	if len(s) <= limit && isClean(s) {
		return s
	}
	const ellipsis = "…"
	var b strings.Builder
	keep := 0 // the longest prefix that leaves room for the ellipsis
	for _, r := range s {
		if excerpt.Unclean(r) {
			excerpt.Escape(&b, r)
		} else {
			b.WriteRune(r) // an invalid byte arrives as U+FFFD
		}
		if b.Len() <= limit-len(ellipsis) {
			keep = b.Len()
		}
		if b.Len() > limit {
			return b.String()[:keep] + ellipsis
		}
	}
	return b.String()
}

func isClean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, excerpt.Unclean)
}
