package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of leakveil, Go and the engine, and the number of rules",
		Long:    "Print the version of leakveil, the commit it was built from, the versions of Go\nand of the scan engines, and the number of built-in rules.",
		Example: "  leakveil version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := rules.Default()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "leakveil %s\ngo       %s %s/%s\nengine   %s\nrules    %d in %d packs\n",
				moduleVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, engineVersions(), len(set.Rules), len(set.Packs))
			return err
		},
	}
}

// engineVersions names the build's engines, the default first.
func engineVersions() string {
	var all []string
	for _, e := range detect.Engines() {
		all = append(all, e.Version())
	}
	if len(all) == 1 {
		all[0] += " (built without cgo)"
	}
	return strings.Join(all, ", ")
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
