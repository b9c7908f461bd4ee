package config

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// walker compares a YAML tree with the schema. It collects problems, the lines
// of keys, and the values as plain maps, lists and strings.
type walker struct {
	file     string
	sources  sources
	problems Problems
}

func (w *walker) add(line int, key, format string, args ...any) {
	w.problems = append(w.problems, Problem{w.file, line, key, fmt.Sprintf(format, args...)})
}

// parse reads one YAML document and gives its values.
func (w *walker) parse(r io.Reader) map[string]any {
	decoder := yaml.NewDecoder(r)
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file is an empty configuration
			line, what := yamlError(err)
			w.add(line, "", "%s", what)
		}
		return map[string]any{}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		w.add(0, "", "holds a second YAML document; keep one")
	}
	root := doc.Content[0]
	if isNull(root) {
		return map[string]any{}
	}
	return w.section(root, schema, "")
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// yamlError gives line and reason. The reason of an unknown anchor quotes the
// file, where a password that begins with * may stand, so it is replaced.
func yamlError(err error) (int, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(text, "anchor") {
		return 0, "is not YAML: a value begins with * and names an unknown anchor; put it in quotes"
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, convErr := strconv.Atoi(m[1])
		if convErr == nil {
			if strings.HasPrefix(m[2], "did not find expected") {
				line++ // the library counts from 0 in this one case
			}
			return line, "is not YAML: " + m[2]
		}
	}
	return 0, "is not YAML: " + text
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// section reads a mapping. Sections without a value count as empty.
func (w *walker) section(y *yaml.Node, n *node, key string) map[string]any {
	out := map[string]any{}
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	if isNull(y) && key != "" {
		return out
	}
	if y.Kind != yaml.MappingNode {
		w.add(y.Line, key, "must be a section of keys (%s), not %s", strings.Join(n.childNames(), ", "), found(y))
		return out
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		name, value := y.Content[i], y.Content[i+1]
		if first, twice := seen[name.Value]; twice {
			w.add(name.Line, w.shown(key, name, n), "stands twice; the first is in line %d", first)
			continue
		}
		seen[name.Value] = name.Line
		child := n.child(name.Value)
		if child == nil {
			w.unknown(name, n, key)
			continue
		}
		full := join(key, child.name)
		w.sources[full] = origin{w.file, name.Line}
		if v := w.value(value, child, full, name.Line); v != nil {
			out[child.name] = v
		}
	}
	return out
}

// shown is the key for an error; a name that is no plain word is left out.
func (w *walker) shown(key string, name *yaml.Node, n *node) string {
	if n.child(name.Value) == nil && !plainKey.MatchString(name.Value) {
		return key
	}
	return join(key, name.Value)
}

// plainKey is the form of a name that may be shown: one that is longer than any
// key may be a secret in the wrong place.
var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,23}$`)

// unknown reports a key that does not exist, with the one that was meant. A key
// for a secret itself is pointed to its _file; the value is never looked at.
func (w *walker) unknown(name *yaml.Node, n *node, key string) {
	shown := w.shown(key, name, n)
	if file := n.child(name.Value + "_file"); file != nil {
		w.add(name.Line, shown, "a secret never stands in the configuration; write it to a file and name the file in %s", join(key, file.name))
		return
	}
	if name.Value == "<<" {
		w.add(name.Line, key, "YAML merge keys (<<) are not read; repeat the keys")
		return
	}
	w.add(name.Line, shown, "unknown key%s", suggestion(name.Value, n, key))
}

func suggestion(name string, n *node, key string) string {
	if best := nearest(name, n.childNames()); best != "" {
		return "; did you mean " + join(key, best) + "?"
	}
	var elsewhere []string
	schema.leaves(nil, func(path []string, leaf *node) {
		if leaf.name == name {
			elsewhere = append(elsewhere, strings.Join(path, "."))
		}
	})
	if len(elsewhere) > 0 {
		return "; did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return "; here stand " + strings.Join(n.childNames(), ", ")
}

// value reads one value by its shape; nil when it is wrong or absent.
func (w *walker) value(y *yaml.Node, n *node, key string, line int) any {
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	switch {
	case n.shape == section:
		return w.section(y, n, key)
	case isNull(y):
		w.add(line, key, "has no value; give one, or leave the key out")
		return nil
	case n.shape == textList:
		return w.list(y, n, key)
	case n.shape == sectionList:
		return w.sections(y, n, key)
	case y.Kind != yaml.ScalarNode:
		w.add(y.Line, key, "must be a single value (%s), not %s", shapeNames[n.shape], found(y))
		return nil
	}
	if err := checkScalar(y.Value, n); err != nil {
		w.add(y.Line, key, "%v", err)
		return nil
	}
	return y.Value
}

func (w *walker) list(y *yaml.Node, n *node, key string) any {
	if y.Kind != yaml.SequenceNode {
		w.add(y.Line, key, "must be a list, as [a, b], not %s", found(y))
		return nil
	}
	out := make([]string, 0, len(y.Content))
	for i, item := range y.Content {
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		entry := fmt.Sprintf("%s[%d]", key, i)
		w.sources[entry] = origin{w.file, item.Line}
		if item.Kind != yaml.ScalarNode || isNull(item) || item.Value == "" {
			w.add(item.Line, entry, "must be text, not %s", found(item))
			continue
		}
		out = append(out, item.Value)
	}
	return out
}

func (w *walker) sections(y *yaml.Node, n *node, key string) any {
	if y.Kind != yaml.SequenceNode {
		w.add(y.Line, key, "must be a list of {%s}, not %s", strings.Join(n.childNames(), ", "), found(y))
		return nil
	}
	out := make([]any, 0, len(y.Content))
	for i, item := range y.Content {
		entry := fmt.Sprintf("%s[%d]", key, i)
		w.sources[entry] = origin{w.file, item.Line}
		out = append(out, w.section(item, n, entry))
	}
	return out
}

// found names what stands where something else should, without its content.
func found(y *yaml.Node) string {
	switch {
	case y.Kind == yaml.MappingNode:
		return "a section"
	case y.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(y) || y.Value == "":
		return "nothing"
	}
	return "a single value"
}

// checkScalar says whether text is a value of the key's shape.
func checkScalar(s string, n *node) error {
	var err error
	switch n.shape {
	case boolean:
		if s != "true" && s != "false" {
			err = errors.New("must be true or false")
		}
	case integer:
		if _, convErr := strconv.Atoi(s); convErr != nil {
			err = errors.New("must be a whole number")
		}
	case duration:
		if _, convErr := time.ParseDuration(s); convErr != nil {
			err = errors.New("must be a duration, as 500ms, 30s or 5m")
		}
	case size:
		_, err = ParseSize(s)
	case text:
		if n.enum != nil && !slices.Contains(n.enum, s) {
			err = enumError(s, n.enum)
		}
	}
	return err
}

func enumError(s string, enum []string) error {
	words := slices.DeleteFunc(slices.Clone(enum), func(w string) bool { return w == "" })
	if best := nearest(s, words); best != "" {
		return fmt.Errorf("must be one of %s; did you mean %s?", strings.Join(words, ", "), best)
	}
	return fmt.Errorf("must be one of %s", strings.Join(words, ", "))
}
