package alert

import "time"

// SchemaVersion is the version of the documents, in leakveil.schema.version: the
// number in the names of the files in docs/schema.
const SchemaVersion = 1

const ecsVersion = "9.4.0"

// timeFormat has milliseconds always, so that documents sort as text.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// document is the JSON of a detection and of an alert, in the order in which it
// is written. Names outside leakveil are those of the Elastic Common Schema.
type document struct {
	Timestamp string        `json:"@timestamp"`
	ECS       version       `json:"ecs"`
	Event     eventFields   `json:"event"`
	Rule      ruleFields    `json:"rule"`
	Service   *named        `json:"service,omitempty"`
	Cloud     *cloudFields  `json:"cloud,omitempty"`
	Threat    *threatFields `json:"threat,omitempty"`
	Observer  observer      `json:"observer"`
	Leakveil  leakveil      `json:"leakveil"`
}

type version struct {
	Version string `json:"version"`
}

type eventFields struct {
	Kind     string   `json:"kind"`
	Category []string `json:"category"`
	Type     []string `json:"type"`
	Action   string   `json:"action"`
	ID       string   `json:"id"`
	Module   string   `json:"module"`
	Dataset  string   `json:"dataset"`
	Severity int      `json:"severity"`
	Created  string   `json:"created"`
	Start    string   `json:"start"`
	End      string   `json:"end"`
}

type ruleFields struct {
	ID string `json:"id"`
}

// named holds service.name: one text, or several in an alert.
type named struct {
	Name any `json:"name"`
}

type cloudFields struct {
	Region string `json:"region"`
}

type threatFields struct {
	Framework string     `json:"framework"`
	Technique threatName `json:"technique"`
}

type threatName struct {
	ID   []string `json:"id"`
	Name []string `json:"name"`
}

type observer struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	Type    string `json:"type"`
}

type leakveil struct {
	Schema struct {
		Version int `json:"version"`
	} `json:"schema"`
	Detection        *idFields    `json:"detection,omitempty"`
	Alert            *alertFields `json:"alert,omitempty"`
	Kind             string       `json:"kind"`
	Rule             string       `json:"rule"`
	Severity         string       `json:"severity"`
	SeverityReasons  []string     `json:"severity_reasons,omitempty"`
	Confidence       string       `json:"confidence"`
	ExpiresAt        string       `json:"expires_at,omitempty"`
	Traffic          string       `json:"traffic,omitempty"`
	Client           clientFields `json:"client"`
	Fingerprints     []string     `json:"fingerprints"`
	FingerprintCount int64        `json:"fingerprint_count"`
	KeyID            string       `json:"key_id"`
	Count            int64        `json:"count"`
	Where            whereFields  `json:"where"`
	LastWhere        *whereFields `json:"last_where,omitempty"`
	Action           any          `json:"action"` // one text, or several in an alert
	Excerpt          string       `json:"excerpt,omitempty"`
	Advice           *Advice      `json:"advice,omitempty"`
}

type idFields struct {
	ID string `json:"id"`
}

type alertFields struct {
	ID       string       `json:"id"`
	GroupID  string       `json:"group_id"`
	Sequence int64        `json:"sequence"`
	Window   windowFields `json:"window"`
}

type windowFields struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type clientFields struct {
	ID         string   `json:"id,omitempty"`
	How        string   `json:"how"`
	Confidence string   `json:"confidence,omitempty"`
	Candidates []string `json:"candidates,omitempty"`
}

// whereFields has topic, partition, offset and field, or line and, unless it was
// standard input, file, or signal, field and the ids of the trace, also beside a topic.
type whereFields struct {
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	Field     string `json:"field,omitempty"`
	File      string `json:"file,omitempty"`
	Line      *int64 `json:"line,omitempty"`
	Signal    string `json:"signal,omitempty"`
	TraceID   string `json:"trace_id,omitempty"`
	SpanID    string `json:"span_id,omitempty"`
	Start     int    `json:"start"`
	End       int    `json:"end"`
}

func newDocument(kind, dataset, id, severity string, created time.Time) document {
	doc := document{
		ECS: version{ecsVersion},
		Event: eventFields{
			Kind: kind, Category: []string{"iam"}, Type: []string{"info"},
			Action: "secret-detected-in-log", ID: id, Module: "leakveil", Dataset: dataset,
			Severity: SeverityScore(severity), Created: created.Format(timeFormat),
		},
		Observer: observer{"leakveil", "leakveil", "dlp"},
	}
	doc.Leakveil.Schema.Version = SchemaVersion
	doc.Leakveil.Severity = severity
	return doc
}
