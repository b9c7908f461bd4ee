package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Record is a document, read by the table.
type Record struct {
	// Raw is the document as it was given.
	Raw    []byte
	values map[string][]string // of each path that the document has
}

// ErrMalformed means that a document is not one of leakveil's.
var ErrMalformed = errors.New("field: not a document of leakveil")

// Parse reads a document. Its error never holds a byte of it.
func Parse(document []byte) (Record, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var tree map[string]any
	if d.Decode(&tree) != nil || d.More() {
		return Record{}, ErrMalformed
	}
	r := Record{Raw: document, values: map[string][]string{}}
	for i := range fields {
		if at, ok := find(tree, fields[i].Path); ok {
			if texts := texts(at); len(texts) > 0 {
				r.values[fields[i].Path] = texts
			}
		}
	}
	if r.Text("event.module") != "leakveil" || r.ID() == "" || r.Time("@timestamp").IsZero() {
		return Record{}, ErrMalformed
	}
	return r, nil
}

// find follows a path with dots through objects.
func find(tree map[string]any, path string) (any, bool) {
	for {
		head, rest, more := strings.Cut(path, ".")
		at, ok := tree[head]
		if !ok || !more {
			return at, ok
		}
		if tree, ok = at.(map[string]any); !ok {
			return nil, false
		}
		path = rest
	}
}

func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case json.Number:
		return []string{v.String()}
	case []any:
		var out []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// Has reports whether the document has the field.
func (r Record) Has(path string) bool { return len(r.values[path]) > 0 }

// List returns all values of a field.
func (r Record) List(path string) []string { return r.values[path] }

// Text returns a field's values with commas between.
func (r Record) Text(path string) string { return strings.Join(r.values[path], ",") }

// Int returns a number, 0 if there is none.
func (r Record) Int(path string) int64 {
	n, _ := strconv.ParseInt(r.Text(path), 10, 64)
	return n
}

// Time returns a time in UTC; the zero time if there is none.
func (r Record) Time(path string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.Text(path))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// ID is unique to the document: the alert's id and sequence, else the event's id.
func (r Record) ID() string {
	id := r.Text("event.id")
	if n := r.Text("leakveil.alert.sequence"); n != "" {
		id += "-" + n
	}
	return id
}

// Title says in a few fixed words what happened; no part of it comes from a
// record but the kind, which is one of a closed list.
func (r Record) Title() string {
	switch {
	case r.Text("event.action") == "batch-skipped":
		return "A batch of records was passed over unread"
	case r.Text("event.action") == "alerts-held-back":
		return "Alerts were held back by the configured rate"
	case r.Text("leakveil.traffic") == "test":
		return "TEST of leakveil, nothing leaked"
	case r.Has("leakveil.kind"):
		return "Leaked in a log: " + r.Text("leakveil.kind")
	}
	return "leakveil: " + r.Text("event.action")
}

// Summary is the title with client, count, services and region, for people.
func (r Record) Summary() string {
	var b strings.Builder
	b.WriteString(r.Title())
	add := func(before, value string) {
		if value != "" {
			b.WriteString(before + value)
		}
	}
	client := r.Text("leakveil.client.id")
	if client == "" && r.Has("leakveil.client.candidates") {
		client = "one of " + strings.Join(r.List("leakveil.client.candidates"), ", ")
	} else if client == "" && r.Has("leakveil.client.how") {
		client = "unknown"
	}
	add("; alerts ", r.Text("leakveil.digest.alerts"))
	add("; new detections ", r.Text("leakveil.digest.detections"))
	add("; what ", strings.Join(r.List("leakveil.digest.kinds"), ", "))
	add("; clients ", strings.Join(r.List("leakveil.digest.clients"), ", "))
	add("; client ", client)
	add("; service ", strings.Join(r.List("service.name"), ", "))
	add("; region ", r.Text("cloud.region"))
	add("; detections ", r.Text("leakveil.count"))
	add("; topic ", r.Text("leakveil.where.topic"))
	return b.String()
}

// Severity is the word info, low, medium, high or critical.
func (r Record) Severity() string {
	if s := r.Text("leakveil.severity"); s != "" {
		return s
	}
	switch n := r.Int("event.severity"); {
	case n >= 99:
		return "critical"
	case n >= 73:
		return "high"
	case n >= 47:
		return "medium"
	case n >= 21:
		return "low"
	}
	return "info"
}

// Cut returns s cut to at most limit bytes on a character border; what was cut
// ends in "…". limit is at least 3.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	keep := limit - len("…")
	for keep > 0 && s[keep]&0xc0 == 0x80 {
		keep--
	}
	return s[:keep] + "…"
}
