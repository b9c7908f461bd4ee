package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// AlertsNotify says when sinks hear of alerts.
type AlertsNotify struct {
	GroupBy        []string      `key:"group_by"`
	GroupWait      time.Duration `key:"group_wait"`
	GroupInterval  time.Duration `key:"group_interval"`
	RepeatInterval time.Duration `key:"repeat_interval"` // 0: never
	Rate           AlertsRate    `key:"rate"`
	Maintenance    []Maintenance `key:"maintenance"`
}

// AlertsRate bounds how many alerts are told; 0: no limit.
type AlertsRate struct {
	Client int           `key:"client"`
	Global int           `key:"global"`
	Per    time.Duration `key:"per"`
	Digest time.Duration `key:"digest"`
}

// Maintenance is a time when nobody is told, as RFC 3339 writes times.
type Maintenance struct {
	From  string `key:"from"`
	Until string `key:"until"`
}

// Times returns both ends, which Validate has checked.
func (m Maintenance) Times() (from, until time.Time) {
	from, _ = time.Parse(time.RFC3339, m.From)
	until, _ = time.Parse(time.RFC3339, m.Until)
	return from, until
}

// AlertsSynthetic says which traffic belongs to tests.
type AlertsSynthetic struct {
	Label    string   `key:"label"` // name or name=value
	Clients  []string `key:"clients"`
	Services []string `key:"services"`
}

var groupNames = []string{"client", "region", "kind", "rule", "severity", "service"}

func (v *validator) notify(n *AlertsNotify) {
	const key = "alerts.notify."
	for i, name := range n.GroupBy {
		if !slices.Contains(groupNames, name) {
			v.add(fmt.Sprintf("%sgroup_by[%d]", key, i), "%v", enumError(name, groupNames))
		}
	}
	if n.GroupWait < 0 || n.RepeatInterval < 0 {
		v.add(key+"group_wait", "and %srepeat_interval must not be below 0", key)
	}
	v.positive(key+"group_interval", n.GroupInterval)
	v.positive(key+"rate.per", n.Rate.Per)
	v.positive(key+"rate.digest", n.Rate.Digest)
	if n.Rate.Client < 0 || n.Rate.Global < 0 {
		v.add(key+"rate.client", "and %srate.global must not be below 0", key)
	}
	for i, m := range n.Maintenance {
		at := fmt.Sprintf("%smaintenance[%d]", key, i)
		from, err := time.Parse(time.RFC3339, m.From)
		if err != nil {
			v.add(at+".from", "must be a time as 2026-12-24T18:00:00Z")
		}
		until, err := time.Parse(time.RFC3339, m.Until)
		if err != nil {
			v.add(at+".until", "must be a time as 2026-12-24T18:00:00Z")
		} else if !from.Before(until) {
			v.add(at+".until", "must be later than from")
		}
	}
}

// forward checks that leakveil forward has something to read and somewhere to keep it.
func (v *validator) forward(c *Config) {
	if !c.Alerts.Kafka.Forward {
		return
	}
	if c.Alerts.Kafka.Topic == "" || c.Input.OTLP.Enabled && !c.KafkaAlerts() {
		v.add("alerts.kafka.forward", "is true, and there is no alerts topic to forward from")
	}
	if c.Alerts.Store.Path == "" {
		v.add("alerts.store.path", "is needed with alerts.kafka.forward: leakveil forward keeps alerts there")
	}
}

func (v *validator) synthetic(s *AlertsSynthetic) {
	if strings.HasPrefix(s.Label, "=") {
		v.add("alerts.synthetic.label", "must be a name, or name=value")
	}
}
