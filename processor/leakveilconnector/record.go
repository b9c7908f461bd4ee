package leakveilconnector

import (
	"encoding/hex"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
)

// Names of the convention (README.md): the fields of detections as OTLP attributes.
const (
	eventName = "leakveil.secret.detected"
	scopeName = "github.com/leakveil/leakveil"
)

var severities = map[string]plog.SeverityNumber{
	"info": plog.SeverityNumberInfo, "low": plog.SeverityNumberInfo2, "medium": plog.SeverityNumberWarn,
	"high": plog.SeverityNumberError, "critical": plog.SeverityNumberFatal,
}

// records makes a log record of each detection.
func records(detections []event.Detection) plog.Logs {
	ld := plog.NewLogs()
	resource := ld.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "leakveil")
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(scopeName)
	list := scope.LogRecords()
	list.EnsureCapacity(len(detections))
	now := time.Now()
	for i := range detections {
		fill(list.AppendEmpty(), alert.Clean(detections[i], now), now)
	}
	return ld
}

// fill writes a detection into an empty record.
func fill(l plog.LogRecord, d event.Detection, now time.Time) {
	l.SetEventName(eventName)
	l.SetTimestamp(pcommon.NewTimestampFromTime(d.Time))
	l.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	l.SetSeverityNumber(severities[d.Severity])
	l.SetSeverityText(d.Severity)
	l.Body().SetStr(summary(d))
	if id, err := hex.DecodeString(d.Where.TraceID); err == nil && len(id) == 16 {
		l.SetTraceID(pcommon.TraceID(id))
	}
	if id, err := hex.DecodeString(d.Where.SpanID); err == nil && len(id) == 8 {
		l.SetSpanID(pcommon.SpanID(id))
	}
	a := l.Attributes()
	a.EnsureCapacity(24)
	for _, f := range [...]struct{ name, text string }{
		{"log.record.uid", d.ID}, {"leakveil.id", d.ID}, {"leakveil.detection.id", d.ID},
		{"leakveil.kind", d.Kind}, {"leakveil.rule", d.Rule}, {"security_rule.name", d.Rule},
		{"leakveil.severity", d.Severity}, {"leakveil.confidence", d.Confidence},
		{"leakveil.client.id", d.Client.ID}, {"leakveil.client.how", string(d.Client.How)}, {"leakveil.client.confidence", d.Client.Confidence},
		{"leakveil.key_id", d.KeyID}, {"leakveil.region", d.Region},
		{"leakveil.expires_at", formatTime(d.Expires)}, {"leakveil.traffic", d.Traffic}, {"leakveil.excerpt", d.Excerpt},
		{"leakveil.where.signal", d.Where.Signal}, {"leakveil.where.field", d.Where.Field},
	} {
		if f.text != "" {
			a.PutStr(f.name, f.text)
		}
	}
	a.PutInt("leakveil.severity_score", int64(alert.SeverityScore(d.Severity)))
	a.PutInt("leakveil.where.start", int64(d.Where.Start))
	a.PutInt("leakveil.where.end", int64(d.Where.End))
	putList(a, "leakveil.severity_reasons", d.Reasons...)
	putList(a, "leakveil.action", d.Action)
	putList(a, "leakveil.fingerprints", d.Fingerprint)
	putList(a, "leakveil.services", d.Service)
	putList(a, "leakveil.client.candidates", d.Client.Candidates...)
}

// formatTime is a time as documents have it, "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func putList(a pcommon.Map, name string, texts ...string) {
	if len(texts) == 0 || texts[0] == "" {
		return
	}
	list := a.PutEmptySlice(name)
	for _, text := range texts {
		list.AppendEmpty().SetStr(text)
	}
}

// summary is one sentence for people.
func summary(d event.Detection) string {
	client := d.Client.ID
	switch {
	case client != "":
	case len(d.Client.Candidates) > 0:
		client = "one of " + strings.Join(d.Client.Candidates, ", ")
	default:
		client = "unknown"
	}
	text := "Leaked in " + d.Where.Signal + ": " + d.Kind + "; client " + client
	if d.Service != "" {
		text += "; service " + d.Service
	}
	if d.Region != "" {
		text += "; region " + d.Region
	}
	return text
}
