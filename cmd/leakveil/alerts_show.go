package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/internal/advice"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/store"
)

func alertsShow() *cobra.Command {
	var db storeFlags
	var form string
	var system systemFlag
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one alert and what to do",
		Long: `Show all that an alert says, what people did with it, and what to do: the call that
ends the values, where the vendor is known, or of the --system that issued them. ID
may be the beginning of an id. An id that begins with - stands behind --.

The values themselves are in no alert: the place says where the unmasked record was.`,
		Example: `  leakveil alerts show --config leakveil.yaml h3Vb
  leakveil alerts show --store alerts.db --system keycloak -- -Qx7
  leakveil alerts show --store alerts.db --format json h3Vb`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := system.check(); err != nil {
				return err
			}
			return db.with(cmd.Context(), func(s *store.Store) error {
				a, err := s.Alert(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if form == "json" {
					return encode(cmd.OutOrStdout(), lineOf(a))
				}
				return showAlert(cmd.OutOrStdout(), a, system.name, time.Now())
			})
		},
	}
	db.add(cmd)
	system.add(cmd)
	addFormat(cmd, &form, "text", "text", "json")
	return cmd
}

// systemFlag is the system whose calls are shown.
type systemFlag struct{ name string }

func (f *systemFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "system", "", "the `system` that issued the values, for its exact calls: "+strings.Join(advice.Names(), ", "))
	// The only error is a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("system", cobra.FixedCompletions(advice.Names(), cobra.ShellCompDirectiveNoFileComp))
}

func (f *systemFlag) check() error {
	if f.name != "" && advice.Named(f.name) == nil {
		return wrongUse(fmt.Errorf("--system: %q is none of %s", f.name, strings.Join(advice.Names(), ", ")))
	}
	return nil
}

// systemOf is the system to show calls of: that of the rule, else the named one.
func systemOf(rule, name string) *advice.System {
	return cmp.Or(advice.Of(rule), advice.Named(name))
}

func showAlert(to io.Writer, a *store.Alert, system string, now time.Time) error {
	r, err := field.Parse(a.Document)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(name string, parts ...string) {
		if text := strings.Join(nonEmpty(parts), ", "); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, text) // an error is kept for Flush
		}
	}
	local := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(now.Location()).Format("2006-01-02 15:04:05 MST") + " (" + ago(t, now) + ")"
	}
	row("alert", a.ID)
	row("state", a.State, local(a.StateAt), prefixed("by ", a.StateBy), a.Note)
	row("traffic", a.Traffic)
	row("severity", a.Severity, strings.Join(r.List("leakveil.severity_reasons"), ", "))
	row("leaked", a.Kind, prefixed("rule ", a.Rule), r.Text("leakveil.confidence"))
	if how := r.Text("leakveil.client.how"); how == "unknown" || how == "ambiguous" {
		row("client", how)
	} else {
		row("client", orUnknown(a.Client), prefixed("found by ", how), r.Text("leakveil.client.confidence"))
	}
	if list := r.List("leakveil.client.candidates"); len(list) > 1 || a.Client == "" {
		row("candidates", list...)
	}
	row("services", a.Services...)
	row("region", r.Text("cloud.region"))
	row("detections", fmt.Sprint(a.Sequence), "of "+number(int(r.Int("leakveil.fingerprint_count")), "value"))
	row("first", local(a.FirstSeen))
	row("last", local(a.LastSeen))
	if !a.Ends.IsZero() {
		row("values end", a.Ends.In(now.Location()).Format("2006-01-02 15:04:05 MST"))
	}
	row("first place", place(r, "leakveil.where."))
	row("last place", place(r, "leakveil.last_where."))
	row("excerpt", r.Text("leakveil.excerpt"))
	row("done", r.List("leakveil.action")...)
	row("told", toldWord(a), local(a.ToldAt))
	row("key", r.Text("leakveil.key_id"))
	row("fingerprints", first(r.List("leakveil.fingerprints"), 5)...)
	row("to do", r.Text("leakveil.advice.text"))
	row("where", r.Text("leakveil.advice.where"))
	row("see", r.Text("leakveil.advice.reference"))
	if s := systemOf(a.Rule, system); s != nil {
		for _, c := range s.For(a.Kind) {
			row(s.Title, c.Call)
			row("", "credentials: "+c.Auth+"; answer: "+c.Answer)
			row("", c.Note)
		}
	}
	return w.Flush()
}

// number is a number of things, in words.
func number(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func nonEmpty(parts []string) (out []string) {
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// first is the first n of list, and how many more there are.
func first(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(list[:n:n], fmt.Sprintf("and %d more", len(list)-n))
}

// place writes where a value stood.
func place(r field.Record, under string) string {
	var parts []string
	for _, name := range []string{"topic", "partition", "offset", "file", "line", "signal", "field", "trace_id", "span_id", "start", "end"} {
		if text := r.Text(under + name); text != "" {
			parts = append(parts, name+" "+text)
		}
	}
	return strings.Join(parts, ", ")
}

func toldWord(a *store.Alert) string {
	switch {
	case a.Traffic == "synthetic":
		return "nobody: synthetic traffic"
	case a.Told == 0:
		return "not yet"
	case a.ToldAt.IsZero():
		return fmt.Sprintf("in a digest, up to detection %d", a.Told)
	}
	return fmt.Sprintf("up to detection %d", a.Told)
}
