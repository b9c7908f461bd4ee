package otlp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
)

// edit is what becomes of a segment with findings.
type edit struct {
	segment     int
	first, last int // its findings
	lo, hi      int // its masked text in Masker.masked
	changed     bool
	drop        bool
}

// visited is what a visit to a unit changed.
type visited struct {
	changed  bool
	drop     bool
	reported bool     // values stay in it
	count    int      // values replaced
	kinds    []string // of them, each once
}

// finish scans and masks what was gathered. The batch is empty afterwards.
func (m *Masker) finish() error {
	defer m.reset()
	if len(m.batch.Segments()) == 0 && !m.deep {
		return nil
	}
	if m.together() == nil {
		return nil
	}
	return m.oneByOne()
}

// together scans the units of the chunk in one call, and masks only when all went well.
func (m *Masker) together() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("otlp: panic: %T", p)
		}
	}()
	if m.deep && m.options.Refuse {
		return ErrRefused
	}
	if err := m.find(); err != nil {
		return err
	}
	if len(m.edits) > 0 || m.deep {
		m.apply()
	}
	return nil
}

// find scans the batch and writes the masked text of each segment with findings.
func (m *Masker) find() error {
	m.edits, m.text = m.edits[:0], m.text[:0]
	results, err := m.worker.Find(&m.batch)
	m.out.Bytes += m.batch.Len()
	if err != nil {
		return err
	}
	m.findings = results
	for _, kind := range m.worker.Suppressed() {
		m.out.Counts[Count{string(kind), Suppressed}]++
	}
	for first := 0; first < len(results); {
		e := edit{segment: results[first].Segment, first: first, lo: len(m.text)}
		for e.last = first; e.last < len(results) && results[e.last].Segment == e.segment; e.last++ {
		}
		s := m.batch.Segments()[e.segment]
		m.text, e.changed, e.drop, err = m.worker.MaskSegment(m.text, e.segment, !redact.IsText(m.batch.Bytes()[s.Start:s.End]))
		if err != nil {
			return err
		}
		e.hi = len(m.text)
		m.edits = append(m.edits, e)
		first = e.last
	}
	m.masked = string(m.text) // one allocation for all of them
	return nil
}

// apply visits the units with edits once more and writes these.
func (m *Masker) apply() {
	m.mode, m.next = masking, 0
	segments := m.batch.Segments()
	for n := range m.units {
		switch {
		case m.deep:
		case m.next == len(m.edits):
			return
		case segments[m.edits[m.next].segment].Record != n:
			continue
		}
		m.visit(n)
	}
}

// visit visits a unit in the current mode, which is not gathering.
func (m *Masker) visit(n int) {
	u := &m.units[n]
	m.at, m.segment, m.where = n, u.first, where{}
	m.visited = visited{kinds: m.visited.kinds[:0]}
	m.facts = m.facts[:0]
	before := len(m.out.Detections)
	m.request.visit(m, u)
	if before < len(m.out.Detections) {
		m.place(u, m.out.Detections[before:])
	}
	m.out.Changed = m.out.Changed || m.visited.changed
	if m.visited.drop && u.kind == ofRecord {
		m.drops, m.out.Changed = append(m.drops, *u), true
		return
	}
	if m.options.Summary && m.visited.count > 0 {
		m.summarize(u)
	}
}

// edited returns the masked text of the next segment, and whether it differs.
func (m *Masker) edited() (string, bool) {
	n := m.segment
	m.segment++
	if m.next == len(m.edits) || m.edits[m.next].segment != n {
		return "", false
	}
	e := &m.edits[m.next]
	m.next++
	m.report(e)
	m.visited.drop = m.visited.drop || e.drop
	m.visited.changed = m.visited.changed || e.changed
	if !e.changed {
		return "", false
	}
	text := m.masked[e.lo:e.hi]
	if _, ok := slices.BinarySearch(m.cookies, n); ok {
		_, text, _ = strings.Cut(text, "=") // neither names nor masks have one
	}
	return text, true
}

// tries is how many times the time for one batch may be spent on the parts of a
// request that failed as a whole. What is then not scanned is withheld.
const tries = 4

// oneByOne is the way after a failure: each unit alone, then each text of those that
// fail again, so that only what cannot be scanned at all is withheld.
func (m *Masker) oneByOne() error {
	if m.deadline.IsZero() {
		timeout := m.options.Pipeline.Timeout
		if timeout <= 0 {
			timeout = pipeline.DefaultTimeout
		}
		m.deadline = m.now().Add(tries * timeout)
	}
	for _, u := range append([]unit(nil), m.units...) {
		m.reset()
		u.first = 0
		m.units = append(m.units, u)
		m.at = 0
		m.out.Retried++
		err := ErrRefused
		if !m.late() {
			m.request.visit(m, &m.units[0])
			err = m.together()
		}
		switch {
		case err == nil:
		case m.options.Refuse:
			return fmt.Errorf("%w: %s", ErrRefused, pipeline.Reason(err))
		default:
			m.mode = alone
			m.visit(0)
		}
	}
	return nil
}

func (m *Masker) late() bool { return m.now().After(m.deadline) }

// maskAlone scans the one text of n bytes in the batch, and returns what is to be
// written in its place, and whether anything is.
func (m *Masker) maskAlone(n int) (string, bool) {
	if m.late() {
		m.mode = stubbing
		return m.stub("timeout", n), true
	}
	m.segment, m.next = 0, 0
	if err := m.findAlone(); err != nil {
		return m.stub(pipeline.Reason(err), n), true
	}
	return m.edited()
}

func (m *Masker) findAlone() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("otlp: panic: %T", p)
		}
	}()
	return m.find()
}
