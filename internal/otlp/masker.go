package otlp

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/rules"
)

// Options is what all maskers of a component share.
type Options struct {
	// Pipeline has rules, policy, key and time-out. Attribute is set by Detect.
	Pipeline pipeline.Options
	// Detect asks for detections and their clients; masking alone does without.
	Detect bool
	// Region is told with each detection when the resource names none.
	Region string
	// Synthetic is the name of a resource's attribute that marks traffic of tests, and
	// SyntheticValue its value; empty: any. Mark, if not nil, is asked besides, of each
	// detection once its client is known.
	Synthetic, SyntheticValue string
	Mark                      func(*event.Detection)
	// Excerpts asks for excerpts of masked text.
	Excerpts bool
	// Summary adds to each changed log record and span, and to changed resources, how
	// many values were replaced and of which kinds.
	Summary bool
	// Refuse makes a request fail that has a text which cannot be scanned. Otherwise
	// that text alone is replaced by a stub.
	Refuse bool
}

// ErrRefused says that a text of the request could not be scanned, so that nothing of
// the request may be passed on.
var ErrRefused = errors.New("otlp: the request holds what cannot be scanned")

// chunkBytes is how much text is scanned at once: larger arenas no longer fit the
// processor's caches.
const chunkBytes = 224 << 10

// keepBytes is the largest arena that is kept for the next request.
const keepBytes = 2 << 20

// Outcome is what became of a request.
type Outcome struct {
	// Changed says that the request is another than before.
	Changed bool
	// Detections has one for each value found; the caller may keep it.
	Detections []event.Detection
	// Counts are how many values were found, by kind and action ("suppressed" for those
	// that pass because somebody said so). Valid until the masker's next call.
	Counts map[Count]int
	// Withheld is how many texts were replaced by stubs, by reason ("timeout",
	// "scan_failed", "too_deep"). Valid until the masker's next call.
	Withheld map[string]int
	// Retried is how many parts of the request were scanned again alone after a failure.
	Retried int
	// Bytes is how much text was scanned.
	Bytes int
	// Dropped is how many log records, spans and data points the policy left out, and
	// Emptied that none is left of them.
	Dropped int
	Emptied bool
}

// Suppressed is the action that findings are counted by which pass because somebody
// said so.
const Suppressed = "suppressed"

// Count is what findings are counted by.
type Count struct{ Kind, Action string }

// Masker masks requests. It belongs to one goroutine at a time.
type Masker struct {
	options Options
	worker  finder
	now     func() time.Time
	// received is when what is masked came, for records without a time; zero: now.
	received time.Time

	batch   detect.Batch
	units   []unit // of the chunk, by their number in the batch
	chunk   int    // bytes from which on it is scanned
	request request
	mode    mode
	at      int  // number of the unit being visited
	segment int  // number of the next segment
	deep    bool // the chunk has values that are too deep

	cookies  []int // segments that begin with the name of a cookie
	findings []pipeline.Result
	edits    []edit
	next     int    // edit
	text     []byte // what the edits write
	masked   string // the same
	visited  visited
	where    where
	told     told
	facts    []notify.Facts // of the unit's detections, until they are placed
	drops    []unit
	found    []unit // with findings, when detections are asked for
	deadline time.Time
	out      Outcome
	reader   reader
	reading  *gatherer // set while the request is only read
}

// finder is a pipeline.Worker; tests put failing ones in its place.
type finder interface {
	Find(*detect.Batch) ([]pipeline.Result, error)
	MaskSegment(dst []byte, i int, equal bool) (out []byte, changed, drop bool, err error)
	Suppressed() []rules.Kind
	KeyID() string
	Close() error
}

// NewMasker returns a masker. Close it.
func NewMasker(o Options) (*Masker, error) {
	o.Pipeline.Attribute = o.Detect
	worker, err := pipeline.NewWorker(o.Pipeline)
	if err != nil {
		return nil, err
	}
	return newMasker(o, worker), nil
}

func newMasker(o Options, worker finder) *Masker {
	m := &Masker{options: o, worker: worker, now: o.Pipeline.Now, chunk: chunkBytes}
	if m.now == nil {
		m.now = time.Now
	}
	if o.Detect {
		m.told.mac = hmac.New(sha256.New, o.Pipeline.Key.Derive("otlp detection ids"))
	}
	m.out.Counts, m.out.Withheld, m.told.ids = map[Count]int{}, map[string]int{}, map[string]int{}
	return m
}

// Close frees the masker's engine.
func (m *Masker) Close() error { return m.worker.Close() }

// mask is the whole work on one request.
func (m *Masker) mask(r request) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil { // the type alone: what is said may hold the text
			out, err = Outcome{}, fmt.Errorf("%w: panic: %T", ErrRefused, p)
		}
		m.forget()
	}()
	m.begin(r)
	if err := m.gather(); err != nil {
		return Outcome{}, err
	}
	m.relate() // while every record stands where it was found
	if len(m.drops) > 0 {
		r.leaveOut(m.drops)
		m.out.Dropped, m.out.Emptied = len(m.drops), r.records() == 0
	}
	m.checkExcerpts()
	return m.out, nil
}

func (m *Masker) begin(r request) {
	clear(m.out.Counts)
	clear(m.out.Withheld)
	clear(m.told.ids)
	m.out = Outcome{Counts: m.out.Counts, Withheld: m.out.Withheld}
	m.request, m.drops, m.found, m.deadline = r, m.drops[:0], m.found[:0], time.Time{}
	m.where, m.told.known = where{}, false
	m.reset()
}

// reset empties the chunk.
func (m *Masker) reset() {
	m.batch.Reset()
	m.units, m.cookies, m.mode, m.deep = m.units[:0], m.cookies[:0], gathering, false
}

// forget lets go of the request.
func (m *Masker) forget() {
	m.request, m.findings, m.masked = nil, nil, ""
	if cap(m.batch.Bytes()) > keepBytes {
		m.batch = detect.Batch{}
	}
	clear(m.text[:cap(m.text)]) // values that the policy leaves stand in it
}
