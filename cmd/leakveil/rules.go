package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/rulecheck"
	"github.com/leakveil/leakveil/rules"
)

func newRules() *cobra.Command {
	return group("rules", "List, check and explain the rules",
		`Rules say what leakveil looks for. They stand in packs, YAML files, of which some
are built in; --rules adds the packs of a folder, --disable switches a rule off.`,
		rulesList(), rulesCheck(), rulesExplain(), rulesTriggers())
}

// onRules is a command that reads the chosen rules.
func onRules(cmd *cobra.Command, run func(cmd *cobra.Command, set *rules.Set, args []string) error) *cobra.Command {
	var flags ruleFlags
	flags.add(cmd)
	if cmd.Args == nil {
		cmd.Args = cobra.NoArgs
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		set, err := flags.load()
		if err != nil {
			return err
		}
		return run(cmd, set, args)
	}
	return cmd
}

// ruleLine is a rule of rules list --format json.
type ruleLine struct {
	ID          string     `json:"id"`
	Kind        rules.Kind `json:"kind"` // empty for roles other than secret
	Role        rules.Role `json:"role"`
	Severity    string     `json:"severity"`
	Pack        string     `json:"pack"`
	Description string     `json:"description"`
}

// ruleLines gives the set's rules with the names of their packs.
func ruleLines(set *rules.Set) []ruleLine {
	packs := map[string]string{}
	for _, pack := range set.Packs {
		packs[pack.File] = pack.Name
	}
	out := make([]ruleLine, len(set.Rules))
	for i, r := range set.Rules {
		out[i] = ruleLine{r.ID, r.Kind, r.Role, string(r.Severity), packs[r.File], r.Description}
	}
	return out
}

func rulesList() *cobra.Command {
	var format string
	cmd := onRules(&cobra.Command{
		Use:   "list",
		Short: "List all rules",
		Long: `List the rules: id, kind, severity, pack and description. Rules that find public
facts instead of secrets show their role in place of a kind.`,
		Example: "  leakveil rules list\n  leakveil rules list --format json | jq -r '.[].id'",
	}, func(cmd *cobra.Command, set *rules.Set, _ []string) error {
		switch format {
		case "text":
			return listText(cmd.OutOrStdout(), ruleLines(set))
		case "json":
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(ruleLines(set))
		}
		return wrongUse(fmt.Errorf("--format %q: want text or json", format))
	})
	formatFlag(cmd, &format, "text", "json")
	return cmd
}

// formatFlag adds --format, the first choice being the default.
func formatFlag(cmd *cobra.Command, format *string, choices ...string) {
	usage := "`form` of the output: " + choices[0]
	for _, choice := range choices[1:] {
		usage += ", " + choice
	}
	cmd.Flags().StringVar(format, "format", choices[0], usage)
	// The only error is a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

func listText(w io.Writer, all []ruleLine) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tSEVERITY\tPACK\tDESCRIPTION")
	for _, r := range all {
		kind := string(r.Kind)
		if kind == "" {
			kind = "(" + string(r.Role) + ")"
		}
		severity := r.Severity
		if severity == "" {
			severity = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, kind, severity, r.Pack, r.Description)
	}
	return table.Flush()
}

func rulesCheck() *cobra.Command {
	return onRules(&cobra.Command{
		Use:   "check",
		Short: "Prove every rule by its own examples",
		Long: `Check the form of every pack, then fill every example with random values: each
must be found with exactly its value, kind and client, and no negative example may
be found by any rule, on every engine of this build. Problems are printed as
file:line: rule: reason.

Exit codes: 0 all is well, 2 there are problems.`,
		Example: "  leakveil rules check\n  leakveil rules check --rules my-rules/",
	}, func(cmd *cobra.Command, set *rules.Set, _ []string) error {
		problems, err := rulecheck.Run(set)
		if err != nil {
			return wrongUse(err)
		}
		for _, p := range problems {
			fmt.Fprintln(cmd.ErrOrStderr(), p)
		}
		if len(problems) > 0 {
			return wrongUse(fmt.Errorf("%d examples of %d rules fail", len(problems), countRules(problems)))
		}
		examples, negatives := 0, 0
		for _, r := range set.Rules {
			examples, negatives = examples+len(r.Examples), negatives+len(r.Negatives)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d rules: %d examples found, %d negative examples not, each filled %d times, engines: %s\n",
			len(set.Rules), examples, negatives, rulecheck.Fillings, engineVersions())
		return err
	})
}

func countRules(problems []rulecheck.Problem) int {
	ids := map[string]bool{}
	for _, p := range problems {
		ids[p.Rule] = true
	}
	return len(ids)
}

func rulesTriggers() *cobra.Command {
	var flag formFlag
	cmd := onRules(&cobra.Command{
		Use:   "triggers",
		Short: "Print the compiled expressions",
		Long: `Print the expressions of the compiled database, one id:/expression/flags a line:
the form that Hyperscan's hsbench reads. The id is the trigger's number.`,
		Example: "  leakveil rules triggers > triggers.txt",
	}, func(cmd *cobra.Command, set *rules.Set, _ []string) error {
		form, err := flag.form()
		if err != nil {
			return err
		}
		db, err := detect.CompileWith(detect.Options{Form: form, Cache: databases}, set)
		if err != nil {
			return wrongUse(err)
		}
		for i, t := range db.Triggers() {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%d:/%s/%s\n", i, db.Form().Expression(t), t.Flags()); err != nil {
				return err
			}
		}
		return nil
	})
	flag.add(cmd)
	return cmd
}
