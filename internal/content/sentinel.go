package content

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// sentinelColumns are the columns of CommonSecurityLog for the keys of CEF that
// the table of fields uses (Microsoft's "CEF and CommonSecurityLog field mapping").
var sentinelColumns = map[string]string{
	"act": "DeviceAction", "cat": "DeviceEventCategory", "cnt": "EventCount", "end": "EndTime", "externalId": "ExtID", "filePath": "FilePath",
	"flexString1": "FlexString1", "msg": "Message", "reason": "Reason", "rt": "ReceiptTime", "sourceServiceName": "SourceServiceName", "start": "StartTime",
	"cn1": "FieldDeviceCustomNumber1", "cn2": "FieldDeviceCustomNumber2", "cn3": "FieldDeviceCustomNumber3",
	"cs1": "DeviceCustomString1", "cs2": "DeviceCustomString2", "cs3": "DeviceCustomString3", "cs4": "DeviceCustomString4", "cs5": "DeviceCustomString5", "cs6": "DeviceCustomString6",
}

// SentinelColumn is the column of CommonSecurityLog that a field arrives in.
func SentinelColumn(path string) string {
	f := known(path)
	column := sentinelColumns[f.CEF]
	if column == "" {
		panic("content: BUG: " + path + " has no column in CommonSecurityLog")
	}
	return column
}

// sentinelNames are the fields that the function gives, by their names there.
var sentinelNames = []struct{ name, path string }{
	{"AlertId", "leakveil.alert.id"}, {"Sequence", "leakveil.alert.sequence"}, {"ClientId", "leakveil.client.id"}, {"ClientHow", "leakveil.client.how"},
	{"Kind", "leakveil.kind"}, {"Confidence", "leakveil.confidence"}, {"Region", "cloud.region"}, {"Detections", "leakveil.count"},
	{"FirstSeen", "event.start"}, {"LastSeen", "event.end"}, {"Advice", "leakveil.advice.method"}, {"AdviceText", "leakveil.advice.text"},
	{"Topic", "leakveil.where.topic"}, {"File", "leakveil.where.file"}, {"Done", "leakveil.action"},
}

const sentinelDir = "deploy/siem/sentinel/"

func sentinel(out map[string][]byte) {
	out[sentinelDir+"LeakveilAlerts.kql"] = sentinelFunction()
	for name, q := range sentinelQueries {
		out[sentinelDir+"queries/"+name+".kql"] = []byte("// " + q.says + "\n" + q.text)
	}
	for name, r := range sentinelRules {
		out[sentinelDir+"rules/"+name+".yaml"] = r.yaml(name)
	}
}

// sentinelFunction reads leakveil's CEF messages and keeps the last state of each
// alert: neither the agent nor the table knows repeats.
func sentinelFunction() []byte {
	var b bytes.Buffer
	b.WriteString(`// Made by internal/content. Save it as the function LeakveilAlerts: alerts of the
// syslog sink in the format cef, in their last state.
CommonSecurityLog
| where DeviceVendor == "leakveil" and DeviceProduct == "leakveil"
`)
	fmt.Fprintf(&b, "| where %s == \"secret-detected-in-log\"\n| extend\n", SentinelColumn("event.action"))
	for _, n := range sentinelNames {
		column := SentinelColumn(n.path)
		if known(n.path).Type == field.Date {
			column = "todatetime(" + column + ")"
		}
		fmt.Fprintf(&b, "    %s = %s,\n", n.name, column)
	}
	fmt.Fprintf(&b, "    Fingerprints = split(%s, \",\"),\n    Services = split(%s, \",\"),\n    Severity = toint(LogSeverity),\n    Rule = DeviceEventClassID\n",
		SentinelColumn("leakveil.fingerprints"), SentinelColumn("service.name"))
	b.WriteString("| summarize arg_max(Sequence, *) by AlertId\n| project\n    TimeGenerated, Severity, Rule, Fingerprints, Services")
	for _, n := range sentinelNames {
		b.WriteString(", " + n.name)
	}
	b.WriteString("\n")
	return b.Bytes()
}

type kql struct{ says, text string }

var sentinelQueries = map[string]kql{
	"clients-today": {"Which clients leaked today, what, since when, from which service, and what to do.", `LeakveilAlerts
| where LastSeen >= startofday(now())
| mv-expand Fingerprint = Fingerprints to typeof(string)
| mv-expand Service = Services to typeof(string)
| summarize Values = dcount(Fingerprint), Alerts = dcount(AlertId), FirstSeen = min(FirstSeen), LastSeen = max(LastSeen), Services = make_set(Service, 16), Advice = take_any(Advice)
    by ClientId = iff(isempty(ClientId), "(not known)", ClientId), Kind
| order by LastSeen desc
`},
	"value": {"The alerts with a fingerprint: leakveil fingerprint --key-file key.bin < value.txt.", `let fingerprint = "FINGERPRINT";
LeakveilAlerts
| where set_has_element(Fingerprints, fingerprint)
| project Kind, ClientId, FirstSeen, LastSeen, Services, AlertId
`},
	"stopped": {"When the leaks of a client were last seen.", `let client = "CLIENT";
LeakveilAlerts
| where ClientId == client
| summarize Alerts = dcount(AlertId), Latest = max(LastSeen) by Kind, Hour = bin(LastSeen, 1h)
| order by Latest desc
`},
	"same-value": {"Values that several services wrote.", `LeakveilAlerts
| mv-expand Fingerprint = Fingerprints to typeof(string)
| mv-expand Service = Services to typeof(string)
| summarize Services = make_set(Service, 16), Count = dcount(Service), Clients = make_set(ClientId, 16), FirstSeen = min(FirstSeen) by Fingerprint, Kind
| where Count > 1
| order by Count desc
`},
}

// sentinelRule is an analytics rule in the form of Microsoft's repository of them.
type sentinelRule struct {
	id, name, says, severity, query string
}

var sentinelRules = map[string]sentinelRule{
	"critical-secret-leaked": {"6c1f0a52-3c1b-4a37-9f0e-5b6a0f2c9d11", "Critical OAuth secret leaked into a log",
		"A secret of critical severity stands in a log. Whoever reads the raw log can use it until it is revoked.", "High", "LeakveilAlerts\n| where LastSeen > ago(10m) and Severity >= 9\n"},
	"many-clients-one-service": {"b0a7c4a9-0f0d-4a55-8a53-0d7b7f6fb3a2", "One service leaks secrets of many OAuth clients",
		"A service logs the secrets of five clients or more within an hour, as a gateway with debug logging does.", "Medium", `LeakveilAlerts
| where LastSeen > ago(1h) and isnotempty(ClientId)
| mv-expand Service = Services to typeof(string)
| summarize Clients = dcount(ClientId), ClientId = take_any(ClientId), Kinds = make_set(Kind, 16) by Service
| where Clients >= 5
`},
}

func (r sentinelRule) yaml(string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Made by internal/content. Needs the function LeakveilAlerts.
id: %s
name: %s
kind: Scheduled
version: 1.0.0
description: %s
severity: %s
requiredDataConnectors:
  - connectorId: CefAma
    dataTypes: [CommonSecurityLog]
queryFrequency: 10m
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
tactics: [CredentialAccess]
relevantTechniques: [T1552]
query: |
  %s
entityMappings:
  - entityType: CloudApplication
    fieldMappings:
      - {identifier: Name, columnName: ClientId}
`, r.id, r.name, r.says, r.severity, strings.ReplaceAll(strings.TrimSuffix(r.query, "\n"), "\n", "\n  "))
	return b.Bytes()
}
