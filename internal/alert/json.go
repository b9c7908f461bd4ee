package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

// MarshalDetection returns d as one line of JSON without a newline at its end
// (docs/schema/detection-v1.json). created is when the detection was made; it
// goes to event.created and is the written time of a Fold's Add.
func MarshalDetection(d event.Detection, created time.Time) []byte {
	created = cleanTime(created, time.Time{})
	d = Clean(d, created)
	doc := newDocument("event", "leakveil.detection", d.ID, d.Severity, created)
	doc.Timestamp = d.Time.Format(timeFormat)
	doc.Event.Start, doc.Event.End = doc.Timestamp, doc.Timestamp
	doc.Rule.ID = d.Rule
	if d.Service != "" {
		doc.Service = &named{d.Service}
	}
	doc.Cloud = cloud(d.Region)
	l := &doc.Leakveil
	l.Detection = &idFields{d.ID}
	l.Kind, l.Rule, l.Confidence, l.KeyID = d.Kind, d.Rule, d.Confidence, d.KeyID
	l.SeverityReasons, l.ExpiresAt, l.Traffic, l.Excerpt = d.Reasons, formatTime(d.Expires), d.Traffic, d.Excerpt
	l.Client = clientDocument(d.Client)
	l.Fingerprints = []string{}
	if d.Fingerprint != "" {
		l.Fingerprints, l.FingerprintCount = []string{d.Fingerprint}, 1
	}
	l.Count, l.Where, l.Action = 1, whereDocument(d.Where), d.Action
	return encode(doc)
}

// MarshalAlert returns a as one line of JSON without a newline at its end
// (docs/schema/alert-v1.json). The same alert and sequence give the same bytes.
func MarshalAlert(a Alert) []byte {
	doc := newDocument("alert", "leakveil.alert", a.ID, a.Severity, a.Written)
	doc.Timestamp = a.LastSeen.Format(timeFormat)
	doc.Event.Start, doc.Event.End = a.FirstSeen.Format(timeFormat), doc.Timestamp
	doc.Rule.ID = a.Rule
	if len(a.Services) > 0 {
		doc.Service = &named{a.Services}
	}
	doc.Cloud = cloud(a.Region)
	doc.Threat = &threatFields{"MITRE ATT&CK", threatName{[]string{"T1552"}, []string{"Unsecured Credentials"}}}
	l := &doc.Leakveil
	l.Alert = &alertFields{a.ID, a.GroupID, a.Sequence,
		windowFields{a.WindowStart.Format(timeFormat), a.WindowEnd.Format(timeFormat)}}
	l.Kind, l.Rule, l.Confidence, l.KeyID = a.Kind, a.Rule, a.Confidence, a.KeyID
	l.SeverityReasons, l.ExpiresAt, l.Traffic, l.Excerpt = a.Reasons, formatTime(a.Expires), a.Traffic, a.Excerpt
	l.Client = clientDocument(a.Client)
	l.Fingerprints, l.FingerprintCount = append([]string{}, a.Fingerprints...), a.FingerprintCount
	l.Count, l.Where = a.Count, whereDocument(a.First)
	last := whereDocument(a.Last)
	advice := AdviceFor(a.Kind)
	l.LastWhere, l.Advice, l.Action = &last, &advice, append([]string{}, a.Actions...)
	return encode(doc)
}

// formatTime is "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(timeFormat)
}

func cloud(region string) *cloudFields {
	if region == "" {
		return nil
	}
	return &cloudFields{region}
}

func clientDocument(c event.Client) clientFields {
	return clientFields{c.ID, string(c.How), c.Confidence, c.Candidates}
}

func whereDocument(w event.Where) whereFields {
	out := whereFields{Field: w.Field, Start: w.Start, End: w.End}
	if w.Signal != "" {
		out.Signal, out.TraceID, out.SpanID = w.Signal, w.TraceID, w.SpanID
	}
	switch {
	case w.Topic != "":
		out.Topic, out.Partition, out.Offset = w.Topic, &w.Partition, &w.Offset
	case w.Signal == "":
		out.File, out.Line = w.File, &w.Line
	}
	return out
}

