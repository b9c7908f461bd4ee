package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/telemetry"
)

func newRun() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Mask a Kafka stream or OTLP and alert on what leaked",
		Long: `Read topics as a member of a consumer group, write every record masked to the
output topic (same partition, key, headers and timestamp), and write a detection
for each finding and an alert for each leaking client. Offsets are committed only
after output and detections are acknowledged.

With input.otlp, listen for OTLP (logs, traces, metrics) instead, and pass every
request on masked, to another OTLP endpoint, to a file or to Kafka. A request is
answered only after output and detections are durable.

SIGTERM or SIGINT drains: what is in flight is finished and committed, then the
group is left. A second signal ends the program at once.

Exit codes: 0 stopped cleanly; 1 gave up on the way; 2 the configuration, the
brokers, the topics or the rights are not as needed.`,
		Example: `  leakveil key new key.bin
  leakveil run --config leakveil.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return run(file) },
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `file` (YAML); LEAKVEIL_… variables override it")
	return cmd
}

func run(file string) error { return serve(file, app.Open) }

// serve runs what open makes of a configuration until a signal ends it.
func serve[R app.Runner](file string, open func(context.Context, *config.Config, telemetry.Build, *slog.Logger) (R, error)) error {
	c, err := config.Load(file)
	if err != nil {
		return wrongUse(err)
	}
	log := newLogger(c.Log)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	engine, err := detect.Engine(c.Engine).Resolve()
	if err != nil {
		return wrongUse(err)
	}
	if engine == detect.Portable {
		log.Info(portableNote)
	}
	a, err := open(ctx, c, buildInfo(engine), log)
	if err != nil && ctx.Err() != nil {
		log.Info("leakveil was stopped before it began")
		return nil // what failed, failed for that
	}
	if err != nil {
		return wrongUse(err)
	}
	defer a.Close()
	go func() {
		<-ctx.Done()
		stop() // the next signal ends the program
	}()
	err = a.Run(ctx)
	if errors.Is(err, app.ErrStart) {
		return wrongUse(err)
	}
	return err
}

func newLogger(c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // the configuration has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

func buildInfo(engine detect.Engine) telemetry.Build {
	build := telemetry.Build{Version: moduleVersion(), Engine: engine.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				build.Revision = s.Value
			}
		}
	}
	return build
}
