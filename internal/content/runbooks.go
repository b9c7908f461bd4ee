package content

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/leakveil/leakveil/internal/alert"
)

//go:embed runbooks
var runbookTables embed.FS

// RunbookDir is where the pages stand.
const RunbookDir = "docs/runbooks"

// Runbook is the page of a kind or of an alert rule.
type Runbook struct {
	// Alert is the rule; empty on the page of a kind.
	Alert  string   `yaml:"alert"`
	Title  string   `yaml:"title"`
	Means  string   `yaml:"means"`
	Check  []string `yaml:"check"`
	End    []string `yaml:"end"`    // names of Calls
	Extra  string   `yaml:"extra"`  // beside them
	Do     []string `yaml:"do"`     // of a rule
	Source []string `yaml:"source"` // of a kind
}

// Calls end one sort of thing, by provider.
type Calls struct {
	Title string `yaml:"title"`
	Note  string `yaml:"note"`
	Calls []Call `yaml:"calls"`
}

// Call is how one provider does it.
type Call struct {
	System string `yaml:"system"`
	// Run is a shell command, or several with "; " between.
	Run  string `yaml:"run"`
	Note string `yaml:"note"`
	// Tried is the system that it was run on.
	Tried string `yaml:"tried"`
}

// Kinds returns the pages of kinds, Rules those of other alert rules, by name.
func Kinds() map[string]Runbook { return load[map[string]Runbook]("kinds") }

// Rules returns the pages of alert rules that are not about a kind.
func Rules() map[string]Runbook { return load[map[string]Runbook]("pipeline") }

// Revocation returns all calls.
func Revocation() map[string]Calls { return load[map[string]Calls]("calls") }

func load[T any](name string) (out T) {
	text, err := runbookTables.ReadFile("runbooks/" + name + ".yaml")
	if err == nil {
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		err = d.Decode(&out)
	}
	if err != nil {
		panic("content: BUG: runbooks/" + name + ".yaml: " + err.Error()) // it is part of the program
	}
	return out
}

func runbooks(out map[string][]byte) {
	kinds, rules, calls := Kinds(), Rules(), Revocation()
	for kind, r := range kinds {
		out[path.Join(RunbookDir, kind+".md")] = kindPage(kind, r, calls)
	}
	for name, r := range rules {
		out[path.Join(RunbookDir, name+".md")] = rulePage(r)
	}
	out[path.Join(RunbookDir, "README.md")] = runbookIndex(kinds, rules)
}

const made = "<!-- Made from internal/content/runbooks: go test ./internal/content -update -->\n\n"

// head is how values and credentials get into files, so that none stands in a
// command line or in the history of a shell.
const head = `Read the value where ` + "`leakveil.where`" + ` says, as long as that record exists, and never take an address from a log: a forged issuer would make you hand out the token.

` + "```" + `
umask 077
read -rs v && printf %s "$v" > value.txt && unset v                       # paste the value; it is not shown
leakveil fingerprint --key-file key.bin < value.txt                       # is it the one of leakveil.fingerprints?
read -rs v && printf 'user = "%s"\n' "$v" > client.curl && unset v        # client id:client secret
read -rs v && printf 'header = "Authorization: Bearer %s"\n' "$v" > admin.curl && unset v   # an administrator's token
` + "```" + `

Remove the four files when you are done.
`

func kindPage(kind string, r Runbook, calls map[string]Calls) []byte {
	var b bytes.Buffer
	advice := alert.AdviceFor(kind)
	fmt.Fprintf(&b, "%s# %s\n\n`leakveil.kind: %s` · `leakveil.advice.method: %s`", made, r.Title, kind, advice.Method)
	if advice.Reference != "" {
		fmt.Fprintf(&b, " · %s", advice.Reference)
	}
	fmt.Fprintf(&b, "\n\n%s\n\n## What it means\n\n%s\n\n## How to check\n\n", advice.Text, r.Means)
	b.WriteString("1. Who, since when, from which service, and does it go on: [the analyst's queries](../analyst.md).\n")
	numbered(&b, r.Check, 2)
	b.WriteString("\n## What to revoke, and how\n\n")
	if len(r.End) == 0 {
		b.WriteString("Nothing.\n")
	} else {
		b.WriteString(head)
	}
	if r.Extra != "" {
		fmt.Fprintf(&b, "\n%s\n", r.Extra)
	}
	for _, name := range r.End {
		c, ok := calls[name]
		if !ok {
			panic("content: BUG: no calls " + name)
		}
		c.write(&b)
	}
	b.WriteString("\n## How to stop it at its source\n\n")
	numbered(&b, r.Source, 1)
	b.WriteString("\nUntil then the value stays masked in what leakveil passes on; the raw records of its input still hold it, so keep their retention short.\n")
	return b.Bytes()
}

func (c Calls) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n### %s\n", c.Title)
	if c.Note != "" {
		fmt.Fprintf(b, "\n%s\n", c.Note)
	}
	for _, call := range c.Calls {
		fmt.Fprintf(b, "\n**%s**", call.System)
		if call.Note != "" {
			fmt.Fprintf(b, ": %s", call.Note)
		}
		if call.Tried != "" {
			fmt.Fprintf(b, " (tried on %s)", call.Tried)
		}
		b.WriteString("\n")
		if call.Run != "" {
			fmt.Fprintf(b, "\n```\n%s\n```\n", strings.NewReplacer("; curl", "\ncurl", "; aws", "\naws").Replace(call.Run))
		}
	}
}

func rulePage(r Runbook) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s# %s\n\nAlert `%s` of [deploy/prometheus](../../deploy/prometheus/leakveil.rules.yaml).\n\n## What it means\n\n%s\n\n## How to check\n\n", made, r.Title, r.Alert, r.Means)
	numbered(&b, r.Check, 1)
	b.WriteString("\n## What to do\n\n")
	numbered(&b, r.Do, 1)
	return b.Bytes()
}

func numbered(b *bytes.Buffer, all []string, from int) {
	for i, text := range all {
		fmt.Fprintf(b, "%d. %s\n", i+from, text)
	}
}

func runbookIndex(kinds, rules map[string]Runbook) []byte {
	var b bytes.Buffer
	b.WriteString(made + "# Runbooks\n\nOne page for each kind of leaked value: what it means, how to check, what to revoke with which call, how to stop it at its source. One for each alert about leakveil itself.\n\n## Leaks\n\n")
	for _, name := range sorted(kinds) {
		fmt.Fprintf(&b, "- [`%s`](%s.md): %s\n", name, name, kinds[name].Title)
	}
	b.WriteString("\n## leakveil itself\n\n")
	for _, name := range sorted(rules) {
		fmt.Fprintf(&b, "- [`%s`](%s.md): %s\n", rules[name].Alert, name, rules[name].Title)
	}
	return b.Bytes()
}
