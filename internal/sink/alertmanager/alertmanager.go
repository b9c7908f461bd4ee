// Package alertmanager is the sink for Prometheus's Alertmanager, API v2: it
// routes, groups, silences and notifies as for any other alert. Alertmanager
// knows an alert by its labels, so that an update changes nothing in them but
// the severity, and it forgets an alert when that ends: what must be kept goes to
// another sink as well. No label names a value or a count.
package alertmanager

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// DefaultOpen is how long an alert stays open behind its last update.
const DefaultOpen = 24 * time.Hour

// Options configure a Sink.
type Options struct {
	HTTP transport.HTTPOptions
	// Open is how long an alert stays open behind its last update; 0: DefaultOpen.
	Open time.Duration
	// Labels are added to every alert, for routing.
	Labels map[string]string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Sink posts to one Alertmanager.
type Sink struct {
	o      Options
	client *transport.Client
}

var _ sink.Sink = (*Sink)(nil)

// New checks the options. It does not connect.
func New(o Options) (*Sink, error) {
	if o.Open <= 0 {
		o.Open = DefaultOpen
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client, err := transport.New(o.HTTP)
	if err != nil {
		return nil, err
	}
	return &Sink{o: o, client: client}, nil
}

// posted is an alert as the API takes it.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed})
	var alerts []posted
	var sent []int
	for i, item := range items {
		if r, err := field.Parse(item.Document); err == nil {
			alerts, sent = append(alerts, s.alert(r)), append(sent, i)
		}
	}
	if len(sent) == 0 {
		return report
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return report
	}
	a := s.client.Do(ctx, transport.Request{Path: "api/v2/alerts", ContentType: "application/json", Body: body})
	report.RetryAfter = a.RetryAfter
	for _, i := range sent {
		report.Outcomes[i] = a.Outcome
	}
	return report
}

func (s *Sink) alert(r field.Record) posted {
	labels := map[string]string{"alertname": "LeakveilSecretInLog"}
	if r.Text("event.action") == "batch-skipped" {
		labels["alertname"] = "LeakveilBatchSkipped"
	} else if r.Text("event.action") == "alerts-held-back" {
		labels["alertname"] = "LeakveilAlertsHeldBack"
	}
	for name, value := range s.o.Labels {
		labels[name] = value
	}
	for name, value := range map[string]string{
		"severity": r.Severity(), "alert_id": r.Text("event.id"), "kind": r.Text("leakveil.kind"), "rule": r.Text("rule.id"),
		"client_id": r.Text("leakveil.client.id"), "region": r.Text("cloud.region"), "topic": r.Text("leakveil.where.topic"),
	} {
		if value != "" { // Alertmanager drops labels without a value
			labels[name] = value
		}
	}
	annotations := map[string]string{"summary": r.Title(), "description": field.Cut(r.Summary(), 1024)}
	for name, value := range map[string]string{
		"advice": r.Text("leakveil.advice.text"), "sequence": r.Text("leakveil.alert.sequence"), "count": r.Text("leakveil.count"),
		"services": strings.Join(r.List("service.name"), ", "), "client_how": r.Text("leakveil.client.how"),
		"candidates": strings.Join(r.List("leakveil.client.candidates"), ", "), "reason": r.Text("event.reason"),
	} {
		if value != "" {
			annotations[name] = field.Cut(value, 2048)
		}
	}
	start := r.Time("event.start")
	if start.IsZero() {
		start = r.Time("@timestamp")
	}
	now := s.o.Now().UTC()
	if start.After(now) { // a record's clock runs ahead: an alert that starts later does not fire
		start = now
	}
	return posted{labels, annotations, start, now.Add(s.o.Open)}
}

// Close implements sink.Closer.
func (s *Sink) Close() error { return s.client.Close() }
