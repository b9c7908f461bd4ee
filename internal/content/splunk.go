package content

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// splunkOwn are names that the HEC sink gives by itself: the word of the CIM for
// the severity, and the document's own id.
var splunkOwn = map[string]string{"leakveil.severity": "severity", "event.id": "id", "@timestamp": "_time"}

// SplunkName is a field's name in Splunk: the one of the table, else the place in
// the whole document that each event carries.
func SplunkName(path string) string {
	f := known(path)
	switch own := splunkOwn[path]; {
	case own != "":
		return own
	case f.Splunk != "":
		return f.Splunk
	}
	return "document." + path
}

const splunkApp = "deploy/siem/splunk/leakveil/"

func splunk(out map[string][]byte) {
	out[splunkApp+"default/props.conf"] = splunkProps()
	out[splunkApp+"default/savedsearches.conf"] = savedSearches()
	out[splunkApp+"default/data/ui/views/leakveil.xml"] = splunkView()
	out["deploy/siem/splunk/sigma-pipeline.yml"] = sigmaPipeline()
}

// splunkProps reads events as JSON, and gives lists, which Splunk calls name{},
// their plain names.
func splunkProps() []byte {
	var b bytes.Buffer
	b.WriteString("# Made by internal/content.\n[leakveil:alert]\nKV_MODE = json\nTRUNCATE = 262144\nSHOULD_LINEMERGE = false\n")
	for _, f := range field.Fields() {
		if f.List && f.Splunk != "" {
			fmt.Fprintf(&b, "FIELDALIAS-%s = \"%s{}\" AS %s\n", f.Splunk, f.Splunk, f.Splunk)
		}
	}
	return b.Bytes()
}

var splunkMeasures = map[string]string{"cardinality": "dc", "min": "min", "max": "max"}

// SPL is a panel's search.
func (p Panel) SPL() string {
	base := "`leakveil_alerts`"
	if values := p.Where[dataset]; len(values) != 1 || values[0] != "leakveil.alert" {
		base = "`leakveil_events` " + in(dataset, values) + " | dedup id"
	}
	for _, name := range sorted(p.Where) {
		if name != dataset {
			base += " | search " + in(name, p.Where[name])
		}
	}
	var stats, by []string
	for _, m := range p.Measure {
		stats = append(stats, fmt.Sprintf("%s(%s) AS \"%s\"", splunkMeasures[measures[m].agg], SplunkName(measures[m].field), measures[m].title))
	}
	for _, name := range p.By {
		by = append(by, SplunkName(name))
	}
	first := ""
	if len(p.Measure) > 0 {
		first = measures[p.Measure[0]].title
	}
	switch p.Draw {
	case Number:
		return base + " | stats " + strings.Join(stats, " ")
	case Bars:
		return fmt.Sprintf("%s | timechart limit=%d useother=false %s BY %s", base, maxSeries, stats[0], by[0])
	case List:
		columns := []string{"_time"}
		for _, name := range p.Columns {
			columns = append(columns, SplunkName(name))
		}
		return base + " | sort 100 - _time | table " + strings.Join(columns, " ")
	}
	return fmt.Sprintf("%s | stats %s BY %s | sort %d - \"%s\"", base, strings.Join(stats, " "), strings.Join(by, " "), groups, first)
}

func in(name string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return SplunkName(name) + " IN (" + strings.Join(quoted, ", ") + ")"
}

// splunkAlert is a search that runs by itself.
type splunkAlert struct {
	name, says, search, every, back, suppress string
	severity                                  int
}

func splunkAlerts() []splunkAlert {
	client, kind, service, print := SplunkName("leakveil.client.id"), SplunkName("leakveil.kind"), SplunkName("service.name"), SplunkName("leakveil.fingerprints")
	table := " | table _time " + strings.Join([]string{client, kind, service, SplunkName("leakveil.advice.method"), SplunkName("leakveil.advice.text"), SplunkName("leakveil.alert.id")}, " ")
	return []splunkAlert{
		{"leakveil: critical secret leaked", "A client secret, a pair of code and verifier or the like stands in a log.",
			"`leakveil_alerts` | search " + in("leakveil.severity", []string{"critical"}) + table, "*/5 * * * *", "-10m", client + "," + kind, 5},
		{"leakveil: one service leaks many clients", "A gateway or proxy logs what passes through it.",
			fmt.Sprintf("`leakveil_alerts` | stats dc(%s) AS clients values(%s) AS kinds BY %s | where clients >= 5", client, kind, service), "7 * * * *", "-60m", service, 4},
		{"leakveil: one value in the logs of several services", "A value is passed on and logged on its way.",
			fmt.Sprintf("`leakveil_alerts` | stats dc(%s) AS services values(%s) AS in_services values(%s) AS clients BY %s | where services >= 2", service, service, client, print), "17 * * * *", "-24h", print, 4},
		{"leakveil: batch passed over unread", "leakveil went on without records that it could not read.",
			"`leakveil_events` " + in(dataset, []string{"leakveil.skipped"}) + " | dedup id | table _time " + SplunkName("leakveil.where.topic") + " " + SplunkName("event.reason"), "*/5 * * * *", "-10m", "id", 4},
	}
}

