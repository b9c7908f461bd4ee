package notify

import "time"

// The severities, lowest first.
var severities = []string{"info", "low", "medium", "high", "critical"}

// The reasons for which a severity is not that of the rule.
const (
	ReasonPair     = "pair"            // what makes the value usable leaked with it
	ReasonExpired  = "expired"         // its own end is over
	ReasonPastLife = "past_usual_life" // it names no end, and values of its kind do not live so long
	ReasonEndsSoon = "ends_soon"       // in less than five minutes
	ReasonBound    = "bound"           // it works only with a key that did not leak
	ReasonPossible = "possible"        // it may be none
)

// Reasons are all of them.
var Reasons = []string{ReasonPair, ReasonExpired, ReasonPastLife, ReasonEndsSoon, ReasonBound, ReasonPossible}

// soon is before the end of a value: who reads of it then hardly comes in time, and
// neither does a thief.
const soon = 5 * time.Minute

// Facts are what the severity of a leak depends on.
type Facts struct {
	// Rule is the severity that the rule gives, for a value that works.
	Rule string
	Kind string
	// Confidence is proven, certain, likely or possible.
	Confidence string
	// Leaked is when; Expires is the value's own end (exp), zero if it names none.
	Leaked, Expires time.Time
	// Bound means that the value works only with a key that did not leak (cnf).
	Bound bool
	// Pair means that what makes the value usable leaked with it: the code and its
	// verifier, the client's id and its secret.
	Pair bool
}

// usual is the longest that values of a kind live by their specifications and by
// what issuers do; kinds that are not here may live for months, or for ever, and
// end only by what they say themselves.
var usual = map[string]time.Duration{
	"authorization_code": 10 * time.Minute, // RFC 6749 §4.1.2
	"code_verifier":      10 * time.Minute, // as its code
	"request_uri":        10 * time.Minute, // RFC 9126 §2.2: 5 to 600 seconds
	"device_code":        30 * time.Minute, // RFC 8628 §3.2 names 30 minutes
	"user_code":          30 * time.Minute,
	"client_assertion":   10 * time.Minute, // RFC 7523 §3: issuers refuse long ones
	"logout_token":       10 * time.Minute, // OpenID Connect Back-Channel Logout §2.4: 2 minutes
	"saml_assertion":     time.Hour,        // its NotOnOrAfter is minutes ahead
}

// Ends returns when the leaked value stops to work by itself; zero: nobody knows, or
// never.
func Ends(f *Facts) time.Time {
	if !f.Expires.IsZero() {
		return f.Expires
	}
	if life, ok := usual[f.Kind]; ok {
		return f.Leaked.Add(life)
	}
	return time.Time{}
}

// Severity returns how grave a leak is at now, and the reasons for which that is not
// what the rule says. What is over is info by its own end, and low at most by the
// usual life of its kind; a pair is critical as long as it works; each of bound,
// ends_soon and possible takes one step.
func Severity(f *Facts, now time.Time) (severity string, because []string) {
	rank := 0
	for i, name := range severities {
		if name == f.Rule {
			rank = i
		}
	}
	ends := Ends(f)
	over := !ends.IsZero() && !now.Before(ends)
	switch {
	case over && !f.Expires.IsZero():
		return "info", []string{ReasonExpired} // of a pair too: neither half works alone
	case over:
		return severities[min(rank, 1)], []string{ReasonPastLife}
	case f.Pair:
		return "critical", []string{ReasonPair}
	}
	lower := func(yes bool, name string) {
		if yes && rank > 0 {
			rank--
			because = append(because, name)
		}
	}
	lower(f.Bound, ReasonBound)
	lower(!f.Expires.IsZero() && ends.Sub(now) < soon, ReasonEndsSoon)
	lower(f.Confidence == "possible", ReasonPossible)
	return severities[rank], because
}
