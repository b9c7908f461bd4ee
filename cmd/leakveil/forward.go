package main

import (
	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/app"
)

func newForward() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "forward --config FILE",
		Short: "Carry alerts from the alerts topic to the sinks",
		Long: `Read the alerts topic (alerts.kafka.topic) in a consumer group of its own, that of run
with .forward behind it, keep every alert in the database (alerts.store.path), and
serve the sinks (alerts.sinks) from there. Offsets are committed only after what
stands before them is in the database; what is read twice is sent once.

It is for several members of run, which then fold alerts and write them to the topic
alone. All have alerts.kafka.forward: true, and may share one configuration. Run one
forward, with its database on a disk that outlives it.

SIGTERM or SIGINT drains. A second signal ends the program at once.

Exit codes: 0 stopped cleanly; 1 gave up on the way; 2 the configuration, the
brokers, the topic or the rights are not as needed.`,
		Example: "  leakveil forward --config leakveil.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return serve(file, app.NewForward) },
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `file` (YAML); LEAKVEIL_… variables override it")
	return cmd
}
