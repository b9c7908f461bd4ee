package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

const referenceHead = `# Configuration

` + "`leakveil run --config FILE`" + ` reads these keys from a YAML file. What the file leaves
out has the default below. An environment variable goes over the file: its name is
` + "`LEAKVEIL_`" + ` and the key in capitals with ` + "`_`" + ` for each dot, lists are written
` + "`a,b`" + `, and a variable without a value does not count. Unknown keys are errors.
Relative paths are relative to the working directory. Secrets stand in files of their
own, never in this one. ` + "`leakveil config check FILE`" + ` says whether a file is right,
` + "`leakveil config print`" + ` shows what is in force.

This page is made from ` + "`internal/config/defaults.yaml`" + `; change it there, then run
` + "`go test ./internal/config -run Reference -update`" + `.
`

// WriteReference writes docs/config.md from the comments of defaults.yaml.
func WriteReference(w io.Writer) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(defaultsYAML, &doc); err != nil {
		return fmt.Errorf("built-in defaults: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(referenceHead)
	var loose bytes.Buffer
	writeSection(&b, &loose, doc.Content[0], schema, nil)
	if loose.Len() > 0 {
		fmt.Fprintf(&b, "\n## Other keys\n\n%s%s", tableHead, loose.Bytes())
	}
	_, err := w.Write(b.Bytes())
	return err
}

const tableHead = "| key | default | type | meaning |\n| --- | --- | --- | --- |\n"

// writeSection writes a heading and table for each section; keys that stand at
// the top level go to loose.
func writeSection(b, loose *bytes.Buffer, y *yaml.Node, n *node, path []string) {
	rows := loose
	if len(path) > 0 {
		rows = &bytes.Buffer{}
	}
	var nested bytes.Buffer
	for i := 0; i+1 < len(y.Content); i += 2 {
		name, value := y.Content[i], y.Content[i+1]
		child := n.child(name.Value)
		full := append(append([]string{}, path...), name.Value)
		if child.shape == section {
			fmt.Fprintf(&nested, "\n## %s\n\n%s\n", strings.Join(full, "."), comment(name))
			writeSection(&nested, loose, value, child, full)
			continue
		}
		fmt.Fprintf(rows, "| `%s` | `%s` | %s | %s |\n", strings.Join(full, "."), defaultText(value), shapeNames[child.shape], comment(name))
	}
	if len(path) > 0 && rows.Len() > 0 {
		fmt.Fprintf(b, "\n%s%s", tableHead, rows.Bytes())
	}
	b.Write(nested.Bytes())
}

// comment is commentOf fit for a table.
func comment(name *yaml.Node) string { return strings.ReplaceAll(commentOf(name), "|", "\\|") }

// commentOf is the text above a key, as one line.
func commentOf(name *yaml.Node) string {
	var lines []string
	for line := range strings.SplitSeq(name.HeadComment, "\n") {
		lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "#")))
	}
	return strings.Join(lines, " ")
}

func defaultText(value *yaml.Node) string {
	switch {
	case value.Kind == yaml.SequenceNode:
		return "[]"
	case value.Value == "":
		return `""`
	}
	return value.Value
}
