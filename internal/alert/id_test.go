package alert

import (
	"reflect"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/rules"
)

func TestDetectionIDTellsPlacesApart(t *testing.T) {
	base := event.Where{Topic: "a", Partition: 1, Offset: 2, Field: "value", Start: 3, End: 9}
	places := []event.Where{base, {}, {Line: 1}, {File: "a"}, {File: "a", Line: 1}, {File: "a1"}, {Start: 1}}
	for _, change := range []func(*event.Where){
		func(w *event.Where) { w.Topic = "b" },
		func(w *event.Where) { w.Partition = 12 },
		func(w *event.Where) { w.Offset = 22 },
		func(w *event.Where) { w.Field = "key" },
		func(w *event.Where) { w.Start = 4 },
	} {
		w := base
		change(&w)
		places = append(places, w)
	}
	seen := map[string]event.Where{}
	for _, w := range places {
		id := DetectionID(testKey, w, "rule")
		if before, ok := seen[id]; ok || len(id) != idLen {
			t.Errorf("%+v and %+v have the id %q", before, w, id)
		}
		seen[id] = w
	}
	id := DetectionID(testKey, base, "rule")
	longer := base
	longer.End = 99
	if id != DetectionID(testKey, longer, "rule") {
		t.Error("the end changes the id")
	}
	if id == DetectionID(testKey, base, "other") || id == DetectionID(randomKey(), base, "rule") {
		t.Error("rule or key does not change the id")
	}
}

func TestPayloadIDTellsPlacesApart(t *testing.T) {
	base := event.Where{Topic: "a", Partition: 1, Offset: 2}
	ids := map[string]bool{
		DetectionID(testKey, base, "inner"): true, PayloadID(testKey, base, "inner", 0): true, PayloadID(testKey, base, "inner", 1): true,
		PayloadID(testKey, base, "other", 0): true, PayloadID(randomKey(), base, "inner", 0): true,
		PayloadID(testKey, event.Where{Topic: "b", Partition: 1, Offset: 2}, "inner", 0): true,
		PayloadID(testKey, event.Where{Topic: "a", Partition: 2, Offset: 2}, "inner", 0): true,
		PayloadID(testKey, event.Where{Topic: "a", Partition: 1, Offset: 3}, "inner", 0): true,
	}
	if len(ids) != 8 {
		t.Errorf("%d ids of 8 places", len(ids))
	}
	base.Field, base.Signal = "body", "logs" // are in the inner id already
	if !ids[PayloadID(testKey, base, "inner", 0)] {
		t.Error("the id is not stable")
	}
}

func TestClientKeyTellsClientsApart(t *testing.T) {
	seen := map[string]event.Client{}
	for _, c := range []event.Client{
		{}, {ID: "unknown"}, {ID: "a"}, {Candidates: []string{"a"}}, {Candidates: []string{"a", "b"}},
		{Candidates: []string{"a1:b"}}, {ID: "any:1:a"}, {ID: strings.Repeat("a", 300)},
	} {
		key := ClientKey(c)
		if before, ok := seen[key]; ok {
			t.Errorf("%+v and %+v have the key %q", before, c, key)
		}
		seen[key] = c
	}
	if ClientKey(event.Client{Candidates: []string{"b", "a", "b"}}) != ClientKey(event.Client{Candidates: []string{"a", "b"}}) {
		t.Error("the order of candidates changes the key")
	}
}

func TestTablesCoverTheClosedLists(t *testing.T) {
	if len(advices) != len(rules.Kinds()) {
		t.Errorf("%d advices for %d kinds", len(advices), len(rules.Kinds()))
	}
	for _, kind := range rules.Kinds() {
		advice := AdviceFor(string(kind))
		if _, ok := advices[string(kind)]; !ok || advice.Method == "" || advice.Text == "" || advice.Where == "" {
			t.Errorf("kind %s: advice %+v", kind, advice)
		}
		if strings.Contains(advice.Text+advice.Where, "://") {
			t.Errorf("kind %s: the advice holds an address", kind)
		}
	}
	if AdviceFor("new").Method != "review" {
		t.Error("an unknown kind is not to be reviewed")
	}
	for i, s := range []rules.Severity{rules.Info, rules.Low, rules.Medium, rules.High, rules.Critical} {
		if rank(severities, string(s)) != i || i > 0 && SeverityScore(severities[i]) <= SeverityScore(severities[i-1]) {
			t.Errorf("severity %s is out of order", s)
		}
	}
	for i, c := range []rules.Confidence{rules.Possible, rules.Likely, rules.Certain, rules.Proven} {
		if rank(confidences, string(c)) != i {
			t.Errorf("confidence %s is out of order", c)
		}
	}
}

// What may be in a detection is a decision: a new field has to be looked at for
// whether it could hold a byte of a secret or of a record.
func TestDetectionHasNoFieldForASecret(t *testing.T) {
	known := map[string]string{
		"Detection": "ID Time Kind Rule Severity Reasons Confidence Expires Client Fingerprint KeyID Where Service Region Action Traffic Excerpt",
		"Client":    "ID How Confidence Candidates",
		"Where":     "Topic Partition Offset Field Signal TraceID SpanID File Line Start End",
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[event.Detection](), reflect.TypeFor[event.Client](), reflect.TypeFor[event.Where](),
	} {
		var names []string
		for i := range typ.NumField() {
			names = append(names, typ.Field(i).Name)
		}
		if got := strings.Join(names, " "); got != known[typ.Name()] {
			t.Errorf("%s has the fields %s", typ.Name(), got)
		}
	}
}
