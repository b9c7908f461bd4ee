// Package webhook is the sink that posts alerts as JSON to an address: as they
// are, or rendered for chat tools, for PagerDuty's events, or by a template.
// Requests can be signed as Standard Webhooks says. Text from records is
// attacker-controlled: a template must never put it into a body other than
// through json, and ready templates never let it mention people or make links.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Options configure a Sink.
type Options struct {
	HTTP transport.HTTPOptions
	// Format is json (all documents of a batch in one body, the default), slack
	// (also Mattermost, Rocket.Chat), discord, teams, pagerduty, or template.
	Format string
	// Template is the text of Format template: see newTemplate.
	Template string
	// ContentType of a template's body; empty: application/json, which is checked.
	ContentType string
	// SigningKey signs each request as Standard Webhooks 1.0 says; a value that
	// begins with whsec_ is base64.
	SigningKey transport.Secret
	// RoutingKey is PagerDuty's integration key.
	RoutingKey transport.Secret
	// Now is the clock of signatures; nil: time.Now.
	Now func() time.Time
}

// Sink posts to one address.
type Sink struct {
	o      Options
	client *transport.Client
	render render // of one alert; nil: batches of documents
}

var _ sink.Sink = (*Sink)(nil)

// render makes a body of an alert. key is PagerDuty's.
type render func(r field.Record, key string) ([]byte, error)

// New checks the options.
func New(o Options) (*Sink, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	s := &Sink{o: o}
	var err error
	o.HTTP.Confidential = o.HTTP.Confidential || o.RoutingKey.Set()
	if s.client, err = transport.New(o.HTTP); err != nil {
		return nil, err
	}
	if o.SigningKey.Set() {
		if _, err := s.signingKey(); err != nil {
			return nil, err
		}
	}
	s.render, err = s.renderer()
	return s, err
}

func (s *Sink) renderer() (render, error) {
	switch s.o.Format {
	case "", "json":
		return nil, nil
	case "slack":
		return marshal(slack), nil
	case "discord":
		return marshal(discord), nil
	case "teams":
		return marshal(teams), nil
	case "pagerduty":
		if _, err := s.o.RoutingKey.Read(); err != nil {
			return nil, fmt.Errorf("routing key: %w", err)
		}
		return pagerDuty, nil
	case "template":
		return newTemplate(s.o.Template, s.o.ContentType == "application/json")
	}
	return nil, fmt.Errorf("format: %q is not json, slack, discord, teams, pagerduty or template", s.o.Format)
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	if s.render == nil {
		return s.batch(ctx, items)
	}
	key, err := "", error(nil)
	if s.o.RoutingKey.Set() {
		key, err = s.o.RoutingKey.Read()
	}
	if err != nil {
		return sink.All(len(items), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
	}
	report := sink.All(len(items), sink.Outcome{})
	for i, item := range items {
		body, err := s.one(item, key)
		if err != nil {
			report.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}
			continue
		}
		answer := s.post(ctx, item.ID, body)
		if report.Outcomes[i] = answer.Outcome; answer.Outcome.Verdict == sink.Split {
			report.Outcomes[i].Verdict = sink.Reject // it was alone
		}
		if answer.Outcome.Verdict == sink.Retry { // the rest would go the same way
			report.RetryAfter = answer.RetryAfter
			for ; i < len(items); i++ {
				report.Outcomes[i] = answer.Outcome
			}
			break
		}
	}
	return report
}

// batch sends {"alerts":[…]}.
func (s *Sink) batch(ctx context.Context, items []sink.Item) sink.Report {
	var body bytes.Buffer
	names := sha256.New()
	body.WriteString(`{"alerts":[`)
	for i, item := range items {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(item.Document)
		names.Write([]byte(item.ID + "\n"))
	}
	body.WriteString("]}")
	if !json.Valid(body.Bytes()) {
		return sink.All(len(items), sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonMalformed})
	}
	id := base64.RawURLEncoding.EncodeToString(names.Sum(nil)[:16])
	return s.post(ctx, id, body.Bytes()).Report(len(items))
}

func (s *Sink) one(item sink.Item, key string) ([]byte, error) {
	r, err := field.Parse(item.Document)
	if err != nil {
		return nil, err
	}
	return s.render(r, key)
}

// post sends a body. id is the same whenever the same content is sent.
func (s *Sink) post(ctx context.Context, id string, body []byte) transport.Answer {
	header := http.Header{"Webhook-Id": {id}}
	if s.o.SigningKey.Set() {
		key, err := s.signingKey()
		if err != nil {
			return transport.Answer{Outcome: sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}}
		}
		at := strconv.FormatInt(s.o.Now().Unix(), 10)
		header.Set("Webhook-Timestamp", at)
		header.Set("Webhook-Signature", Sign(key, id, at, body))
	}
	return s.client.Do(ctx, transport.Request{ContentType: s.o.ContentType, Body: body, Header: header})
}

// Sign returns the signature of a request as Standard Webhooks 1.0 says: v1, a
// comma, and HMAC-SHA-256 over id, timestamp (seconds) and body with full stops
// between, in base64. It is over the body before compression.
func Sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Sink) signingKey() ([]byte, error) {
	text, err := s.o.SigningKey.Read()
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	key := []byte(text)
	if coded, ok := strings.CutPrefix(text, "whsec_"); ok {
		if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, errors.New("signing key: not base64 behind whsec_")
		}
	}
	if len(key) < 24 { // the least that the specification allows
		return nil, errors.New("signing key: shorter than 24 bytes")
	}
	return key, nil
}

// Close implements sink.Closer.
func (s *Sink) Close() error { return s.client.Close() }
