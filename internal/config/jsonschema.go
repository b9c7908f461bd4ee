package config

import (
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// WriteSchema writes docs/schema/config.schema.json: the form of a configuration file as
// JSON Schema, for editors. What does not depend on a single key alone (what is needed,
// what goes together) is Validate's.
func WriteSchema(w io.Writer) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(defaultsYAML, &doc); err != nil {
		return fmt.Errorf("built-in defaults: %w", err)
	}
	root := sectionSchema(schema, doc.Content[0])
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/leakveil/leakveil/blob/main/docs/schema/config.schema.json"
	root["title"] = "Configuration of leakveil run"
	root["description"] = "The form of each key. `leakveil config check FILE` also tells what is needed and what does not go together. Made from internal/config; run `go test ./internal/config -run Schema -update`."
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(root)
}

type object = map[string]any

// sectionSchema is the schema of a section; y has its comments and defaults, nil for
// entries of lists, which have none. A section without a value is an empty one.
func sectionSchema(n *node, y *yaml.Node) object {
	properties := object{}
	for _, c := range n.children {
		var name, value *yaml.Node
		for i := 0; y != nil && i+1 < len(y.Content); i += 2 {
			if y.Content[i].Value == c.name {
				name, value = y.Content[i], y.Content[i+1]
			}
		}
		s := c.jsonSchema(value)
		if name != nil {
			s["description"] = commentOf(name)
		}
		properties[c.name] = s
	}
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

const (
	durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	sizePattern     = `^\s*[0-9]+\s*(TiB|GiB|MiB|KiB|TB|GB|MB|kB|KB|B)?\s*$`
	integerPattern  = `^[-+]?[0-9]+$`
)

// jsonSchema is the schema of one key. Scalars may stand in quotes, or without.
func (n *node) jsonSchema(fallback *yaml.Node) object {
	var s object
	scalar := []string{"string", "number", "boolean"}
	switch n.shape {
	case section:
		return sectionSchema(n, fallback)
	case boolean:
		s = object{"enum": []any{true, false, "true", "false"}}
	case integer:
		s = object{"type": []string{"integer", "string"}, "pattern": integerPattern}
	case duration:
		s = object{"anyOf": []object{{"type": "string", "pattern": durationPattern}, {"const": 0}}}
	case size:
		s = object{"type": []string{"integer", "string"}, "minimum": 0, "pattern": sizePattern}
	case textList:
		s = object{"type": "array", "items": object{"type": scalar, "minLength": 1}}
	case sectionList:
		s = object{"type": "array", "items": sectionSchema(n, nil)}
	default:
		s = object{"type": scalar}
		if n.enum != nil {
			s = object{"enum": n.enum}
		}
	}
	if fallback != nil && fallback.Kind == yaml.ScalarNode {
		var v any
		if fallback.Decode(&v) == nil {
			s["default"] = v
		}
	}
	return s
}
