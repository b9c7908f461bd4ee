package content

import (
	"bytes"
	"strconv"
)

// IndexPattern is what dashboards read: every data stream of alerts.
const IndexPattern = "logs-leakveil.alert-*"

// Ids of saved objects begin with this, so that an import replaces its own only.
const objectPrefix = "leakveil-"

// migrations are the versions of the forms that objects are written in: those of
// Kibana 7.10, which OpenSearch Dashboards and later Kibanas migrate from.
var migrations = map[string]string{"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3", "dashboard": "7.9.3"}

type savedObject struct {
	ID         string      `json:"id"`
	Type       string      `json:"type"`
	Attributes object      `json:"attributes"`
	References []reference `json:"references"`
	Migration  object      `json:"migrationVersion"`
}

type reference struct {
	Name string `json:"name"`
	Type string `json:"type"`
	ID   string `json:"id"`
}

func newObject(kind, id string, attributes object, references ...reference) savedObject {
	return savedObject{ID: objectPrefix + id, Type: kind, Attributes: attributes, References: append([]reference{}, references...),
		Migration: object{kind: migrations[kind]}}
}

// SavedObjects are the dashboards of OpenSearch Dashboards and Kibana: an index
// pattern, a visualization or saved search for each panel, and one dashboard.
func SavedObjects() []byte {
	all := []savedObject{newObject("index-pattern", "alerts", object{"title": IndexPattern, "timeFieldName": "@timestamp"})}
	for _, p := range panels {
		if p.Draw == List {
			all = append(all, savedSearch(p))
		} else {
			all = append(all, visualization(p))
		}
	}
	all = append(all, dashboard())
	var b bytes.Buffer
	for _, o := range all {
		b.Write(compact(o))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

const indexReference = "kibanaSavedObjectMeta.searchSourceJSON.index"

// source is what a panel searches. The name of its reference is the form's own.
func source(p Panel) object {
	text := compact(object{"query": object{"query": p.Lucene(), "language": "lucene"}, "filter": []any{}, "indexRefName": indexReference})
	return object{"searchSourceJSON": string(text)}
}

var ofIndex = reference{Name: indexReference, Type: "index-pattern", ID: objectPrefix + "alerts"}

func savedSearch(p Panel) savedObject {
	return newObject("search", p.ID, object{
		"title": "leakveil: " + p.Title, "description": "", "hits": 0, "version": 1, "columns": p.Columns,
		"sort": []any{[]any{"@timestamp", "desc"}}, "kibanaSavedObjectMeta": source(p),
	}, ofIndex)
}

func visualization(p Panel) savedObject {
	kind := map[Draw]string{Number: "metric", Bars: "histogram", Table: "table"}[p.Draw]
	state := object{"title": "leakveil: " + p.Title, "type": kind, "aggs": visAggs(p), "params": visParams(p)}
	return newObject("visualization", p.ID, object{
		"title": "leakveil: " + p.Title, "description": "", "version": 1, "uiStateJSON": "{}",
		"visState": string(compact(state)), "kibanaSavedObjectMeta": source(p),
	}, ofIndex)
}

// visAggs are the measures, numbered from 1, then the groupings.
func visAggs(p Panel) (all []object) {
	add := func(kind, schema string, params object) {
		all = append(all, object{"id": strconv.Itoa(len(all) + 1), "enabled": true, "type": kind, "schema": schema, "params": params})
	}
	for _, name := range p.Measure {
		m := measures[name]
		add(m.agg, "metric", object{"field": m.field, "customLabel": m.title})
	}
	size, schema := groups, "bucket"
	if p.Draw == Bars {
		size, schema = maxSeries, "group"
		add("date_histogram", "segment", object{
			"field": "@timestamp", "interval": "auto", "min_doc_count": 1, "drop_partials": false, "useNormalizedEsInterval": true, "extended_bounds": object{},
		})
	}
	for _, name := range p.By {
		add("terms", schema, object{
			"field": name, "orderBy": "1", "order": "desc", "size": size, "otherBucket": false, "missingBucket": false, "customLabel": label(name),
		})
	}
	return all
}

func visParams(p Panel) object {
	switch p.Draw {
	case Number:
		return object{"addTooltip": true, "addLegend": false, "type": "metric", "metric": object{
			"percentageMode": false, "useRanges": false, "colorSchema": "Green to Red", "metricColorMode": "None",
			"colorsRange": []any{object{"from": 0, "to": 10000}}, "labels": object{"show": true}, "invertColors": false,
			"style": object{"bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 48},
		}}
	case Table:
		return object{"perPage": 15, "showPartialRows": false, "showMetricsAtAllLevels": false, "showTotal": false, "totalFunc": "sum", "percentageCol": "",
			"sort": object{"columnIndex": nil, "direction": nil}}
	}
	axis := func(id, kind, position string) object {
		return object{"id": id, "type": kind, "position": position, "show": true, "style": object{}, "labels": object{"show": true, "filter": true, "truncate": 100}, "title": object{}}
	}
	category, value := axis("CategoryAxis-1", "category", "bottom"), axis("ValueAxis-1", "value", "left")
	category["scale"], value["scale"] = object{"type": "linear"}, object{"type": "linear", "mode": "normal"}
	value["name"], value["title"] = "LeftAxis-1", object{"text": measures[p.Measure[0]].title}
	return object{
		"type": "histogram", "grid": object{"categoryLines": false}, "categoryAxes": []any{category}, "valueAxes": []any{value},
		"seriesParams": []any{object{"show": true, "type": "histogram", "mode": "stacked", "valueAxis": "ValueAxis-1", "drawLinesBetweenPoints": true,
			"showCircles": true, "lineWidth": 2, "data": object{"label": measures[p.Measure[0]].title, "id": "1"}}},
		"addTooltip": true, "addLegend": true, "legendPosition": "right", "times": []any{}, "addTimeMarker": false,
		"labels": object{"show": false}, "thresholdLine": object{"show": false, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
	}
}

func dashboard() savedObject {
	var grid []object
	var references []reference
	for i, box := range layout(48, 2) {
		p, name, kind := panels[i], "panel_"+strconv.Itoa(i), "visualization"
		if p.Draw == List {
			kind = "search"
		}
		grid = append(grid, object{
			"version": "7.10.0", "panelIndex": p.ID, "panelRefName": name, "embeddableConfig": object{}, "title": p.Title,
			"gridData": object{"x": box.x, "y": box.y, "w": box.w, "h": box.h, "i": p.ID},
		})
		references = append(references, reference{Name: name, Type: kind, ID: objectPrefix + p.ID})
	}
	return newObject("dashboard", "alerts", object{
		"title": "leakveil: leaked OAuth secrets", "description": "Which clients leaked what, since when, from which service, and what to do.", "hits": 0, "version": 1,
		"panelsJSON": string(compact(grid)), "optionsJSON": `{"hidePanelTitles":false,"useMargins":true}`,
		"timeRestore": true, "timeFrom": "now-24h", "timeTo": "now", "refreshInterval": object{"pause": false, "value": 60000},
		"kibanaSavedObjectMeta": object{"searchSourceJSON": `{"query":{"query":"","language":"lucene"},"filter":[]}`},
	}, references...)
}
