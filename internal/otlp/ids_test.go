package otlp

import (
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Two leaks are two detections, though nothing tells them apart: records without a time,
// texts of one list. The same request again has the same ids.
func TestEachDetectionHasItsID(t *testing.T) {
	m := testMasker(t, nil)
	v := secret()
	ask := func() map[string]bool {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for range 3 {
			l := records.AppendEmpty()
			l.Body().SetStr("code_verifier=" + v)
			list := l.Attributes().PutEmptySlice("http.request.header.authorization")
			list.AppendEmpty().SetStr("Bearer " + v)
			list.AppendEmpty().SetStr("Bearer " + v)
		}
		out, err := m.Logs(ld)
		if err != nil || len(out.Detections) != 9 {
			t.Fatalf("%v, %d detections", err, len(out.Detections))
		}
		ids := map[string]bool{}
		for i := range out.Detections {
			ids[out.Detections[i].ID] = true
		}
		return ids
	}
	first, again := ask(), ask()
	if len(first) != 9 {
		t.Errorf("%d ids", len(first))
	}
	for id := range again {
		if !first[id] {
			t.Error("another id the second time")
		}
	}
}

// What one request of JSON has of another signal would be lost, or pass unread.
func TestTwoSignalsInOneJSON(t *testing.T) {
	m := testMasker(t, nil)
	const logs = `"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"ok, \"resourceSpans\""},"attributes":[{"key":"resourceSpans","value":{"intValue":"1"}}]}]}]}]`
	const spans = `"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]`
	for text, bad := range map[string]bool{"{" + logs + "}": false, "{" + spans + "}": true, "{" + logs + "," + spans + "}": true, "{" + spans + "," + logs + "}": true} {
		out, _, err := m.Payload(Logs, JSON, []byte(text), time.Time{})
		if bad && !errors.Is(err, ErrDecode) || !bad && (err != nil || string(out) != text) {
			t.Errorf("%.40s: %v %s", text, err, out)
		}
	}
}
