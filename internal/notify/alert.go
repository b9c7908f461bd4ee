package notify

import (
	"encoding/json"
	"strings"
)

// Alert is the state of an alert, as far as this package looks at it.
type Alert struct {
	// ID and Sequence are the alert's own; of one id the highest sequence counts.
	ID       string
	Sequence int64
	// Told is the highest sequence that was settled before: what is new of the
	// alert is Sequence - Told detections.
	Told int64
	// Client, Region, Kind and Rule are the group, unless the configuration says
	// otherwise. A client that is not known has a text of its own.
	Client, Region, Kind, Rule string
	Severity                   string
	Services                   []string
}

// GroupBy are the names that a group may be made of.
var GroupBy = []string{"client", "region", "kind", "rule", "severity", "service"}

// GroupOf returns the name of an alert's group: the values of the names that it
// is made of, as JSON, so that no two groups have one name. Without names all
// alerts are one group.
func GroupOf(a *Alert, by []string) string {
	values := make([]string, len(by))
	for i, name := range by {
		switch name {
		case "client":
			values[i] = a.Client
		case "region":
			values[i] = a.Region
		case "kind":
			values[i] = a.Kind
		case "rule":
			values[i] = a.Rule
		case "severity":
			values[i] = a.Severity
		case "service":
			values[i] = strings.Join(a.Services, ",")
		}
	}
	name, _ := json.Marshal(values) // texts have no error
	return string(name)
}