// encode writes doc without HTML escapes. Every text in it is valid UTF-8 and
// every type can be written, so that it has no error to return.
func encode(doc any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		panic("alert: BUG: a document could not be written as JSON")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// IsDetection reports whether line is a detection's document, as against an
// alert's or something else on the same topic or in the same file.
func IsDetection(line []byte) bool {
	var doc struct {
		Event struct{ Kind, Module string }
	}
	return json.Unmarshal(line, &doc) == nil &&
		doc.Event.Kind == "event" && doc.Event.Module == "leakveil"
}

// UnmarshalDetection reads what MarshalDetection wrote, and when the detection
// was made. Members it does not know are allowed, another schema version is not.
// Its errors name a field and never hold a byte of line.
func UnmarshalDetection(line []byte) (event.Detection, time.Time, error) {
	var doc document
	if json.Unmarshal(line, &doc) != nil {
		return event.Detection{}, time.Time{}, badField("the JSON")
	}
	service, err := texts(doc)
	if err != nil {
		return event.Detection{}, time.Time{}, err
	}
	at, err := time.Parse(timeFormat, doc.Timestamp)
	if err != nil {
		return event.Detection{}, time.Time{}, badField("@timestamp")
	}
	created, err := time.Parse(timeFormat, doc.Event.Created)
	if err != nil {
		return event.Detection{}, time.Time{}, badField("event.created")
	}
	if field := doc.check(); field != "" {
		return event.Detection{}, time.Time{}, badField(field)
	}
	l := doc.Leakveil
	var expires time.Time
	if l.ExpiresAt != "" {
		if expires, err = time.Parse(timeFormat, l.ExpiresAt); err != nil {
			return event.Detection{}, time.Time{}, badField("leakveil.expires_at")
		}
	}
	d := event.Detection{
		ID: l.Detection.ID, Time: at, Kind: l.Kind, Rule: l.Rule, Severity: l.Severity,
		Confidence: l.Confidence, KeyID: l.KeyID, Where: l.Where.where(), Service: service,
		Action:  l.Action.(string), // texts has looked
		Reasons: l.SeverityReasons, Expires: expires, Traffic: l.Traffic, Excerpt: l.Excerpt,
		Client: event.Client{ID: l.Client.ID, How: event.How(l.Client.How),
			Confidence: l.Client.Confidence, Candidates: l.Client.Candidates},
	}
	if len(l.Fingerprints) > 0 {
		d.Fingerprint = l.Fingerprints[0]
	}
	if doc.Cloud != nil {
		d.Region = doc.Cloud.Region
	}
	return Clean(d, created), cleanTime(created, time.Time{}), nil
}

func badField(field string) error {
	return fmt.Errorf("alert: read detection: %s is missing, malformed or unknown", field)
}

// texts returns service.name, and checks the two members that are one text in a
// detection and several in an alert.
func texts(doc document) (service string, err error) {
	if _, ok := doc.Leakveil.Action.(string); !ok {
		return "", badField("leakveil.action")
	}
	if doc.Service == nil {
		return "", nil
	}
	service, ok := doc.Service.Name.(string)
	if !ok {
		return "", badField("service.name")
	}
	return service, nil
}

// check returns the name of the first field that no detection has so.
func (doc *document) check() string {
	l := &doc.Leakveil
	w := l.Where
	switch {
	case l.Schema.Version != SchemaVersion:
		return "leakveil.schema.version"
	case doc.Event.Kind != "event":
		return "event.kind"
	case l.Detection == nil || len(l.Detection.ID) != idLen:
		return "leakveil.detection.id"
	case l.Kind == "":
		return "leakveil.kind"
	case l.Rule == "":
		return "leakveil.rule"
	case rank(severities, l.Severity) < 0:
		return "leakveil.severity"
	case rank(confidences, l.Confidence) < 0:
		return "leakveil.confidence"
	case l.Client.How == "":
		return "leakveil.client.how"
	case len(l.Fingerprints) > 1:
		return "leakveil.fingerprints"
	case w.place() == "":
		return "leakveil.where"
	}
	return ""
}

// place tells what a place is: "kafka", also with a place in OpenTelemetry's data that the
// record holds, "file" or "otlp", and "" for none of them.
func (w *whereFields) place() string {
	ofKafka := w.Topic != "" && w.Partition != nil && w.Offset != nil
	ofFile := w.Line != nil || w.File != ""
	switch nothing := w.Topic == "" && w.Partition == nil && w.Offset == nil; {
	case ofKafka && !ofFile:
		return "kafka"
	case nothing && w.Signal != "" && !ofFile:
		return "otlp"
	case nothing && w.Signal == "" && w.Line != nil:
		return "file"
	}
	return ""
}

func (w *whereFields) where() event.Where {
	out := event.Where{
		Topic: w.Topic, Field: w.Field, File: w.File, Signal: w.Signal, TraceID: w.TraceID, SpanID: w.SpanID, Start: w.Start, End: w.End,
	}
	switch w.place() {
	case "kafka":
		out.Partition, out.Offset = *w.Partition, *w.Offset
	case "file":
		out.Line = *w.Line
	}
	return out
}
