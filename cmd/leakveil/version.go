package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/flier/gohs/hyperscan"
	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/rules"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of leakveil, Go and the engine, and the number of rules",
		Long:    "Print the version of leakveil, the commit it was built from, the versions of Go\nand of the scan engine, and the number of built-in rules.",
		Example: "  leakveil version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := rules.Default()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "leakveil %s\ngo       %s %s/%s\nengine   hyperscan %s\nrules    %d in %d packs\n",
				moduleVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, hyperscan.Version(), len(set.Rules), len(set.Packs))
			return err
		},
	}
}

// moduleVersion is the module's version, and the commit where the build knows it.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			version += " " + s.Value
		}
	}
	return version
}
