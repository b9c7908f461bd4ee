package content

import "strconv"

// GrafanaSource is a kind of data source that Grafana reads alerts from. Both
// take the same queries.
type GrafanaSource struct{ Name, Plugin string }

// The sources.
var (
	GrafanaOpenSearch    = GrafanaSource{"opensearch", "grafana-opensearch-datasource"}
	GrafanaElasticsearch = GrafanaSource{"elasticsearch", "elasticsearch"}
)

// GrafanaAlerts is the dashboard over the alerts' index.
func GrafanaAlerts(s GrafanaSource) []byte {
	source := object{"type": s.Plugin, "uid": "${alerts}"}
	var list []object
	for i, b := range layout(24, 1) {
		list = append(list, grafanaPanel(panels[i], i+1, b, source))
	}
	return indented(grafana("leakveil-alerts-"+s.Name, "leakveil: leaked OAuth secrets", list, []any{
		object{"name": "alerts", "label": "Alerts", "type": "datasource", "query": s.Plugin, "hide": 0, "refresh": 1, "regex": "", "multi": false, "includeAll": false},
		object{"name": "only", "label": "Only", "type": "adhoc", "datasource": source, "hide": 0},
	}))
}

// grafana is the frame of a dashboard in the classic form.
func grafana(uid, title string, list []object, variables []any) object {
	return object{
		"uid": uid, "title": title, "tags": []string{"leakveil"}, "schemaVersion": 39, "version": 1, "editable": true, "graphTooltip": 1,
		"timezone": "", "refresh": "1m", "time": object{"from": "now-24h", "to": "now"}, "timepicker": object{}, "links": []any{},
		"annotations": object{"list": []any{}}, "templating": object{"list": variables}, "panels": list,
	}
}

func grid(b box) object { return object{"x": b.x, "y": b.y, "w": b.w, "h": b.h} }

func grafanaPanel(p Panel, id int, b box, source object) object {
	target := object{
		"refId": "A", "datasource": source, "query": p.Lucene(), "timeField": "@timestamp", "alias": "",
		"metrics": grafanaMetrics(p), "bucketAggs": grafanaBuckets(p),
	}
	panel := object{"id": id, "title": p.Title, "gridPos": grid(b), "datasource": source, "targets": []any{target}}
	defaults := object{"custom": object{}}
	switch p.Draw {
	case Number:
		panel["type"] = "stat"
		panel["options"] = object{
			"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
			"colorMode":     "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
		}
		defaults = object{"noValue": "0"}
	case Bars:
		panel["type"] = "timeseries"
		panel["options"] = object{
			"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
		defaults = object{"custom": object{"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": object{"mode": "normal", "group": "A"}}}
	case Table:
		panel["type"] = "table"
		panel["options"] = object{"showHeader": true, "cellHeight": "sm"}
		panel["transformations"] = []any{renamed(p)}
	case List:
		panel["type"] = "table"
		panel["options"] = object{"showHeader": true, "cellHeight": "sm"}
		panel["transformations"] = []any{columns(p)}
	}
	panel["fieldConfig"] = object{"defaults": defaults, "overrides": times(p)}
	return panel
}

// grafanaMetrics are the measures; of a list, documents.
func grafanaMetrics(p Panel) (all []object) {
	if p.Draw == List {
		return []object{{"id": "1", "type": "raw_data", "settings": object{"size": "100", "order": "desc", "useTimeRange": true}}}
	}
	for i, m := range p.Measure {
		all = append(all, object{"id": strconv.Itoa(i + 1), "type": measures[m].agg, "field": measures[m].field, "settings": object{}})
	}
	return all
}

// grafanaBuckets are the groupings. A number has one of all documents: without
// any, Grafana asks nothing.
func grafanaBuckets(p Panel) []object {
	all := []object{}
	add := func(kind, name string, settings object) {
		all = append(all, object{"id": strconv.Itoa(len(p.Measure) + len(all) + 1), "type": kind, "field": name, "settings": settings})
	}
	terms := func(name string, size int) {
		add("terms", name, object{"size": strconv.Itoa(size), "order": "desc", "orderBy": "1", "min_doc_count": "1"})
	}
	switch p.Draw {
	case List:
	case Number:
		terms(dataset, 1)
	default:
		for _, name := range p.By {
			terms(name, map[Draw]int{Bars: maxSeries, Table: groups}[p.Draw])
		}
	}
	if p.Draw == Bars { // Grafana wants time last
		add("date_histogram", "@timestamp", object{"interval": "auto", "min_doc_count": "0"})
	}
	return all
}

// column is the name that Grafana gives a measure's column: with the field's when
// two measures are of one kind.
func column(p Panel, m string) string {
	name := map[string]string{"cardinality": "Unique Count", "min": "Min", "max": "Max"}[measures[m].agg]
	for _, other := range p.Measure {
		if other != m && measures[other].agg == measures[m].agg {
			return name + " " + measures[m].field
		}
	}
	return name
}

func renamed(p Panel) object {
	names := object{}
	for _, m := range p.Measure {
		names[column(p, m)] = measures[m].title
	}
	for _, by := range p.By {
		names[by] = label(by)
	}
	return object{"id": "organize", "options": object{"renameByName": names}}
}

// columns keeps those of a list, in their order.
func columns(p Panel) object {
	keep, names := []string{"@timestamp"}, object{}
	for _, name := range p.Columns {
		keep, names[name] = append(keep, name), label(name)
	}
	order := object{}
	for i, name := range keep {
		order[name] = i
	}
	return object{"id": "organize", "options": object{"renameByName": names, "indexByName": order, "includeByName": included(keep)}}
}

func included(names []string) object {
	out := object{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

// times shows what min and max of dates give, milliseconds, as dates.
func times(p Panel) []any {
	out := []any{}
	for _, m := range p.Measure {
		if p.Draw == Table && measures[m].agg != "cardinality" {
			out = append(out, object{
				"matcher":    object{"id": "byName", "options": measures[m].title},
				"properties": []any{object{"id": "unit", "value": "dateTimeAsIso"}},
			})
		}
	}
	return out
}
