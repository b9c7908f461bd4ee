package elastic

import (
	"encoding/json"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// TemplateVersion grows with every change of the template.
const TemplateVersion = 2

// Template returns the index template of a data stream: the mapping of every
// field of the table. What the table does not know is stored and not indexed, so
// that no document is refused for an unknown field.
func Template(stream string) []byte {
	properties := map[string]any{}
	for _, f := range field.Fields() {
		if strings.ContainsAny(f.In, "ags") {
			place(properties, strings.Split(f.Path, "."), mapping(f))
		}
	}
	template := map[string]any{
		"index_patterns": []string{stream},
		"priority":       500, // above the built-in one of logs-*-*
		"version":        TemplateVersion,
		"_meta":          map[string]any{"description": "alerts of leakveil", "managed_by": "leakveil"},
		"data_stream":    map[string]any{},
		"template": map[string]any{
			"mappings": map[string]any{"dynamic": false, "date_detection": false, "properties": properties},
		},
	}
	out, err := json.MarshalIndent(template, "", "  ")
	if err != nil {
		panic("elastic: BUG: the template is no JSON")
	}
	return append(out, '\n')
}

// place puts a field's mapping below the objects of its path.
func place(properties map[string]any, path []string, m map[string]any) {
	for _, name := range path[:len(path)-1] {
		object, ok := properties[name].(map[string]any)
		if !ok {
			object = map[string]any{"properties": map[string]any{}}
			properties[name] = object
		}
		properties = object["properties"].(map[string]any)
	}
	properties[path[len(path)-1]] = m
}

func mapping(f field.Field) map[string]any {
	m := map[string]any{"type": string(f.Type)}
	if f.Type == field.Keyword {
		m["ignore_above"] = 1024
	}
	return m
}
