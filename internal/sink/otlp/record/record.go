// Package record makes OTLP log records of leakveil's documents: the semantic
// convention of docs/alert-fields.md. The sink and the Collector's connector
// share it. It must never set log.record.original.
package record

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// Names of events and of the scope.
const (
	SecretDetected = "leakveil.secret.detected"
	BatchSkipped   = "leakveil.batch.skipped"
	Scope          = "github.com/leakveil/leakveil"
	AlertsHeldBack = "leakveil.alerts.held_back"
	UID            = "log.record.uid"
)

var severities = map[string]plog.SeverityNumber{
	"info": plog.SeverityNumberInfo, "low": plog.SeverityNumberInfo2, "medium": plog.SeverityNumberWarn,
	"high": plog.SeverityNumberError, "critical": plog.SeverityNumberFatal,
}

// Fill writes r into an empty log record.
func Fill(to plog.LogRecord, r field.Record) {
	to.SetEventName(SecretDetected)
	if r.Text("event.action") == "batch-skipped" {
		to.SetEventName(BatchSkipped)
	} else if r.Text("event.action") == "alerts-held-back" {
		to.SetEventName(AlertsHeldBack)
	}
	to.SetTimestamp(pcommon.NewTimestampFromTime(r.Time("@timestamp")))
	if made := r.Time("event.created"); !made.IsZero() {
		to.SetObservedTimestamp(pcommon.NewTimestampFromTime(made))
	} else {
		to.SetObservedTimestamp(to.Timestamp())
	}
	to.SetSeverityNumber(severities[r.Severity()])
	to.SetSeverityText(r.Severity())
	to.Body().SetStr(r.Summary())
	to.Attributes().PutStr(UID, r.ID())
	for _, f := range field.Fields() {
		if f.OTLP != "-" && r.Has(f.Path) {
			put(to.Attributes(), f, r)
		}
	}
}

func put(to pcommon.Map, f field.Field, r field.Record) {
	switch {
	case f.List:
		list := to.PutEmptySlice(f.OTLP)
		for _, one := range r.List(f.Path) {
			list.AppendEmpty().SetStr(one)
		}
	case f.Type == field.Long || f.Type == field.Integer:
		if n, err := strconv.ParseInt(r.Text(f.Path), 10, 64); err == nil {
			to.PutInt(f.OTLP, n)
		}
	default:
		to.PutStr(f.OTLP, r.Text(f.Path))
	}
}

// Resource adds leakveil's resource and scope to logs and returns the records.
func Resource(logs plog.Logs) plog.LogRecordSlice {
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "leakveil")
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(Scope)
	return scope.LogRecords()
}
