// Package splunkhec is the sink for Splunk's HTTP Event Collector. Events carry
// the names of the CIM Alerts data model beside the whole document. A 200 says
// that the collector has an event, not that it is indexed; with Ack the sink asks
// until it is. The collector knows no repeats: searches deduplicate by alert_id
// and alert_sequence.
package splunkhec

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// DefaultAckTimeout is how long an acknowledgement is waited for: less than a
// Send may take.
const DefaultAckTimeout = 20 * time.Second

// Options configure a Sink.
type Options struct {
	// HTTP has the address and, as Token, the collector's token.
	HTTP transport.HTTPOptions
	// Index, Host, Source and SourceType are those of the events; Source and
	// SourceType default to leakveil and leakveil:alert, the others to the token's.
	Index, Host, Source, SourceType string
	// Ack waits until an event is indexed (Splunk Enterprise; per token).
	Ack        bool
	AckTimeout time.Duration
}

// Sink sends to one collector.
type Sink struct {
	o       Options
	client  *transport.Client
	channel string
}

var _ sink.Sink = (*Sink)(nil)

// New checks the options. It does not connect.
func New(o Options) (*Sink, error) {
	if !o.HTTP.Token.Set() {
		return nil, errors.New("token: is missing")
	}
	o.HTTP.Scheme = "Splunk"
	setDefault(&o.Source, "leakveil")
	setDefault(&o.SourceType, "leakveil:alert")
	if o.AckTimeout <= 0 {
		o.AckTimeout = DefaultAckTimeout
	}
	client, err := transport.New(o.HTTP)
	if err != nil {
		return nil, err
	}
	return &Sink{o: o, client: client, channel: newChannel()}, nil
}

func setDefault(s *string, standard string) {
	if *s == "" {
		*s = standard
	}
}

// newChannel returns a random UUID, as the collector wants for acknowledgements.
func newChannel() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed})
	var body bytes.Buffer
	var sent []int
	for i, item := range items {
		if r, err := field.Parse(item.Document); err == nil {
			body.Write(s.event(r))
			body.WriteByte('\n')
			sent = append(sent, i)
		}
	}
	if len(sent) == 0 {
		return report
	}
	outcome, after := s.post(ctx, body.Bytes())
	report.RetryAfter = after
	for _, i := range sent {
		report.Outcomes[i] = outcome
	}
	return report
}

// event is one event with its metadata.
func (s *Sink) event(r field.Record) []byte {
	fields := map[string]any{
		"app": "leakveil", "type": "alert", "id": r.ID(), "signature": r.Title(), "severity": r.Severity(),
		"description": field.Cut(r.Summary(), 1024), "document": json.RawMessage(r.Raw),
	}
	if fields["severity"] == "info" {
		fields["severity"] = "informational"
	}
	for _, f := range field.Fields() {
		if f.Splunk != "" && r.Has(f.Path) {
			fields[f.Splunk] = value(f, r)
		}
	}
	at := r.Time("@timestamp").UnixMilli()
	event := map[string]any{
		"time":   json.Number(fmt.Sprintf("%d.%03d", at/1000, at%1000)),
		"source": s.o.Source, "sourcetype": s.o.SourceType, "event": fields,
	}
	for name, value := range map[string]string{"index": s.o.Index, "host": s.o.Host} {
		if value != "" {
			event[name] = value
		}
	}
	out, err := json.Marshal(event)
	if err != nil {
		panic("splunkhec: BUG: an event could not be written as JSON")
	}
	return out
}

func value(f field.Field, r field.Record) any {
	switch {
	case f.List:
		return r.List(f.Path)
	case f.Type == field.Long || f.Type == field.Integer:
		return r.Int(f.Path)
	}
	return r.Text(f.Path)
}

// answer is what the collector says. Its text is not kept.
type answer struct {
	Code  *int
	AckID *int64 `json:"ackId"`
}

// Codes of the collector that speak of its configuration, not of an event.
var configuration = map[int]string{
	1: sink.ReasonAuth, 2: sink.ReasonAuth, 3: sink.ReasonAuth, 4: sink.ReasonAuth, // token disabled, missing, malformed, wrong
	7:  sink.ReasonNotFound,                          // index
	10: sink.ReasonProtocol, 11: sink.ReasonProtocol, // channel missing, wrong
	14: sink.ReasonProtocol, // acknowledgements are off
}

func (s *Sink) post(ctx context.Context, body []byte) (sink.Outcome, time.Duration) {
	header := http.Header{}
	if s.o.Ack {
		header.Set("X-Splunk-Request-Channel", s.channel)
	}
	a := s.client.Do(ctx, transport.Request{Path: "services/collector/event", ContentType: "application/json", Body: body, Header: header})
	var said answer
	err := json.Unmarshal(a.Body, &said)
	if a.Outcome.Verdict == sink.Split && err == nil && said.Code != nil {
		if reason, ok := configuration[*said.Code]; ok {
			return sink.Outcome{Verdict: sink.Retry, Reason: reason}, a.RetryAfter
		}
	}
	if a.Outcome.Verdict != sink.Delivered {
		return a.Outcome, a.RetryAfter
	}
	switch {
	case err != nil || said.Code == nil || *said.Code != 0: // a proxy's answer, not a collector's
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}, 0
	case !s.o.Ack:
		return a.Outcome, 0
	case said.AckID == nil:
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}, 0
	}
	return s.await(ctx, *said.AckID), 0
}

// await asks until the events of an acknowledgement are indexed. If they are not
// in time they are sent again, and may then be there twice.
func (s *Sink) await(ctx context.Context, id int64) sink.Outcome {
	ctx, cancel := context.WithTimeout(ctx, s.o.AckTimeout)
	defer cancel()
	body := fmt.Appendf(nil, `{"acks":[%d]}`, id)
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 4*time.Second) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonUnconfirmed}
		}
		a := s.client.Do(ctx, transport.Request{
			Path: "services/collector/ack", ContentType: "application/json", Body: body, Query: url.Values{"channel": {s.channel}},
			Header: http.Header{"X-Splunk-Request-Channel": {s.channel}},
		})
		var said struct{ Acks map[string]bool }
		if a.Outcome.Verdict == sink.Delivered && json.Unmarshal(a.Body, &said) == nil && said.Acks[strconv.FormatInt(id, 10)] {
			return sink.Outcome{Verdict: sink.Delivered}
		}
	}
}

// Close implements sink.Closer.
func (s *Sink) Close() error { return s.client.Close() }
