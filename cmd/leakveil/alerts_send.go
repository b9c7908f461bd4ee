package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/store"
)

func alertsReplay() *cobra.Command {
	var db storeFlags
	var filter filterFlags
	var name string
	var dead bool
	cmd := &cobra.Command{
		Use:   "replay --sink NAME",
		Short: "Give alerts to one sink once more",
		Long: `Put the last state of every alert that fits into the outbox once more, for one sink
alone: after its index was lost, or when it is new and wants what came before it.
With --dead put its dead letters there instead, and forget them: after what they were
refused for was mended. Ids and numbers are the same as before.

A running run sends them within seconds, else the next one does.`,
		Example: `  leakveil alerts replay --config leakveil.yaml --sink siem --since 7d
  leakveil alerts replay --config leakveil.yaml --sink siem --dead`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return wrongUse(errors.New("replay: --sink is missing: name a sink of the configuration"))
			}
			if dead && filter.any() {
				return wrongUse(errors.New("replay: --dead takes all dead letters of the sink; it goes with no filter"))
			}
			f, err := filter.filter(time.Now())
			if err != nil {
				return err
			}
			return db.with(cmd.Context(), func(s *store.Store) error {
				var n int
				var err error
				if dead {
					n, err = s.ReplayDead(cmd.Context(), name)
				} else {
					n, err = s.Replay(cmd.Context(), name, f)
				}
				if errors.Is(err, store.ErrNoReader) {
					return wrongUse(fmt.Errorf("--sink: %w", err))
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s for %s in the outbox\n", number(n, "document"), name)
				return err
			})
		},
	}
	db.add(cmd)
	filter.add(cmd)
	cmd.Flags().StringVar(&name, "sink", "", "the sink's `name` in the configuration")
	cmd.Flags().BoolVar(&dead, "dead", false, "its dead letters, in place of alerts")
	return cmd
}

func alertsDead() *cobra.Command {
	var db storeFlags
	var limit int
	var forget string
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "List dead letters: what sinks refused for good",
		Long: `List documents that a receiver will never take as they are, oldest first: of which
sink, why, and of which alert. They take room in the database until replay --dead, or until
--forget deletes those of one sink, which may be one that is no longer configured.`,
		Example: `  leakveil alerts dead --config leakveil.yaml
  leakveil alerts dead --config leakveil.yaml --forget old-siem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit <= 0 {
				return wrongUse(errors.New("--limit: want 1 or more"))
			}
			return db.with(cmd.Context(), func(s *store.Store) error {
				if cmd.Flags().Changed("forget") {
					n, err := s.ForgetDead(cmd.Context(), forget)
					if err == nil {
						_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s of %s deleted\n", number(int(n), "dead letter"), forget)
					}
					return err
				}
				all, err := s.Dead(cmd.Context(), limit)
				if err != nil {
					return err
				}
				if len(all) == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "no dead letters")
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "AT\tSINK\tREASON\tDOCUMENT") // an error is kept for Flush
				for i := range all {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", all[i].At.Local().Format("2006-01-02 15:04:05"), all[i].Reader, all[i].Reason, all[i].ID)
				}
				return w.Flush()
			})
		},
	}
	db.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 100, "the most `letters` that are listed")
	cmd.Flags().StringVar(&forget, "forget", "", "delete all dead letters of this `sink`, and list none")
	return cmd
}

func alertsTest() *cobra.Command {
	var file, name string
	cmd := &cobra.Command{
		Use:   "test --sink NAME",
		Short: "Send one marked test alert to a sink",
		Long: `Send one alert to a sink of the configuration, now, and say whether the receiver took
it. It is marked: leakveil.traffic is test, rule, client and topic are leakveil-test,
the severity is info. It is not stored, and needs no running run. The file of a file
sink has one writer: while run has it, that sink cannot be tried.

Exit codes: 0 the receiver took it; 1 it did not, and the word says why (see
docs/sinks.md); 2 the configuration is wrong, or has no such sink.`,
		Example: "  leakveil alerts test --config leakveil.yaml --sink siem",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" || name == "" {
				return wrongUse(errors.New("test: --config and --sink are needed"))
			}
			c, err := config.Load(file)
			if err != nil {
				return wrongUse(err)
			}
			begun := time.Now()
			id, outcome, err := app.TrySink(cmd.Context(), c, name, begun)
			if err != nil {
				return wrongUse(err)
			}
			if outcome.Verdict != sink.Delivered {
				return fmt.Errorf("%s did not take the test alert: %s", name, outcome.Reason)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s took the test alert %s in %v\n", name, id, time.Since(begun).Round(time.Millisecond))
			return err
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `file` of run")
	cmd.Flags().StringVar(&name, "sink", "", "the sink's `name` in the configuration")
	return cmd
}
