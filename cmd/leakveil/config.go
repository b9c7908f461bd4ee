package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/rules"
)

func newConfig() *cobra.Command {
	return group("config", "Check and show the configuration of run",
		`The configuration is the built-in defaults, a YAML file over them, and environment
variables LEAKVEIL_… over both.`, configCheck(), configPrint())
}

func configCheck() *cobra.Command {
	var files bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a configuration is right",
		Long: `Check a configuration, the environment over it, and the rules that it names. Every
mistake is printed as file:line: key: what. Files of keys and passwords that cannot
be read are warnings, since a configuration is often checked where its secrets are
not; with --files they are mistakes.

Exit codes: 0 it is right, 2 it is not.`,
		Example: "  leakveil config check leakveil.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := config.Load(args[0])
			if err != nil {
				return wrongUse(err)
			}
			warnings, err := checkFiles(c, files)
			if err != nil {
				return err
			}
			for _, warning := range append(warnings, c.Warnings()...) {
				fmt.Fprintln(cmd.ErrOrStderr(), "leakveil: warning:", warning)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", args[0])
			return err
		},
	}
	cmd.Flags().BoolVar(&files, "files", false, "files that cannot be read are mistakes")
	return cmd
}

// checkFiles opens what the configuration names and reads its rules.
func checkFiles(c *config.Config, strict bool) (warnings []string, err error) {
	var problems config.Problems
	switch err := c.CheckFiles(); {
	case errors.As(err, &problems) && !strict:
		for _, p := range problems {
			warnings = append(warnings, p.String())
		}
	case err != nil:
		return nil, wrongUse(err)
	}
	if _, err := rules.Load(c.Rules.Dirs, c.Rules.Disable); err != nil {
		return nil, wrongUse(err)
	}
	return warnings, nil
}

func configPrint() *cobra.Command {
	return &cobra.Command{
		Use:   "print [FILE]",
		Short: "Print the configuration in force",
		Long: `Print the configuration that run would use, as YAML: the defaults, the file over
them, and the environment over both. Without FILE it is what can be set, with the
defaults. Secrets stand in files of their own, of which only the names are shown.`,
		Example: "  leakveil config print leakveil.yaml\n  LEAKVEIL_LOG_LEVEL=debug leakveil config print leakveil.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			load, path := config.Read, ""
			if len(args) > 0 {
				load, path = config.Load, args[0]
			}
			c, err := load(path)
			if err != nil {
				return wrongUse(err)
			}
			// The YAML encoder loses what kind of error a writer gave.
			var text bytes.Buffer
			if err := c.Print(&text); err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text.Bytes())
			return err
		},
	}
}
