package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/store"
)

func alertsList() *cobra.Command {
	var db storeFlags
	var filter filterFlags
	var form string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List alerts, the latest first",
		Long: `List the last state of each alert, the one with the latest detection first. Closed
ones are left out unless --state asks for them.

COUNT is the number of detections. With --format json each line is an object with
the state and, as alert, the document that sinks get; csv has one line an alert.`,
		Example: `  leakveil alerts list --config leakveil.yaml --since today
  leakveil alerts list --store alerts.db --severity high --state open,acknowledged
  leakveil alerts list --store alerts.db --client spa-bank --format json | jq -r .alert.leakveil.advice.text`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filter.filter(time.Now())
			if err != nil {
				return err
			}
			if f.Limit = limit; limit <= 0 || limit > 1_000_000 {
				return wrongUse(errors.New("--limit: want 1 to 1000000; export has no limit"))
			}
			if len(f.States) == 0 {
				f.States = notClosed()
			}
			f.Limit++ // to see whether there are more
			var all []store.Alert
			if err := db.with(cmd.Context(), func(s *store.Store) (err error) { all, err = s.Alerts(cmd.Context(), f); return err }); err != nil {
				return err
			}
			if len(all) > limit {
				all = all[:limit]
				defer fmt.Fprintf(cmd.ErrOrStderr(), "leakveil: there are more; --limit shows more than %d\n", limit)
			}
			return writeAlerts(cmd.OutOrStdout(), form, all)
		},
	}
	db.add(cmd)
	filter.add(cmd)
	addFormat(cmd, &form, "table", "table", "json", "csv")
	cmd.Flags().IntVar(&limit, "limit", 100, "the most `alerts` that are listed")
	return cmd
}

func writeAlerts(to io.Writer, form string, all []store.Alert) error {
	w, err := newAlertWriter(form, to, time.Now())
	if err != nil {
		return err
	}
	for i := range all {
		if err := w.write(&all[i]); err != nil {
			return err
		}
	}
	return w.close()
}

func notClosed() []string {
	return slices.DeleteFunc(slices.Clone(store.States), func(s string) bool { return s == store.StateClosed })
}

func addFormat(cmd *cobra.Command, form *string, standard string, forms ...string) {
	usage := "how they are written: `form` is "
	for i, name := range forms {
		if i > 0 {
			usage += map[bool]string{true: " or ", false: ", "}[i == len(forms)-1]
		}
		usage += name
	}
	cmd.Flags().StringVar(form, "format", standard, usage)
	// The only error is a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(forms, *form) {
			return wrongUse(fmt.Errorf("--format: %q is none of %v", *form, forms))
		}
		return nil
	}
}
