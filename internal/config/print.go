package config

import (
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Print writes the effective configuration as YAML that Load reads again, in the
// order of defaults.yaml. It shows the names of secret files, never their content.
func (c *Config) Print(w io.Writer) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(printed(schema, reflect.ValueOf(c).Elem())); err != nil {
		return fmt.Errorf("printing the configuration: %w", err)
	}
	return encoder.Close()
}

// printed gives the YAML of one value.
func printed(n *node, v reflect.Value) *yaml.Node {
	switch n.shape {
	case section:
		return printedSection(n, v)
	case sectionList:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: flowWhenEmpty(v.Len())}
		for i := range v.Len() {
			list.Content = append(list.Content, printedSection(n, v.Index(i)))
		}
		return list
	case textList:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range v.Len() {
			list.Content = append(list.Content, scalar(v.Index(i).String(), "!!str"))
		}
		return list
	case text:
		return scalar(v.String(), "!!str")
	}
	// fmt finds the String methods of durations and sizes.
	return scalar(fmt.Sprint(v.Interface()), "")
}

func printedSection(n *node, v reflect.Value) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, c := range n.children {
		out.Content = append(out.Content, scalar(c.name, ""), printed(c, v.FieldByIndex(c.index)))
	}
	return out
}

func flowWhenEmpty(length int) yaml.Style {
	if length == 0 {
		return yaml.FlowStyle
	}
	return 0
}

func scalar(value, tag string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}
