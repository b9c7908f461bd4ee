package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot returns the whole command line.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "leakveil",
		Short: "Keep OAuth secrets out of logs",
		Long: `leakveil finds OAuth secrets in logs and streams (PKCE verifiers, authorization
codes, tokens, client secrets, cookies), masks them where they stand, and says
which OAuth client each of them belongs to.

Exit codes: 0 done, 1 input or output failed, 2 wrong use or configuration,
3 something could not be scanned and was withheld.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return wrongUse(fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
	})
	root.AddCommand(
		newAlerts(),
		newClients(),
		newConfig(),
		newDemo(),
		newFingerprint(),
		newForward(),
		newKey(),
		newMan(),
		newRedact(),
		newRules(),
		newRun(),
		newScan(),
		newVersion(),
	)
	typed(root)
	return root
}

// group is a command that only holds others.
func group(use, short, long string, children ...*cobra.Command) *cobra.Command {
	var names []string
	for _, child := range children {
		names = append(names, child.Name())
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return wrongUse(errors.New(use + ": say which: " + strings.Join(names, ", ")))
		},
	}
	cmd.AddCommand(children...)
	return cmd
}
