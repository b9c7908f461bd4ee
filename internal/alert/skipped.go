package alert

import "time"

// Skipped is a batch that could not be read and was passed over: nobody knows
// what was in it.
type Skipped struct {
	// ID is DetectionID of the batch's place: the same batch has the same id.
	ID          string
	Topic       string
	Partition   int32
	First, Last int64 // offsets
	Reason      string
	At          time.Time
}

// skippedDocument is the JSON of a Skipped.
type skippedDocument struct {
	Timestamp string         `json:"@timestamp"`
	ECS       version        `json:"ecs"`
	Event     skippedEvent   `json:"event"`
	Observer  observer       `json:"observer"`
	Leakveil  skippedDetails `json:"leakveil"`
}

type skippedEvent struct {
	Kind     string   `json:"kind"`
	Category []string `json:"category"`
	Type     []string `json:"type"`
	Action   string   `json:"action"`
	ID       string   `json:"id"`
	Module   string   `json:"module"`
	Dataset  string   `json:"dataset"`
	Severity int      `json:"severity"`
	Reason   string   `json:"reason"`
}

type skippedDetails struct {
	Schema struct {
		Version int `json:"version"`
	} `json:"schema"`
	Where skippedPlace `json:"where"`
}

type skippedPlace struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first_offset"`
	Last      int64  `json:"last_offset"`
}

// MarshalSkipped returns s as one line of JSON without a newline at its end
// (docs/schema/skipped-v1.json). It is an alert: records are missing.
func MarshalSkipped(s Skipped) []byte {
	doc := skippedDocument{
		Timestamp: s.At.UTC().Format(timeFormat),
		ECS:       version{ecsVersion},
		Event: skippedEvent{
			Kind: "alert", Category: []string{"intrusion_detection"}, Type: []string{"info"}, Action: "batch-skipped",
			ID: s.ID, Module: "leakveil", Dataset: "leakveil.skipped", Severity: SeverityScore("high"), Reason: s.Reason,
		},
		Observer: observer{"leakveil", "leakveil", "dlp"},
	}
	doc.Leakveil.Schema.Version = SchemaVersion
	doc.Leakveil.Where = skippedPlace{s.Topic, s.Partition, s.First, s.Last}
	return encode(doc)
}
