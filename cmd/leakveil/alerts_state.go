package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/excerpt"
	"github.com/leakveil/leakveil/internal/store"
)

// stateCommand is a command that changes the state of alerts.
func stateCommand(name, short, long, example string, state func() string) (*cobra.Command, *filterFlags) {
	var db storeFlags
	filter := &filterFlags{}
	var by, note string
	cmd := &cobra.Command{
		Use: name + " [ID...]", Short: short, Example: example,
		Long: long + `

Alerts are named by their ids, or how these begin, or chosen by filters. All are
changed, or none.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) > 0) == filter.any() {
				return wrongUse(errors.New(name + ": name alerts by their ids, or choose them by filters; not both"))
			}
			f, err := filter.filter(time.Now())
			if err != nil {
				return err
			}
			if err := errors.Join(plain("--by", by), plain("--note", note)); err != nil {
				return wrongUse(err)
			}
			return db.with(cmd.Context(), func(s *store.Store) error {
				ids, err := chosen(cmd.Context(), s, args, f)
				if err == nil {
					err = s.SetState(cmd.Context(), ids, store.Change{State: state(), By: by, Note: note})
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s now %s\n", number(len(ids), "alert"), state())
				return err
			})
		},
	}
	db.add(cmd)
	filter.add(cmd)
	cmd.Flags().StringVar(&by, "by", userName(), "who does it: a `name` that is kept with the alert")
	cmd.Flags().StringVar(&note, "note", "", "a `text` that is kept with the alert; never a secret")
	return cmd, filter
}

// maxNote is the longest note or name in bytes.
const maxNote = 1024

// plain refuses text that could do something to the terminal of whoever reads it.
// Its error does not repeat the text: somebody may have pasted the wrong thing.
func plain(flag, text string) error {
	switch {
	case len(text) > maxNote:
		return fmt.Errorf("%s: longer than %d bytes", flag, maxNote)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, excerpt.Unclean):
		return fmt.Errorf("%s: has line ends or characters that control a terminal", flag)
	}
	return nil
}

// chosen are whole ids, of arguments or of a filter.
func chosen(ctx context.Context, s *store.Store, args []string, f store.Filter) (ids []string, err error) {
	for _, arg := range args {
		a, err := s.Alert(ctx, arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, a.ID)
	}
	if len(args) > 0 {
		return ids, nil
	}
	if len(f.States) == 0 {
		f.States = notClosed()
	}
	err = s.Each(ctx, f, func(a *store.Alert) error { ids = append(ids, a.ID); return nil })
	return ids, err
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func alertsAck() *cobra.Command {
	cmd, _ := stateCommand("ack", "Say that somebody works on alerts",
		`Make alerts acknowledged. They are not said again (alerts.notify.repeat_interval); what
is new in them is still told.`,
		"  leakveil alerts ack --config leakveil.yaml --note \"rotating\" h3Vb Qx7\n  leakveil alerts ack --store alerts.db --client spa-bank",
		func() string { return store.StateAcknowledged })
	return cmd
}

func alertsClose() *cobra.Command {
	revoked := false
	cmd, _ := stateCommand("close", "Close alerts, or say that their values are revoked",
		`Make alerts closed, or revoked with --revoked: somebody has ended their values. A closed
alert that grows is open again; a revoked one only when it has a value that it had
not before.`,
		"  leakveil alerts close --config leakveil.yaml --revoked h3Vb\n  leakveil alerts close --store alerts.db --state expired --until 30d --note old",
		func() string {
			if revoked {
				return store.StateRevoked
			}
			return store.StateClosed
		})
	cmd.Flags().BoolVar(&revoked, "revoked", false, "the values were revoked, rotated or ended")
	return cmd
}

func alertsReopen() *cobra.Command {
	cmd, _ := stateCommand("reopen", "Open alerts again",
		`Make alerts open again. Those of which all values have ended show as expired.`,
		"  leakveil alerts reopen --config leakveil.yaml h3Vb", func() string { return store.StateOpen })
	return cmd
}
