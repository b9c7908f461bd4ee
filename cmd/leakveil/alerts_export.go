package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/store"
)

func alertsExport() *cobra.Command {
	var db storeFlags
	var filter filterFlags
	var form, file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all alerts that fit",
		Long: `Write the last state of every alert that fits, closed ones included, in the order of
their ids. ndjson has the documents alone, one a line, as sinks get them; json has
the state beside the document; csv one line an alert, for spreadsheets.

A FILE is made for its owner alone, and an existing one is not replaced.`,
		Example: `  leakveil alerts export --config leakveil.yaml --since 7d --output alerts.ndjson
  leakveil alerts export --store alerts.db --format csv --state closed,revoked > done.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filter.filter(time.Now())
			if err != nil {
				return err
			}
			return db.with(cmd.Context(), func(s *store.Store) error {
				if file == "" {
					return export(cmd, s, f, form, cmd.OutOrStdout())
				}
				out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
				if err != nil {
					return wrongUse(err)
				}
				return errors.Join(export(cmd, s, f, form, out), out.Close())
			})
		},
	}
	db.add(cmd)
	filter.add(cmd)
	addFormat(cmd, &form, "ndjson", "ndjson", "json", "csv")
	cmd.Flags().StringVar(&file, "output", "", "write to this `file` in place of standard output")
	return cmd
}

func export(cmd *cobra.Command, s *store.Store, f store.Filter, form string, to io.Writer) error {
	w, err := newAlertWriter(form, to, time.Now())
	if err != nil {
		return err
	}
	n := 0
	err = s.Each(cmd.Context(), f, func(a *store.Alert) error { n++; return w.write(a) })
	if err == nil {
		err = w.close()
	}
	if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "leakveil: %s\n", number(n, "alert"))
	}
	return err
}