func savedSearches() []byte {
	var b bytes.Buffer
	b.WriteString("# Made by internal/content. Alerts are off: switch on those that you want.\n")
	for _, a := range splunkAlerts() {
		fmt.Fprintf(&b, "\n[%s]\ndescription = %s\nsearch = %s\ndisabled = 0\nenableSched = 0\ncron_schedule = %s\ndispatch.earliest_time = %s\ndispatch.latest_time = now\n", a.name, a.says, a.search, a.every, a.back)
		fmt.Fprintf(&b, "counttype = number of events\nrelation = greater than\nquantity = 0\nalert.digest_mode = 0\nalert.track = 1\nalert.severity = %d\nalert.suppress = 1\nalert.suppress.fields = %s\nalert.suppress.period = 1h\n", a.severity, a.suppress)
	}
	for _, p := range panels {
		if p.Draw == Table || p.Draw == List {
			fmt.Fprintf(&b, "\n[leakveil: %s]\nsearch = %s\ndispatch.earliest_time = -24h\ndispatch.latest_time = now\n", p.Title, p.SPL())
		}
	}
	return b.Bytes()
}

// splunkView is the dashboard, for Dashboard Studio.
func splunkView() []byte {
	kinds := map[Draw]string{Number: "splunk.singlevalue", Bars: "splunk.column", Table: "splunk.table", List: "splunk.table"}
	visualizations, sources, structure := object{}, object{}, []any{}
	for i, b := range layout(24, 1) {
		p := panels[i]
		options := object{}
		if p.Draw == Bars {
			options["stackMode"] = "stacked"
		}
		sources["ds_"+p.ID] = object{"type": "ds.search", "name": p.Title, "options": object{
			"query": p.SPL(), "queryParameters": object{"earliest": "$time.earliest$", "latest": "$time.latest$"},
		}}
		visualizations["viz_"+p.ID] = object{"type": kinds[p.Draw], "title": p.Title, "dataSources": object{"primary": "ds_" + p.ID}, "options": options}
		structure = append(structure, object{"item": "viz_" + p.ID, "type": "block", "position": object{"x": b.x * 50, "y": b.y * 40, "w": b.w * 50, "h": b.h * 40}})
	}
	definition := indented(object{
		"title": "leakveil: leaked OAuth secrets", "description": "Which clients leaked what, since when, from which service, and what to do.",
		"visualizations": visualizations, "dataSources": sources, "defaults": object{}, "applicationProperties": object{},
		"inputs": object{"input_time": object{"type": "input.timerange", "title": "Time", "options": object{"token": "time", "defaultValue": "-24h@h,now"}}},
		"layout": object{
			"globalInputs": []string{"input_time"}, "tabs": object{"items": []any{object{"layoutId": "main", "label": "Leaks"}}},
			"layoutDefinitions": object{"main": object{"type": "grid", "options": object{"width": 1200}, "structure": structure}},
		},
	})
	var b bytes.Buffer
	b.WriteString("<dashboard version=\"2\" theme=\"light\">\n<label>leakveil: leaked OAuth secrets</label>\n<definition><![CDATA[\n")
	b.Write(definition)
	b.WriteString("]]></definition>\n</dashboard>\n")
	return b.Bytes()
}

// sigmaPipeline maps the fields of Sigma rules to those in Splunk, and adds the
// condition that picks leakveil's events.
func sigmaPipeline() []byte {
	var b bytes.Buffer
	b.WriteString("# Made by internal/content: sigma convert -t splunk -p ../splunk/sigma-pipeline.yml …\nname: leakveil alerts in Splunk\npriority: 50\ntransformations:\n    - id: names\n      type: field_name_mapping\n      mapping:\n")
	for _, f := range field.Fields() {
		fmt.Fprintf(&b, "          %q: %q\n", f.Path, SplunkName(f.Path))
	}
	b.WriteString("      rule_conditions:\n          - {type: logsource, product: leakveil}\n    - id: source\n      type: add_condition\n      conditions: {sourcetype: \"leakveil:alert\"}\n      rule_conditions:\n          - {type: logsource, product: leakveil}\n")
	return b.Bytes()
}
