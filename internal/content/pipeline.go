package content

import (
	"bytes"
	_ "embed"

	"go.yaml.in/yaml/v3"
)

//go:embed pipeline.yaml
var pipelineTable []byte

// Chart is a panel over the metrics.
type Chart struct {
	Title string `yaml:"title"`
	Unit  string `yaml:"unit"` // one of Grafana's
	Ask   []struct {
		Expr   string `yaml:"expr"`
		Legend string `yaml:"legend"`
	} `yaml:"ask"`
}

// Charts returns the panels of pipeline health, in their order.
func Charts() []Chart {
	var all []Chart
	d := yaml.NewDecoder(bytes.NewReader(pipelineTable))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		panic("content: BUG: pipeline.yaml: " + err.Error()) // it is part of the program
	}
	return all
}

// GrafanaPipeline is the dashboard of pipeline health.
func GrafanaPipeline() []byte {
	charts, source := Charts(), object{"type": "prometheus", "uid": "${metrics}"}
	kinds := make([]Draw, len(charts))
	for i := range kinds {
		kinds[i] = Bars
	}
	var list []object
	for i, b := range place(kinds, 24, 1) {
		targets := []any{}
		for n, ask := range charts[i].Ask {
			targets = append(targets, object{
				"refId": string(rune('A' + n)), "datasource": source, "expr": ask.Expr, "legendFormat": ask.Legend, "range": true, "editorMode": "code",
			})
		}
		list = append(list, object{
			"id": i + 1, "type": "timeseries", "title": charts[i].Title, "gridPos": grid(b), "datasource": source, "targets": targets,
			"options": object{
				"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
				"tooltip": object{"mode": "multi", "sort": "desc"},
			},
			"fieldConfig": object{"overrides": []any{}, "defaults": object{
				"unit": charts[i].Unit, "min": 0, "custom": object{"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "spanNulls": false},
			}},
		})
	}
	return indented(grafana("leakveil-pipeline", "leakveil: pipeline health", list, []any{
		object{"name": "metrics", "label": "Metrics", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1, "regex": "", "multi": false, "includeAll": false},
		object{
			"name": "topic", "label": "Topic or signal", "type": "query", "datasource": source, "hide": 0, "refresh": 2, "sort": 1, "multi": true,
			"includeAll": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"},
			"query": object{"refId": "topics", "query": "label_values(leakveil_records_total, topic)"},
		},
	}))
}
