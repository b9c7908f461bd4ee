package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/store"
)

// alertWriter writes alerts in one form.
type alertWriter interface {
	write(*store.Alert) error
	// close writes what is left, and says how many there were where that helps.
	close() error
}

// newAlertWriter knows the forms of list and export.
func newAlertWriter(form string, to io.Writer, now time.Time) (alertWriter, error) {
	switch form {
	case "table":
		return &tableWriter{to: tabwriter.NewWriter(to, 0, 0, 2, ' ', 0), out: to, now: now}, nil
	case "json":
		return &jsonWriter{to}, nil
	case "csv":
		return &csvWriter{to: csv.NewWriter(to)}, nil
	case "ndjson":
		return &documentWriter{to}, nil
	}
	return nil, fmt.Errorf("--format: %q is none of table, json, csv, ndjson", form)
}

// line is a store.Alert as JSON.
type line struct {
	ID       string          `json:"id"`
	Sequence int64           `json:"sequence"`
	State    string          `json:"state"`
	StateAt  *time.Time      `json:"state_at,omitempty"`
	StateBy  string          `json:"state_by,omitempty"`
	Note     string          `json:"note,omitempty"`
	Told     int64           `json:"told_sequence"`
	Document json.RawMessage `json:"alert"`
}

func lineOf(a *store.Alert) line {
	out := line{a.ID, a.Sequence, a.State, nil, a.StateBy, a.Note, a.Told, a.Document}
	if !a.StateAt.IsZero() {
		out.StateAt = &a.StateAt
	}
	return out
}

// encode writes one line of JSON without HTML escapes.
func encode(to io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := to.Write(b.Bytes())
	return err
}

// jsonWriter writes one object a line.
type jsonWriter struct{ to io.Writer }

func (w *jsonWriter) write(a *store.Alert) error { return encode(w.to, lineOf(a)) }
func (w *jsonWriter) close() error               { return nil }

// documentWriter writes the documents alone, as sinks get them.
type documentWriter struct{ to io.Writer }

func (w *documentWriter) write(a *store.Alert) error {
	_, err := w.to.Write(append(a.Document[:len(a.Document):len(a.Document)], '\n'))
	return err
}
func (w *documentWriter) close() error { return nil }

var csvHead = []string{
	"id", "state", "severity", "severity_reasons", "kind", "rule", "client", "client_how", "client_candidates", "services", "region", "detections",
	"first_seen", "last_seen", "expires_at", "traffic", "topic", "file", "advice", "fingerprints", "state_by", "note",
}

// csvWriter writes one alert a line. Cells that a spreadsheet would take for a
// formula begin with an apostrophe: client ids come from logs.
type csvWriter struct {
	to     *csv.Writer
	headed bool
}

func (w *csvWriter) write(a *store.Alert) error {
	if err := w.head(); err != nil {
		return err
	}
	r, err := field.Parse(a.Document)
	if err != nil {
		return err
	}
	cells := []string{
		a.ID, a.State, a.Severity, r.Text("leakveil.severity_reasons"), a.Kind, a.Rule, a.Client, r.Text("leakveil.client.how"),
		r.Text("leakveil.client.candidates"), strings.Join(a.Services, ","), r.Text("cloud.region"), strconv.FormatInt(a.Sequence, 10),
		stamp(a.FirstSeen), stamp(a.LastSeen), stamp(a.Ends), a.Traffic, r.Text("leakveil.where.topic"), r.Text("leakveil.where.file"),
		r.Text("leakveil.advice.method"), r.Text("leakveil.fingerprints"), a.StateBy, a.Note,
	}
	return w.to.Write(safeCells(cells))
}

// safeCells keeps a spreadsheet from taking a cell for a formula.
func safeCells(cells []string) []string {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}

func (w *csvWriter) head() error {
	if w.headed {
		return nil
	}
	w.headed = true
	return w.to.Write(csvHead)
}

func (w *csvWriter) close() error {
	if err := w.head(); err != nil {
		return err
	}
	w.to.Flush()
	return w.to.Error()
}

// stamp is a time for machines, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// tableWriter writes a table for people.
type tableWriter struct {
	to  *tabwriter.Writer
	out io.Writer
	now time.Time
	n   int
}

func (w *tableWriter) write(a *store.Alert) error {
	if w.n++; w.n == 1 {
		fmt.Fprintln(w.to, "ALERT\tSTATE\tSEVERITY\tKIND\tCLIENT\tSERVICE\tCOUNT\tFIRST\tLAST") // an error is kept for Flush
	}
	fmt.Fprintf(w.to, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", a.ID, a.State, a.Severity, a.Kind, field.Cut(orUnknown(a.Client), 40),
		field.Cut(strings.Join(a.Services, ","), 40), a.Sequence, a.FirstSeen.In(w.now.Location()).Format("2006-01-02 15:04:05"), ago(a.LastSeen, w.now))
	return nil
}

func (w *tableWriter) close() error {
	if err := w.to.Flush(); err != nil {
		return err
	}
	if w.n == 0 {
		_, err := fmt.Fprintln(w.out, "no alert fits")
		return err
	}
	return nil
}

func orUnknown(client string) string {
	if client == "" {
		return store.UnknownClient
	}
	return client
}

// ago says how long ago a time is, in words.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0:
		return "ahead of this clock"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	}
	return fmt.Sprintf("%dd ago", d/(24*time.Hour))
}
