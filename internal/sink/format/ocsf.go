package format

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// Classes of OCSF 1.8 that a document can be rendered as.
const (
	DetectionFinding    = 2004
	DataSecurityFinding = 2006
)

// object is JSON; encoding/json writes its members sorted, so that the same
// document has the same bytes.
type object = map[string]any

var ocsfSeverity = map[string]int{"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}

// OCSF renders a document as an event of OCSF 1.8.0, of class DetectionFinding
// or DataSecurityFinding. Activity is Create for an alert's first state and
// Update for later ones.
func OCSF(r field.Record, class int) []byte {
	activity := 1
	if r.Int("leakveil.alert.sequence") > 1 {
		activity = 2
	}
	event := object{
		"activity_id": activity, "category_uid": 2, "class_uid": class, "type_uid": class*100 + activity,
		"time": millis(made(r)), "severity_id": ocsfSeverity[r.Severity()], "status_id": 1, "is_alert": true,
		"message": field.Cut(r.Summary(), 1024), "finding_info": findingInfo(r),
		"metadata": object{
			"version": "1.8.0", "uid": r.ID(), "log_name": r.Text("event.dataset"), "profiles": []string{"security_control"},
			"product": object{"name": "leakveil", "vendor_name": "leakveil"},
		},
		"unmapped": unmapped(r),
	}
	put(event, "count", r.Int("leakveil.count"))
	put(event, "start_time", millis(r.Time("event.start")))
	put(event, "end_time", millis(r.Time("event.end")))
	if score := map[string]int{"possible": 1, "likely": 2, "certain": 3, "proven": 3}[r.Text("leakveil.confidence")]; score > 0 {
		event["confidence_id"] = score
	}
	event["disposition_id"], event["action_id"] = disposition(r)
	resources, observables := affected(r)
	if len(resources) > 0 {
		event["resources"], event["observables"] = resources, observables
	}
	if text := r.Text("leakveil.advice.text"); text != "" && class == DetectionFinding {
		event["remediation"] = object{"desc": text}
	}
	if class == DetectionFinding {
		event["evidences"] = []any{object{"name": "place", "data": place(r)}}
	} else {
		event["data_security"] = object{"detection_system_id": 10, "data_lifecycle_state_id": 2, "category_id": 6, "confidentiality_id": 3}
	}
	return line(event)
}

func findingInfo(r field.Record) object {
	info := object{
		"uid": r.Text("event.id"), "title": r.Title(), "types": []string{r.Text("event.action")},
		"analytic": object{"uid": signature(r), "name": signature(r), "type_id": 1},
	}
	put(info, "first_seen_time", millis(r.Time("event.start")))
	put(info, "last_seen_time", millis(r.Time("event.end")))
	put(info, "related_events_count", r.Int("leakveil.count"))
	if techniques := r.List("threat.technique.id"); len(techniques) > 0 {
		var attacks []any
		for _, id := range techniques {
			attacks = append(attacks, object{"technique": object{"uid": id}, "version": "18.1"})
		}
		info["attacks"] = attacks
	}
	return info
}

// affected are the client and the services, as resources and for pivots.
func affected(r field.Record) (resources, observables []any) {
	clients := r.List("leakveil.client.id")
	if len(clients) == 0 {
		clients = r.List("leakveil.client.candidates")
	}
	for _, id := range clients {
		resources = append(resources, object{"uid": id, "type": "OAuth client", "role_id": 3})
		observables = append(observables, object{"name": "resources.uid", "type_id": 10, "value": id})
	}
	for _, name := range r.List("service.name") {
		resources = append(resources, object{"name": name, "type": "service", "role_id": 4})
	}
	for _, fingerprint := range r.List("leakveil.fingerprints") {
		observables = append(observables, object{"name": "unmapped.leakveil.fingerprints", "type_id": 30, "value": fingerprint})
	}
	return resources, observables
}

// disposition says what leakveil did: corrected (masked) when no value was only
// reported, else detected; and the action, modified or observed.
func disposition(r field.Record) (disposition, action int) {
	for _, did := range r.List("leakveil.action") {
		if did == "report" {
			return 15, 3
		}
	}
	if !r.Has("leakveil.action") {
		return 15, 3
	}
	return 11, 4
}

// place is where the first value was.
func place(r field.Record) object {
	where := object{}
	for _, f := range field.Fields() {
		if name, ok := cutPrefix(f.Path, "leakveil.where."); ok && r.Has(f.Path) {
			where[name] = value(f, r)
		}
	}
	return where
}

func cutPrefix(path, prefix string) (string, bool) {
	if len(path) <= len(prefix) || path[:len(prefix)] != prefix {
		return "", false
	}
	return path[len(prefix):], true
}

// unmapped is everything of leakveil's own, under its own names with dots.
func unmapped(r field.Record) object {
	own := object{}
	for _, f := range field.Fields() {
		if name, ok := cutPrefix(f.Path, "leakveil."); ok && r.Has(f.Path) {
			own[name] = value(f, r)
		}
	}
	if region := r.Text("cloud.region"); region != "" {
		own["region"] = region
	}
	if reason := r.Text("event.reason"); reason != "" {
		own["reason"] = reason
	}
	return object{"leakveil": own}
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

// made is when the state of the alert was made, else the event time.
func made(r field.Record) time.Time {
	if at := r.Time("event.created"); !at.IsZero() {
		return at
	}
	return r.Time("@timestamp")
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// put sets a number that is known.
func put(to object, name string, n int64) {
	if n > 0 {
		to[name] = n
	}
}

// line writes JSON in one line without HTML escapes.
func line(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("format: BUG: an event could not be written as JSON")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
