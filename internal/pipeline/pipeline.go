// Package pipeline is the one hot loop: a batch goes in; findings with their
// clients and the masked bytes come out. Sources and sinks are elsewhere.
//
// It works in two passes: everything is confirmed, fingerprinted and attributed
// first, then bytes move. It must never hand out a byte that was not scanned:
// what could not be scanned is withheld.
package pipeline

import (
	"fmt"
	"hash/maphash"
	"sort"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/client"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// Options is what all workers share.
type Options struct {
	Database *detect.Database
	Policy   redact.Policy
	Key      redact.Key
	// Attribute asks for clients. Masking alone does without.
	Attribute bool
	// Timeout ends the work on one batch; 0: DefaultTimeout.
	Timeout time.Duration
	Now     func() time.Time // nil: time.Now
	// Suppress lets findings pass unmasked and untold; nil: none. Path is the file
	// that the worker reads, empty for records.
	Suppress *suppress.List
	Path     string
}

// Result is a finding, whose it is, and what was done.
type Result struct {
	detect.Finding
	Client      event.Client
	Fingerprint redact.Fingerprint
	Action      redact.Action
	// Expires is the value's own end; zero: it names none. Bound means that it works
	// only with a key besides (cnf), Pair that what makes it usable is in the record
	// too. They are known with Options.Attribute.
	Expires     time.Time
	Bound, Pair bool
}

// scanner is detect.Scanner; tests put failing ones in its place.
type scanner interface {
	Scan(*detect.Batch) ([]detect.Finding, []detect.Observation, error)
	Close() error
}

// Worker is one goroutine's whole path.
type Worker struct {
	options Options
	scanner scanner
	time    deadline
	prints  *redact.Fingerprinter
	masks   *redact.Redactor
	clients client.Attributor

	batch   *detect.Batch
	results []Result
	passed  []rules.Kind // of findings that were suppressed
	spans   []redact.Span
	moved   []redact.Span // spans with offsets of one segment
	value   []byte
	seed    maphash.Seed // of hashes that never leave this worker
	lines   detect.Batch
}

// NewWorker returns a worker. Close it.
func NewWorker(o Options) (*Worker, error) {
	s, err := o.Database.NewScanner()
	if err != nil {
		return nil, err
	}
	w := newWorker(o, s)
	s.GiveUpWhen(w.time.over)
	return w, nil
}

func newWorker(o Options, s scanner) *Worker {
	prints := redact.NewFingerprinter(o.Key)
	return &Worker{seed: maphash.MakeSeed(), options: o, scanner: s, time: newDeadline(o), prints: prints, masks: redact.NewRedactor(o.Policy, prints.KeyID())}
}

// Close frees the worker's engine.
func (w *Worker) Close() error { return w.scanner.Close() }

// KeyID names the key that the worker's fingerprints are made with.
func (w *Worker) KeyID() string { return w.prints.KeyID() }

// Find is the first pass over a batch. The results are sorted by place and
// valid until the next call. After an error, a panic and a time-out included,
// nothing of the batch may be passed on.
func (w *Worker) Find(b *detect.Batch) (results []Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			results, err = nil, fmt.Errorf("pipeline: panic: %T", p)
		}
		clear(w.value)
	}()
	w.batch, w.results, w.spans, w.passed = b, w.results[:0], w.spans[:0], w.passed[:0]
	w.time.restart()
	findings, _, err := w.scanner.Scan(b)
	if err != nil {
		return nil, err
	}
	if len(findings) == 0 {
		return nil, nil
	}
	arena := b.Bytes()
	w.clients.Reset()
	for i := range findings {
		if i%findingsPerCheck == 0 && w.time.over() {
			return nil, detect.ErrExpired
		}
		f := &findings[i]
		w.value = f.Value(w.value[:0], arena)
		r := Result{Finding: *f, Fingerprint: w.prints.Of(w.value), Action: w.masks.Action(f.Kind)}
		inside, action := w.inside(arena, f)
		if len(inside) > 0 {
			r.Action = action
		}
		if w.options.Attribute {
			r.Client = w.clients.Of(arena, f, w.value)
			r.Expires, r.Bound = w.clients.Life()
		}
		w.results = append(w.results, r)
		w.spans = append(w.spans, redact.Span{
			Start: f.Start, End: f.End, Blob: f.Blob, Kind: f.Kind, Form: f.Form, Fingerprint: r.Fingerprint, Inside: inside,
		})
	}
	if w.options.Attribute {
		w.relate()
		w.disown(arena)
		w.pair()
	}
	if w.options.Suppress != nil {
		w.suppress(arena)
	}
	if err := w.time.check(); err != nil {
		return nil, err
	}
	return w.results, nil
}

