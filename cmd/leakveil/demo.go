package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/app"
)

// demoCommand is leakveil demo.
type demoCommand struct {
	records int
	follow  bool
	pause   time.Duration
	seed    uint64
	engine  engineFlag
}

func newDemo() *cobra.Command {
	d := &demoCommand{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the main job on a generated stream of logs",
		Long: `Generate the logs of several services (access logs, JSON, dumps, stack traces;
most lines clean), send them through the pipeline that run uses, and show the
masked lines and the alerts with client ids as they come. At the end comes a
summary: what was found, which clients to act on, how fast it was.`,
		Example: "  leakveil demo\n  leakveil demo --follow",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			engine, err := d.engine.resolve(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return d.run(ctx, engine, cmd.OutOrStdout())
		},
	}
	d.engine.add(cmd)
	f := cmd.Flags()
	f.IntVar(&d.records, "records", 200_000, "records to generate")
	f.BoolVar(&d.follow, "follow", false, "go on until interrupted")
	f.DurationVar(&d.pause, "pause", 15*time.Millisecond, "pause after each shown line, so that one can read along")
	f.Uint64Var(&d.seed, "seed", 1, "another number gives another stream")
	return cmd
}

// demoTally counts what the pipeline tells it.
type demoTally struct {
	kinds    map[string]int64
	withheld int64
}

func (t *demoTally) Findings(kind, _ string, n int64) { t.kinds[kind] += n }
func (t *demoTally) Withheld(_ string, n int64)       { t.withheld += n }
func (t *demoTally) Dropped(int64)                    {}
func (t *demoTally) DeadLetters(string, int64)        {}
func (t *demoTally) Detections(string, string, int64) {}
func (t *demoTally) Payloads(string, string, int64)   {}
func (t *demoTally) BatchDone(time.Duration)          {}

// demoRun is one run of the demo.
type demoRun struct {
	demoCommand
	out     io.Writer
	style   style
	width   int
	tally   *demoTally
	local   *app.Local
	busy    time.Duration
	bytes   int64
	done    int
	alerts  map[string]alert.Alert
	shown   int
	changed int
}

// demoBatch is the number of records in one step, about what a fetch brings.
const demoBatch = 500

// shownLines is how many changed lines are shown; all are masked.
const shownLines = 40

func (d *demoCommand) run(ctx context.Context, engine detect.Engine, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shown := &untilError{w: out, stop: cancel}
	r := &demoRun{demoCommand: *d, out: shown, style: styleFor(out), width: widthOf(out), alerts: map[string]alert.Alert{}}
	r.tally = &demoTally{kinds: map[string]int64{}}
	var err error
	if r.local, err = app.NewLocal("app-logs", engine, r.tally); err != nil {
		return err
	}
	defer r.local.Close()
	fmt.Fprintf(r.out, "%s\n\n", r.style.bold("leakveil demo: generated logs of several services, masked as they pass"))
	options := corpus.Options{Seed: d.seed, LeakEvery: 200}
	for g := corpus.New(options); ctx.Err() == nil && (d.follow || r.done < d.records); {
		if err := r.step(ctx, g); err != nil && shown.err == nil {
			return err
		}
	}
	for _, a := range r.local.Alerts() {
		r.alerts[a.ID] = a
	}
	r.summary()
	return shown.err
}

// untilError stops the demo when nobody reads it any more.
type untilError struct {
	w    io.Writer
	stop func()
	err  error
}

func (u *untilError) Write(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.w.Write(p)
	if u.err = err; err != nil {
		u.stop()
	}
	return n, err
}

// widthOf is how many characters of a line are shown: as many as the terminal
// has, and what fits most when it is none.
func widthOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return min(max(width, 60), 240)
		}
	}
	return 160
}

func (r *demoRun) step(ctx context.Context, g *corpus.Generator) error {
	values := make([][]byte, 0, demoBatch)
	for range demoBatch {
		line := g.Next()
		values = append(values, line.Text)
		r.bytes += int64(len(line.Text))
	}
	start := time.Now()
	masked, alerts, err := r.local.Step(ctx, values, start)
	if err != nil {
		return err
	}
	r.busy += time.Since(start)
	r.done += len(values)
	for i := range masked {
		if !bytes.Equal(masked[i].Value, values[i]) {
			r.line(ctx, masked[i].Value)
		}
	}
	for _, a := range alerts {
		r.alerts[a.ID] = a
		if r.follow || r.shown <= shownLines {
			r.alert(a)
		}
	}
	return nil
}

