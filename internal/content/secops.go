package content

import (
	"bytes"
	"fmt"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// secopsLabels are the fields that go into security_result.detection_fields, by
// their keys there.
var secopsLabels = []struct{ key, path string }{
	{"oauth_client_id", "leakveil.client.id"}, {"client_how", "leakveil.client.how"}, {"kind", "leakveil.kind"}, {"confidence", "leakveil.confidence"},
	{"alert_id", "leakveil.alert.id"}, {"alert_sequence", "leakveil.alert.sequence"}, {"detections", "leakveil.count"}, {"key_id", "leakveil.key_id"},
	{"region", "cloud.region"}, {"advice_method", "leakveil.advice.method"}, {"advice_where", "leakveil.advice.where"}, {"topic", "leakveil.where.topic"},
}

// secopsLists are lists: an entry each.
var secopsLists = []struct{ key, path string }{
	{"fingerprint", "leakveil.fingerprints"}, {"service", "service.name"}, {"client_candidate", "leakveil.client.candidates"},
}

// SecOpsParser is a custom parser for Google SecOps: alerts as JSON (the file sink,
// or the syslog sink in the format json) become UDM events.
func SecOpsParser() []byte {
	var b bytes.Buffer
	b.WriteString(`# Made by internal/content. A custom parser for alerts as JSON, from the file sink or
# from the syslog sink in the format json.
filter {
  # What a document does not have must still be there.
  mutate {
    replace => {
`)
	needed := []string{"event.id", "event.action", "event.start", "leakveil.severity", "leakveil.advice.text", "rule.id"}
	for _, l := range secopsLabels {
		needed = append(needed, l.path)
	}
	for _, path := range needed {
		if f := known(path); f.Type != field.Long { // numbers are made texts below
			fmt.Fprintf(&b, "      \"%s\" => \"\"\n", path)
		}
	}
	b.WriteString(`    }
  }
  grok {
    match => { "message" => ["(?P<json_message>\\{.*\\})"] }
    overwrite => ["json_message"]
    on_error => "no_json"
  }
  json {
    source => "json_message"
    array_function => "split_columns"
    on_error => "no_json"
  }
  if [no_json] {
    drop { tag => "TAG_MALFORMED_MESSAGE" }
  }
  date {
    match => ["@timestamp", "ISO8601"]
    on_error => "no_time"
  }
  mutate {
    replace => {
      "event_out.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT"
      "event_out.idm.read_only_udm.metadata.vendor_name" => "leakveil"
      "event_out.idm.read_only_udm.metadata.product_name" => "leakveil"
      "event_out.idm.read_only_udm.metadata.product_event_type" => "%{event.action}"
      "event_out.idm.read_only_udm.metadata.product_log_id" => "%{event.id}"
      "event_out.idm.is_alert" => "true"
      "event_out.idm.is_significant" => "true"
      "result.alert_state" => "ALERTING"
      "result.category_details" => "secret-leak"
      "result.rule_id" => "%{rule.id}"
      "result.rule_name" => "%{leakveil.kind}"
      "result.summary" => "Leaked in a log: %{leakveil.kind}"
      "result.description" => "%{leakveil.advice.text}"
    }
    on_error => "no_event"
  }
  mutate {
    convert => {
      "event_out.idm.is_alert" => "boolean"
      "event_out.idm.is_significant" => "boolean"
    }
    on_error => "no_boolean"
  }
`)
	for _, s := range [][2]string{{"critical", "CRITICAL"}, {"high", "HIGH"}, {"medium", "MEDIUM"}, {"low", "LOW"}, {"info", "INFORMATIONAL"}} {
		fmt.Fprintf(&b, "  if [leakveil][severity] == \"%s\" {\n    mutate { replace => { \"result.severity\" => \"%s\" } }\n  }\n", s[0], s[1])
	}
	fmt.Fprintf(&b, "  if [leakveil][client][id] != \"\" {\n    mutate { replace => { \"event_out.idm.read_only_udm.target.application\" => \"%%{%s}\" } }\n  }\n", Name("leakveil.client.id"))
	for _, l := range secopsLabels {
		b.WriteString(secopsLabel(l.key, l.path))
	}
	for _, l := range secopsLists {
		fmt.Fprintf(&b, `  for item in %s {
    mutate {
      replace => {
        "label.key" => "%s"
        "label.value" => "%%{item}"
      }
      on_error => "no_%s"
    }
    if ![no_%s] {
      mutate { merge => { "result.detection_fields" => "label" } }
    }
  }
`, Name(l.path), l.key, l.key, l.key)
	}
	b.WriteString(`  mutate { merge => { "event_out.idm.read_only_udm.security_result" => "result" } }
  mutate { merge => { "@output" => "event_out" } }
}
`)
	return b.Bytes()
}

func secopsLabel(key, path string) string {
	if known(path).Type == field.Long {
		return fmt.Sprintf(`  mutate {
    convert => { "%s" => "string" }
    on_error => "no_%s"
  }
  if ![no_%s] {
    mutate {
      replace => {
        "label.key" => "%s"
        "label.value" => "%%{%s}"
      }
    }
    mutate { merge => { "result.detection_fields" => "label" } }
  }
`, path, key, key, key, path)
	}
	return fmt.Sprintf(`  mutate {
    replace => {
      "label.key" => "%s"
      "label.value" => "%%{%s}"
    }
  }
  if [label][value] != "" {
    mutate { merge => { "result.detection_fields" => "label" } }
  }
`, key, path)
}
