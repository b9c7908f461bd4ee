package notify

import "time"

// The severities, lowest first.
var severities = []string{"info", "low", "medium", "high", "critical"}

// Facts are what the severity of a leak depends on.
type Facts struct {
	// Rule is the severity that the rule gives, for a value that works.
	Rule string
	Kind string
	// Confidence is proven, certain, likely or possible.
	Confidence string
	// Leaked is when; Expires is the value's own end, zero if it names none.
	Leaked, Expires time.Time
	// Bound means that the value works only with a key that did not leak (cnf, DPoP,
	// mutual TLS).
	Bound bool
	// Pair means that what makes the value usable leaked with it: the code and its
	// verifier, the client's id and its secret.
	Pair bool
}

// usual is how long a value of a kind usually lives; kinds that are not here do
// not end by themselves.
var usual = map[string]time.Duration{
	"authorization_code": 10 * time.Minute, "code_verifier": 10 * time.Minute, "request_uri": 90 * time.Second,
	"device_code": 15 * time.Minute, "user_code": 15 * time.Minute, "client_assertion": 5 * time.Minute, "logout_token": 2 * time.Minute,
	"access_token": time.Hour, "id_token": time.Hour, "jwt": time.Hour, "saml_assertion": time.Hour,
	"session_cookie": 24 * time.Hour, "refresh_token": 30 * 24 * time.Hour,
}

// Ends returns when the leaked value stops to work; zero: not by itself.
func Ends(f Facts) time.Time {
	if !f.Expires.IsZero() {
		return f.Expires
	}
	if life, ok := usual[f.Kind]; ok {
		return f.Leaked.Add(life)
	}
	return time.Time{}
}

// Severity returns how grave a leak is at now, and why it is not what the rule
// says: pair, expired, bound, ends_soon, possible.
func Severity(f Facts, now time.Time) (severity string, because []string) {
	rank := 0
	for i, name := range severities {
		if name == f.Rule {
			rank = i
		}
	}
	ends := Ends(f)
	switch {
	case !ends.IsZero() && !now.Before(ends):
		return "info", []string{"expired"} // of a pair too: neither half works alone
	case f.Pair:
		return "critical", []string{"pair"}
	}
	lower := func(yes bool, name string) {
		if yes && rank > 0 {
			rank--
			because = append(because, name)
		}
	}
	lower(f.Bound, "bound")
	lower(!f.Expires.IsZero() && ends.Sub(now) < 5*time.Minute, "ends_soon")
	lower(f.Confidence == "possible", "possible")
	return severities[rank], because
}
