package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/advice"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/store"
)

func newClients() *cobra.Command {
	var db storeFlags
	var filter filterFlags
	var system systemFlag
	var form string
	var limit int
	cmd := &cobra.Command{
		Use:   "clients",
		Short: "List affected clients and what to revoke first",
		Long: `List the OAuth clients whose secrets leaked, the gravest first, from alerts that are
open or acknowledged; --state asks for others. FIRST is what to end first of each.

With --client, say of one client what to end in which order, and by which call: that
of the vendor where the rule knows it, or of the --system that issued the values.

Exit codes: 0 done, 1 the database failed, 2 wrong use.`,
		Example: `  leakveil clients --config leakveil.yaml --since today
  leakveil clients --store alerts.db --client spa-bank --system keycloak
  leakveil clients --store alerts.db --severity high --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filter.filter(time.Now())
			if err != nil {
				return err
			}
			if f.Limit = limit; limit <= 0 {
				return wrongUse(errors.New("--limit: want 1 or more"))
			}
			if err := system.check(); err != nil {
				return err
			}
			if len(f.States) == 0 {
				f.States = []string{store.StateOpen, store.StateAcknowledged}
			}
			var all []store.Client
			if err := db.with(cmd.Context(), func(s *store.Store) (err error) { all, err = s.Clients(cmd.Context(), f); return err }); err != nil {
				return err
			}
			for i := range all {
				inOrder(all[i].By)
			}
			return writeClients(cmd.OutOrStdout(), form, f.Client != "", all, system.name, time.Now())
		},
	}
	db.add(cmd)
	filter.add(cmd)
	system.add(cmd)
	addFormat(cmd, &form, "table", "table", "json", "csv")
	cmd.Flags().IntVar(&limit, "limit", 100, "the most `clients` that are listed")
	return cmd
}

// inOrder sorts what leaked by what is to be ended first.
func inOrder(leaks []store.Leak) {
	slices.SortStableFunc(leaks, func(a, b store.Leak) int {
		return cmp.Or(cmp.Compare(alert.SeverityScore(b.Severity), alert.SeverityScore(a.Severity)),
			cmp.Compare(advice.Urgency(a.Kind), advice.Urgency(b.Kind)), b.LastSeen.Compare(a.LastSeen))
	})
}

func writeClients(to io.Writer, form string, one bool, all []store.Client, system string, now time.Time) error {
	switch {
	case form == "json":
		for i := range all {
			if err := encode(to, clientLine(&all[i], system)); err != nil {
				return err
			}
		}
		return nil
	case form == "csv":
		return clientsCSV(to, all)
	case len(all) == 0:
		_, err := fmt.Fprintln(to, "no client is affected")
		return err
	case one:
		return showClient(to, &all[0], system, now)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLIENT\tSEVERITY\tALERTS\tDETECTIONS\tFIRST\tSERVICES\tSINCE\tLAST") // an error is kept for Flush
	for i := range all {
		c := &all[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", field.Cut(orUnknown(c.ID), 40), c.Severity, c.Alerts, c.Detections,
			alert.AdviceFor(c.By[0].Kind).Method+" "+c.By[0].Kind, field.Cut(strings.Join(c.Services, ","), 40),
			c.FirstSeen.In(now.Location()).Format("2006-01-02 15:04:05"), ago(c.LastSeen, now))
	}
	return w.Flush()
}

func showClient(to io.Writer, c *store.Client, system string, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s, %s, since %s, last %s\n", orUnknown(c.ID), c.Severity, number(int(c.Alerts), "alert"), number(int(c.Detections), "detection"),
		c.FirstSeen.In(now.Location()).Format("2006-01-02 15:04:05"), ago(c.LastSeen, now))
	if len(c.Services) > 0 {
		fmt.Fprintf(&b, "services: %s\n", strings.Join(c.Services, ", "))
	}
	for i := range c.By {
		l := &c.By[i]
		a := alert.AdviceFor(l.Kind)
		fmt.Fprintf(&b, "\n%d. %s %s (%s, rule %s, %s, last %s)\n   %s\n   %s\n", i+1, a.Method, l.Kind, l.Severity, l.Rule, number(int(l.Detections), "detection"),
			ago(l.LastSeen, now), a.Text, a.Where)
		if s := systemOf(l.Rule, system); s != nil {
			for _, call := range s.For(l.Kind) {
				fmt.Fprintf(&b, "   %s: %s\n      credentials: %s; answer: %s\n", s.Title, call.Call, call.Auth, call.Answer)
				if call.Note != "" {
					fmt.Fprintf(&b, "      %s\n", call.Note)
				}
			}
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// step is one thing to end, as JSON.
type step struct {
	Kind       string        `json:"kind"`
	Rule       string        `json:"rule"`
	Severity   string        `json:"severity"`
	Alerts     int64         `json:"alerts"`
	Detections int64         `json:"detections"`
	FirstSeen  time.Time     `json:"first_seen"`
	LastSeen   time.Time     `json:"last_seen"`
	Advice     alert.Advice  `json:"advice"`
	System     string        `json:"system,omitempty"`
	Calls      []advice.Call `json:"calls,omitempty"`
}

// affected is a client as JSON.
type affected struct {
	Client     string    `json:"client"`
	Known      bool      `json:"known"`
	Severity   string    `json:"severity"`
	Alerts     int64     `json:"alerts"`
	Detections int64     `json:"detections"`
	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	Services   []string  `json:"services"`
	Steps      []step    `json:"steps"`
}

func clientLine(c *store.Client, system string) affected {
	out := affected{orUnknown(c.ID), c.ID != "", c.Severity, c.Alerts, c.Detections, c.FirstSeen, c.LastSeen, append([]string{}, c.Services...), nil}
	for i := range c.By {
		l := &c.By[i]
		one := step{l.Kind, l.Rule, l.Severity, l.Alerts, l.Detections, l.FirstSeen, l.LastSeen, alert.AdviceFor(l.Kind), "", nil}
		if s := systemOf(l.Rule, system); s != nil {
			one.System, one.Calls = s.Name, s.For(l.Kind)
		}
		out.Steps = append(out.Steps, one)
	}
	return out
}

func clientsCSV(to io.Writer, all []store.Client) error {
	w := csv.NewWriter(to)
	rows := [][]string{{"client", "severity", "alerts", "detections", "first", "kinds", "services", "first_seen", "last_seen"}}
	for i := range all {
		c := &all[i]
		var kinds []string
		for _, l := range c.By {
			if !slices.Contains(kinds, l.Kind) {
				kinds = append(kinds, l.Kind)
			}
		}
		rows = append(rows, safeCells([]string{
			orUnknown(c.ID), c.Severity, strconv.FormatInt(c.Alerts, 10), strconv.FormatInt(c.Detections, 10), alert.AdviceFor(c.By[0].Kind).Method + " " + c.By[0].Kind,
			strings.Join(kinds, ","), strings.Join(c.Services, ","), stamp(c.FirstSeen), stamp(c.LastSeen),
		}))
	}
	return w.WriteAll(rows)
}
