package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/store"
	"github.com/leakveil/leakveil/internal/telemetry"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// flood is run's way from records to sinks in one process, with a clock that the test
// turns: what takes an hour of log time goes through as fast as it can.
type flood struct {
	t      *testing.T
	now    time.Time
	p      *processor
	fold   *alert.Fold
	store  *store.Store
	report store.Report

	offset, folded, planted, found int64

	told    []time.Time      // when each document was notified
	last    map[string]int64 // sequence of each alert, of every state
	digests int64            // states in digests
	read    map[string]int64 // position of each reader
}

const (
	floodBatch   = 1000 // lines
	floodClient  = 5    // an hour
	floodGlobal  = 30
	floodMinutes = 180 // of log time
)

func newFlood(t *testing.T) *flood {
	t.Helper()
	f := &flood{t: t, now: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), last: map[string]int64{}, read: map[string]int64{}}
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	key := redact.RandomKey()
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	clock := func() time.Time { return f.now }
	var counts *telemetry.Metrics
	f.p = newProcessor(&processor{
		maxRecord: 16 << 20, output: func(in string) string { return in }, key: key.Derive("detection id"), keyID: key.ID(), counts: counts, now: clock,
	}, w)
	if f.fold, err = alert.NewFold(alert.Config{Key: key.Derive("alert id"), Window: time.Hour, Interval: time.Minute, Now: clock}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read("")
	if err != nil {
		t.Fatal(err)
	}
	n := c.Alerts.Notify
	n.Rate.Client, n.Rate.Global = floodClient, floodGlobal
	f.store, err = store.Open(t.Context(), store.Options{
		Path: filepath.Join(t.TempDir(), "db"), Readers: []string{"pager", "index"}, EveryState: []string{"index"}, Now: clock,
		Notify: notifying(n, key.Derive("alert id")),
		Report: func(r store.Report) {
			f.report.Notified += r.Notified
			f.report.Held += r.Held
			f.report.Digests += r.Digests
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	return f
}

// batch masks lines, folds what was found, stores the alerts and notifies.
func (f *flood) batch(g *corpus.Generator) {
	in := kafka.Input{Topic: "auth"}
	for range floodBatch {
		line := g.Next()
		f.planted += int64(len(line.Secrets))
		in.Records = append(in.Records, recordbatch.Record{Offset: f.offset, Timestamp: f.now.UnixMilli(), Value: line.Text})
		f.offset++
	}
	unit, err := f.p.process(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	f.found += int64(len(unit.Detections))
	for _, d := range unit.Detections {
		f.fold.Add(f.folded, f.now, d)
		f.folded++
	}
	f.settle(f.fold.Changed())
}

func (f *flood) settle(alerts []alert.Alert) {
	var entries []outbox.Entry
	for i := range alerts {
		entries = append(entries, outbox.Entry{ID: fmt.Sprintf("%s-%d", alerts[i].ID, alerts[i].Sequence), Data: alert.MarshalAlert(alerts[i])})
	}
	if err := f.store.Append(f.t.Context(), entries); err != nil {
		f.t.Fatal(err)
	}
	for more := true; more; {
		var err error
		if more, err = f.store.Notify(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
	f.deliver("pager", func(doc document) {
		if doc.Leakveil.Digest.Alerts > 0 {
			f.digests += doc.Leakveil.Digest.Alerts
		} else {
			f.told = append(f.told, f.now)
		}
	})
	f.deliver("index", func(doc document) {
		if a := doc.Leakveil.Alert; a.ID != "" {
			f.last[a.ID] = max(f.last[a.ID], a.Sequence)
		}
	})
}

type document struct {
	Leakveil struct {
		Alert struct {
			ID       string
			Sequence int64
		}
		Digest struct{ Alerts int64 }
	}
}

// deliver is a sink that takes everything at once.
func (f *flood) deliver(reader string, fn func(document)) {
	entries, err := f.store.View(reader).Read(f.t.Context(), f.read[reader], 1<<20, 1<<30)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range entries {
		var doc document
		if err := json.Unmarshal(e.Data, &doc); err != nil {
			f.t.Fatal(err)
		}
		fn(doc)
		f.read[reader] = e.Seq
	}
	if err := f.store.Advance(f.t.Context(), reader, f.read[reader], nil); err != nil {
		f.t.Fatal(err)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The traffic of an identity provider, one line in five with a secret, as fast as it
// goes: people hear of it within the configured rate, every count is exact, what is
// not told is in a digest, and memory does not grow.
func TestAuthTrafficKeepsWithinTheRate(t *testing.T) {
	f := newFlood(t)
	g := corpus.New(corpus.Auth)
	batches := 120
	if os.Getenv("LEAKVEIL_LONG") != "" {
		batches = 3000
	}
	step := floodMinutes * time.Minute / time.Duration(batches)
	half := int64(0)
	for i := range batches {
		if i == batches/2 {
			half = heap()
		}
		f.batch(g)
		f.now = f.now.Add(step)
	}
	if grown := heap() - half; grown > 16<<20 {
		t.Errorf("the heap has grown by %d MiB in the second half", grown>>20)
	}
	f.settle(f.fold.Flush())
	for range 3 { // the rest is told or in a digest
		f.now = f.now.Add(20 * time.Minute)
		f.settle(nil)
	}
	f.check()
	lines := int64(batches) * floodBatch
	t.Logf("%d lines, %d detections in %d alerts; %d told, %d held in %d digests", lines, f.found, len(f.last), f.report.Notified, f.report.Held, f.report.Digests)
	if f.planted < lines/6 || f.planted > lines/3 {
		t.Errorf("%d secrets in %d lines: not the traffic that this is about", f.planted, lines)
	}
}

func (f *flood) check() {
	f.t.Helper()
	total := int64(0)
	for _, sequence := range f.last {
		total += sequence
	}
	counts, err := f.store.Counts(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if f.found != f.planted || total != f.planted || counts.Detections != f.planted || counts.Alerts != int64(len(f.last)) || counts.Waiting != 0 {
		f.t.Errorf("%d planted, %d found, %d in the index, %+v in the store", f.planted, f.found, total, counts)
	}
	if int64(len(f.told)) != f.report.Notified || f.digests != f.report.Held || f.report.Held == 0 || f.report.Digests == 0 {
		f.t.Errorf("%d told and %d in digests, the store says %+v", len(f.told), f.digests, f.report)
	}
	for i, first := range f.told { // what is saved may be used at once
		n := 0
		for _, later := range f.told[i:] {
			if later.Sub(first) < time.Hour {
				n++
			}
		}
		if n > 2*floodGlobal {
			f.t.Fatalf("%d are told within an hour, the rate is %d", n, floodGlobal)
		}
	}
	if most := floodGlobal * (2 + floodMinutes/60 + 1); len(f.told) > most {
		f.t.Errorf("%d are told in all, at most %d may be", len(f.told), most)
	}
}