// suppress takes away what passes, last of all: clients are found with it, and no
// identifier may hold it.
func (w *Worker) suppress(arena []byte) {
	kept := 0
	for i := range w.results {
		r := &w.results[i]
		if w.options.Suppress.Passes(&r.Finding, r.Fingerprint, arena, w.options.Path, func() string {
			return client.Service(arena[r.RecordLow:r.RecordHigh])
		}) {
			if !r.Part {
				w.passed = append(w.passed, r.Kind)
			}
			continue
		}
		w.results[kept], w.spans[kept] = w.results[i], w.spans[i]
		kept++
	}
	w.results, w.spans = w.results[:kept], w.spans[:kept]
}

// Suppressed returns the kinds of the last Find's findings that were suppressed:
// they are not among its results. It is valid until the next call.
func (w *Worker) Suppressed() []rules.Kind { return w.passed }

// relate names clients from the other findings of the same record, where a
// finding has none: the Basic user beside a code.
func (w *Worker) relate() {
	for first := 0; first < len(w.results); {
		last := first
		unknown := false
		for last < len(w.results) && w.results[last].RecordLow == w.results[first].RecordLow {
			unknown = unknown || w.results[last].Client.How == event.Unknown
			last++
		}
		if unknown && last-first > 1 {
			w.relateRecord(w.results[first:last])
		}
		first = last
	}
}

func (w *Worker) relateRecord(results []Result) {
	var named []event.Client
	for i := range results {
		named = append(named, results[i].Client)
	}
	related := client.Related(named)
	for i := range results {
		if results[i].Client.How == event.Unknown {
			results[i].Client = related
		}
	}
}

// Found reports whether segment i of a gathered batch has findings: the others
// need no masking.
func (w *Worker) Found(i int) bool {
	n := sort.Search(len(w.results), func(n int) bool { return w.results[n].Segment >= i })
	return n < len(w.results) && w.results[n].Segment == i
}

// MaskSegment appends segment i of a gathered batch, masked, to dst. It reports
// whether anything changed and whether the policy drops the record. With equal
// set every mask has the length of its value. Masking counts into the time of Find.
func (w *Worker) MaskSegment(dst []byte, i int, equal bool) (out []byte, changed, drop bool, err error) {
	segment := w.batch.Segments()[i]
	first := sort.Search(len(w.results), func(n int) bool { return w.results[n].Segment >= i })
	last := first
	for ; last < len(w.results) && w.results[last].Segment == i; last++ {
		drop = drop || w.results[last].Action == redact.ActionDropRecord
		changed = changed || w.results[last].Action != redact.ActionReport
	}
	text := w.batch.Bytes()[segment.Start:segment.End]
	if !changed {
		return append(dst, text...), false, drop, nil
	}
	w.moved = w.moved[:0]
	for _, s := range w.spans[first:last] {
		s.Start, s.End, s.Blob = s.Start-segment.Start, s.End-segment.Start, s.Blob-segment.Start
		w.moved = append(w.moved, s)
	}
	if err := w.time.check(); err != nil {
		return dst, false, drop, err
	}
	out, err = w.masks.Apply(dst, text, w.moved, equal)
	return out, err == nil, drop, err
}
