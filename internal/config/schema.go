package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// delimiter parts the segments of a key inside viper. It is not ".", because
// rule ids and topic names hold dots.
const delimiter = "::"

// shape is what a key's value looks like.
type shape int

const (
	section shape = iota
	text
	boolean
	integer
	duration
	size
	textList
	sectionList
)

var shapeNames = map[shape]string{
	section: "section", text: "text", boolean: "true or false", integer: "whole number",
	duration: "duration", size: "size", textList: "list", sectionList: "list of sections",
}

// node is one key of the configuration, made from the fields of Config.
type node struct {
	name     string
	shape    shape
	enum     []string // allowed values, nil: any
	children []*node  // of a section, or of each entry of a section list
	index    []int    // the field, from the struct above
}

// schema is the root: the fields of Config.
var schema = &node{shape: section, children: fields(reflect.TypeFor[Config]())}

func fields(t reflect.Type) []*node {
	var out []*node
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("key")
		if !ok {
			continue
		}
		n := &node{name: name, index: f.Index}
		n.shape, n.children = shapeOf(f.Type)
		if enum, ok := f.Tag.Lookup("enum"); ok {
			n.enum = strings.Split(enum, ",")
		}
		out = append(out, n)
	}
	return out
}

func shapeOf(t reflect.Type) (shape, []*node) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return duration, nil
	case reflect.TypeFor[Size]():
		return size, nil
	case reflect.TypeFor[[]string]():
		return textList, nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return section, fields(t)
	case reflect.Slice:
		return sectionList, fields(t.Elem())
	case reflect.Bool:
		return boolean, nil
	case reflect.Int:
		return integer, nil
	case reflect.String:
		return text, nil
	}
	panic("config: field of unsupported type " + t.String())
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (n *node) childNames() []string {
	out := make([]string, len(n.children))
	for i, c := range n.children {
		out[i] = c.name
	}
	return out
}

// leaves calls visit for every key that holds a value, with its path.
func (n *node) leaves(path []string, visit func(path []string, leaf *node)) {
	for _, c := range n.children {
		p := append(slices.Clone(path), c.name)
		if c.shape == section {
			c.leaves(p, visit)
			continue
		}
		visit(p, c)
	}
}

// EnvPrefix begins the environment variables that override keys.
const EnvPrefix = "LEAKVEIL"

// envName is the variable that overrides a key: LEAKVEIL_INPUT_KAFKA_BROKERS.
func envName(path []string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.Join(path, "_"))
}

// envKeys maps each variable to its key. Lists of sections have none.
func envKeys() map[string]envKey {
	out := map[string]envKey{}
	schema.leaves(nil, func(path []string, leaf *node) {
		if leaf.shape != sectionList {
			out[envName(path)] = envKey{strings.Join(path, "."), leaf}
		}
	})
	return out
}

type envKey struct {
	key  string
	leaf *node
}