// line shows a masked line, cut to what a screen holds.
func (r *demoRun) line(ctx context.Context, text []byte) {
	r.changed++
	if r.shown++; r.shown > shownLines && !r.follow {
		if r.shown == shownLines+1 {
			fmt.Fprintf(r.out, "  … the rest of the stream at full speed …\n")
		}
		return
	}
	fmt.Fprintf(r.out, "  %s\n", r.style.masks(cutLine(string(text), r.width-3)))
	select {
	case <-time.After(r.pause):
	case <-ctx.Done():
	}
}

// cutLine is at most width characters of a line, with its first mask among them.
func cutLine(line string, width int) string {
	text := []rune(strings.ToValidUTF8(line, "?"))
	before, _, _ := strings.Cut(string(text), "REDACTED.")
	if skip := len([]rune(before)) - max(0, width-80)/2 - 8; skip > 0 && skip < len(text) {
		text = append([]rune("…"), text[skip:]...)
	}
	if len(text) > width {
		text = append(text[:width-1:width-1], '…')
	}
	return string(text)
}

func (r *demoRun) alert(a alert.Alert) {
	fmt.Fprintf(r.out, "  %s %s of client %s (%s), %d so far: %s\n",
		r.style.red("ALERT"), a.Kind, r.style.bold(clientName(a)), a.Client.How, a.Count, alert.AdviceFor(a.Kind).Method)
}

func clientName(a alert.Alert) string {
	switch {
	case a.Client.ID != "":
		return a.Client.ID
	case len(a.Client.Candidates) > 0:
		return "one of " + strings.Join(a.Client.Candidates, ", ")
	}
	return "unknown"
}

func (r *demoRun) summary() {
	fmt.Fprintf(r.out, "\n%s\n", r.style.bold("Summary"))
	fmt.Fprintf(r.out, "  records        %d (%d clean, %d masked, %d withheld)\n", r.done, r.done-r.changed, r.changed, r.tally.withheld)
	fmt.Fprintf(r.out, "  throughput     %.0f MB/s, %.0f records/s through the pipeline, one core\n",
		float64(r.bytes)/1e6/r.busy.Seconds(), float64(r.done)/r.busy.Seconds())
	fmt.Fprintf(r.out, "\n  findings by kind\n")
	for _, name := range byCount(r.tally.kinds) {
		fmt.Fprintf(r.out, "    %-22s %6d\n", name, r.tally.kinds[name])
	}
	clients := map[string]int64{}
	advice := map[string]map[string]bool{}
	for _, a := range r.alerts {
		name := clientName(a)
		clients[name] += a.Count
		if advice[name] == nil {
			advice[name] = map[string]bool{}
		}
		advice[name][alert.AdviceFor(a.Kind).Method] = true
	}
	fmt.Fprintf(r.out, "\n  clients to act on\n")
	for _, name := range append(slices.DeleteFunc(byCount(clients), isUnknown), slices.DeleteFunc(byCount(clients), isNamed)...) {
		var todo []string
		for method := range advice[name] {
			todo = append(todo, method)
		}
		sort.Strings(todo)
		fmt.Fprintf(r.out, "    %-22s %6d  %s\n", name, clients[name], strings.Join(todo, ", "))
	}
}

// Nobody can act on a client that is not known, so those come last.
func isUnknown(name string) bool { return name == "unknown" || strings.HasPrefix(name, "one of ") }
func isNamed(name string) bool   { return !isUnknown(name) }

func byCount(counts map[string]int64) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	return names
}

// style colours a terminal, and nothing else.
type style bool

func styleFor(w io.Writer) style {
	f, ok := w.(*os.File)
	return style(ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "")
}

func (s style) wrap(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string { return s.wrap("1", text) }
func (s style) red(text string) string  { return s.wrap("1;31", text) }

// masks makes the masks in a line stand out.
func (s style) masks(line string) string {
	if !s {
		return line
	}
	parts := strings.Split(line, "REDACTED.")
	for i := 1; i < len(parts); i++ {
		end := strings.IndexFunc(parts[i], func(r rune) bool {
			return !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.", r)
		})
		if end < 0 {
			end = len(parts[i])
		}
		parts[i] = s.wrap("32", "REDACTED."+parts[i][:end]) + parts[i][end:]
	}
	return strings.Join(parts, "")
}
