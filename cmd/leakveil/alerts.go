package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/store"
	"github.com/leakveil/leakveil/rules"
)

func newAlerts() *cobra.Command {
	return group("alerts", "Search alerts and work with them",
		`Alerts are read from the database that run keeps (alerts.store.path), while it runs
or not. Every command needs it: --config names the configuration of run, or --store
the database itself.

An alert is open, acknowledged (somebody works on it), revoked (its values were
ended by hand), expired (the last of its values has ended by itself), or closed. A
closed alert that grows is open again, and so is a revoked one with a value more.

Exit codes: 0 done; 1 the database or the sink failed, or no alert has the id; 2
wrong use.`,
		alertsList(), alertsShow(), alertsAck(), alertsClose(), alertsReopen(), alertsExport(), alertsReplay(), alertsDead(), alertsTest())
}

// storeFlags name the database.
type storeFlags struct {
	config, path string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `file` of run, which names the database")
	cmd.Flags().StringVar(&f.path, "store", "", "the database `file`, in place of --config")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return wrongUse(fmt.Errorf("%w (see %s --help; ids that begin with - stand behind --)", err, cmd.CommandPath()))
	})
}

// open opens the database, which must be there.
func (f *storeFlags) open(ctx context.Context) (*store.Store, error) {
	path := f.path
	switch {
	case path != "" && f.config != "":
		return nil, wrongUse(errors.New("--config and --store are both given; keep one"))
	case f.config != "":
		c, err := config.Load(f.config)
		if err != nil {
			return nil, wrongUse(err)
		}
		if path = c.Alerts.Store.Path; path == "" {
			return nil, wrongUse(fmt.Errorf("%s: alerts.store.path is empty: run keeps no alerts to search", f.config))
		}
	case path == "":
		return nil, wrongUse(errors.New("name the configuration of run with --config, or its database with --store"))
	}
	if _, err := os.Stat(path); err != nil {
		return nil, wrongUse(err)
	}
	return store.Open(ctx, store.Options{Path: path})
}

// with opens the database for the time of fn.
func (f *storeFlags) with(ctx context.Context, fn func(*store.Store) error) error {
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.Close())
}

// filterFlags choose alerts.
type filterFlags struct {
	client, kind, service, severity, fingerprint, since, until string
	states                                                     []string
	synthetic                                                  bool
}

func (f *filterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.client, "client", "", "alerts of this client `id`; unknown means those that name none")
	flags.StringVar(&f.kind, "kind", "", "alerts of this `kind`, as access_token")
	flags.StringVar(&f.service, "service", "", "alerts of records of this service `name`")
	flags.StringVar(&f.severity, "severity", "", "alerts at least as grave as `word`: info, low, medium, high, critical")
	flags.StringSliceVar(&f.states, "state", nil, "alerts in this `state`: open, acknowledged, revoked, expired, closed; several with commas")
	flags.StringVar(&f.fingerprint, "fingerprint", "", "alerts that list this `value` of leakveil fingerprint")
	flags.StringVar(&f.since, "since", "", "alerts with a detection since `time`: 2026-11-20, 2026-11-20T08:00:00Z, today, or a duration back from now, as 90m, 24h, 7d")
	flags.StringVar(&f.until, "until", "", "alerts whose last detection is before `time`")
	flags.BoolVar(&f.synthetic, "synthetic", false, "alerts of synthetic traffic (alerts.synthetic), in place of all others")
	complete := func(name string, words []string) {
		// The only error is a flag that is not there.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("kind", kinds())
	complete("severity", severities)
	complete("state", store.States)
	for _, name := range []string{"client", "service", "fingerprint", "since", "until"} {
		complete(name, nil)
	}
}

var severities = []string{"info", "low", "medium", "high", "critical"}

func kinds() (names []string) {
	for _, k := range rules.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// any reports whether one of the flags is given.
func (f *filterFlags) any() bool {
	return f.client+f.kind+f.service+f.severity+f.fingerprint+f.since+f.until != "" || len(f.states) > 0 || f.synthetic
}

// filter checks the flags.
func (f *filterFlags) filter(now time.Time) (store.Filter, error) {
	out := store.Filter{Client: f.client, Kind: f.kind, Service: f.service, Fingerprint: f.fingerprint, States: f.states, Synthetic: f.synthetic}
	if f.kind != "" && !slices.Contains(kinds(), f.kind) {
		return out, wrongUse(fmt.Errorf("--kind: %q is no kind; those are %s", f.kind, strings.Join(kinds(), ", ")))
	}
	if f.severity != "" {
		if !slices.Contains(severities, f.severity) {
			return out, wrongUse(fmt.Errorf("--severity: %q is none of %s", f.severity, strings.Join(severities, ", ")))
		}
		out.MinSeverity = alert.SeverityScore(f.severity)
	}
	for _, state := range f.states {
		if !slices.Contains(store.States, state) {
			return out, wrongUse(fmt.Errorf("--state: %q is none of %s", state, strings.Join(store.States, ", ")))
		}
	}
	var err error
	if out.Since, err = timeFlag("--since", f.since, now); err != nil {
		return out, err
	}
	out.Until, err = timeFlag("--until", f.until, now)
	return out, err
}

// timeFlag reads a time; the zero time for none.
func timeFlag(name, text string, now time.Time) (time.Time, error) {
	switch {
	case text == "":
		return time.Time{}, nil
	case text == "today":
		y, m, d := now.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, now.Location()), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, wrongUse(fmt.Errorf("%s: %q is no time: want 2026-11-20, 2026-11-20T08:00:00Z, today, or a duration as 90m, 24h, 7d", name, text))
}
